/** The checker is checked: a planted fault for each assertion must turn it red, and only it. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { emptyCounts } from '../../src/model/index.ts';
import {
  checkTopics,
  hashValue,
  verdictLine,
  type Assertion,
  type CheckInput,
  type ExpectedRecord,
  type ReadRecord,
} from './check-topic.ts';
import { Ledger } from './ledger.ts';

/** 60 records on 3 keys: 50 ok, 5 failed (40-44), 5 unknown (45-49, of which even ones arrived). */
function load(): { expected: ExpectedRecord[]; read: ReadRecord[]; ledger: Ledger } {
  const expected: ExpectedRecord[] = [];
  const read: ReadRecord[] = [];
  const ledger = Ledger.inMemory();
  for (let i = 0; i < 60; i++) {
    const [id, key, value] = [`id-${i}`, `key-${i % 3}`, Buffer.from(`value ${i}`)];
    const record = { topic: 'orders', partition: i % 3, timestampMs: 1_700_000_000_000 + i };
    const headers = [['id', Buffer.from(id)] as const, ['empty', null] as const];
    expected.push({ id, key, sequence: i, valueHash: hashValue(value), headers, ...record });
    const state = i >= 40 && i < 45 ? 'fail' : i >= 45 && i < 50 ? 'unknown' : 'ok';
    ledger.begin([id]);
    if (state !== 'unknown') ledger.settle([id], state);
    if (state === 'ok' || (state === 'unknown' && i % 2 === 0))
      read.push({ ...record, offset: i, key: Buffer.from(key), value, headers });
  }
  return { expected, read, ledger };
}

type Plant = (read: ReadRecord[], input: { -readonly [K in keyof CheckInput]: CheckInput[K] }) => void;
const at = (read: ReadRecord[], id: string): number =>
  read.findIndex((record) => record.headers[0]?.[1]?.toString() === id);
const change = (id: string, how: (record: ReadRecord) => Partial<ReadRecord>): Plant => {
  return (read) => {
    const index = at(read, id);
    read[index] = { ...read[index]!, ...how(read[index]!) };
  };
};
const withHeaders = (headers: ReadRecord['headers']): Plant => change('id-7', () => ({ headers }));
const idHeader = ['id', Buffer.from('id-7')] as const;

const plants: [what: string, expected: Assertion, plant: Plant][] = [
  ['an acknowledged record is missing', 'lost', (read) => read.splice(at(read, 'id-30'), 1)],
  ['the last acknowledged record is missing', 'lost', (read) => read.pop()],
  [
    'a refused record is there',
    'failed_but_there',
    (read) => read.splice(at(read, 'id-39') + 1, 0, copyFor(read, 'id-41', 41)),
  ],
  ['an unknown record is there twice', 'unknown_twice', (read) => read.push(read[at(read, 'id-46')]!)],
  ['one copy more than allowed', 'too_many_duplicates', (read) => read.push(...read.slice(0, 3))],
  ['delivered and a dead letter', 'too_many_duplicates', (_read, input) => (input.deadLetters = new Set(['id-3']))],
  ['two neighbours of a key are swapped', 'reordered', (read) => swap(read, at(read, 'id-9'), at(read, 'id-12'))],
  ['a record comes at the end of its key', 'reordered', (read) => read.push(...read.splice(at(read, 'id-5'), 1))],
  ['a byte of a value differs', 'altered', change('id-7', () => ({ value: Buffer.from('value 8') }))],
  ['a value became a tombstone', 'altered', change('id-7', () => ({ value: null }))],
  ['the key is empty, not absent', 'altered', change('id-7', () => ({ key: Buffer.alloc(0) }))],
  ['the key is null', 'altered', change('id-7', () => ({ key: null }))],
  ['another partition than by Java', 'altered', change('id-7', () => ({ partition: 2 }))],
  ['another topic', 'altered', change('id-7', () => ({ topic: 'other' }))],
  ['another timestamp', 'altered', change('id-7', (record) => ({ timestampMs: record.timestampMs + 1 }))],
  ['a header is gone', 'altered', withHeaders([idHeader])],
  ['a null header became empty', 'altered', withHeaders([idHeader, ['empty', Buffer.alloc(0)]])],
  ['headers in another order', 'altered', withHeaders([['empty', null], idHeader])],
  ['a copy differs from its first', 'altered', (read) => read.push({ ...read[at(read, 'id-59')]!, key: null })],
  ['a record nobody sent', 'alien', (read) => read.push(copyFor(read, 'id-99', 99))],
  ['a record without id', 'alien', (read) => read.push({ ...read[0]!, headers: [] })],
  ['counts that do not add up', 'unbalanced', (_read, input) => (input.counts = { ...emptyCounts(), read: 1 })],
];

describe('the checker', () => {
  test('is green where all is right, duplicates within the bound and unknown ones once or never', async () => {
    const { expected, read, ledger } = load();
    read.push(read[0]!, read[1]!);
    const counts = { ...emptyCounts(), read: 5, delivered: 3, rejected: 1, filtered: 1 };
    const verdict = await checkTopics({ seed: '0x1', expected, read, ledger, maxDuplicates: 2, counts });
    assert.equal(verdict.verdict, 'green', verdictLine(verdict));
    assert.deepEqual(verdict.counts, {
      expected: 60,
      ok: 50,
      fail: 5,
      unknown: 5,
      read: 54,
      distinct: 52,
      duplicates: 2,
      deadLetters: 0,
    });
    const line = JSON.parse(verdictLine(verdict)) as Record<string, unknown>;
    assert.equal(line['seed'], '0x1');
    assert.match(String(line['commit']), /^[0-9a-f]{7,}$|^unknown$/);
  });

  test('takes a dead letter for an ok record that is in no topic', async () => {
    const { expected, read, ledger } = load();
    read.splice(at(read, 'id-30'), 1);
    const deadLetters = new Set(['id-30']);
    const verdict = await checkTopics({ seed: '', expected, read, ledger, deadLetters, maxDuplicates: 0 });
    assert.equal(verdict.verdict, 'green', verdictLine(verdict));
  });

  for (const [what, assertion, plant] of plants) {
    test(`turns red when ${what}`, async () => {
      const { expected, read, ledger } = load();
      const input = { seed: '', expected, read, ledger, maxDuplicates: 2 };
      plant(read, input);
      const verdict = await checkTopics(input);
      assert.equal(verdict.verdict, 'red');
      assert.deepEqual(Object.keys(verdict.violations), [assertion], verdictLine(verdict));
    });
  }

  test('refuses a load in which one id stands for two records', async () => {
    const { expected, read } = load();
    await assert.rejects(
      checkTopics({ seed: '', expected: [...expected, expected[0]!], read, maxDuplicates: 0 }),
      /stands for two records/,
    );
  });
});

test('a ledger on disk keeps its states through a kill of the generator, torn last line and all', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'ledger.jsonl');
  const first = Ledger.onDisk(path);
  first.begin(['a', 'b', 'c']);
  first.settle(['a', 'b'], 'ok');
  first.close();
  appendFileSync(path, '{"state":"fail","ids":["c"');
  const second = Ledger.onDisk(path);
  second.begin(['d']);
  second.close();
  const third = Ledger.onDisk(path);
  assert.deepEqual(
    ['a', 'b', 'c', 'd', 'e'].map((id) => third.state(id)),
    ['ok', 'ok', 'unknown', 'unknown', undefined],
  );
  assert.equal(third.count('ok'), 2);
  third.close();
});

/** A record as the load would have made it. */
function copyFor(read: ReadRecord[], id: string, i: number): ReadRecord {
  const headers = [['id', Buffer.from(id)] as const, ['empty', null] as const];
  const key = Buffer.from(`key-${i % 3}`);
  const value = Buffer.from(`value ${i}`);
  return { ...read[0]!, partition: i % 3, timestampMs: 1_700_000_000_000 + i, key, value, headers };
}

function swap(read: ReadRecord[], a: number, b: number): void {
  [read[a], read[b]] = [read[b]!, read[a]!];
}
