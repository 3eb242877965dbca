/** Where a partition of dead letters goes on, whatever became of its topic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asMessage, fromMessage, letterOf, messageOf } from './letters.ts';
import { whatComes } from './topic-letters.ts';

const extent = { partition: 0, first: 10n, end: 50n };

test('positions that are older than the topic, or beyond its end, begin where there is something', () => {
  const comes = (next: bigint, topicId: string | null, now: string | null = 'one'): [bigint, string] => {
    const notes = new Set<string>();
    const { first } = whatComes('t', now, extent, { partition: 0, next, done: [], topicId }, notes);
    return [first, [...notes].join().replace(/^.*?(made anew|retention).*$/s, '$1')];
  };
  assert.deepEqual(comes(20n, 'one'), [20n, '']);
  assert.deepEqual(comes(50n, 'one'), [50n, '']);
  assert.deepEqual(comes(20n, null), [20n, '']);
  assert.deepEqual(comes(20n, 'one', null), [20n, '']);
  assert.deepEqual(comes(20n, 'another'), [10n, 'made anew']);
  assert.deepEqual(comes(51n, 'one', null), [10n, 'made anew']);
  assert.deepEqual(comes(5n, 'one'), [10n, 'retention']);
  assert.equal(whatComes('t', 'one', extent, undefined, new Set()).first, 10n);
});

test('what is done above the position is not to come', () => {
  const { done } = whatComes(
    't',
    null,
    extent,
    { partition: 0, next: 20n, done: [22n, 24n], topicId: null },
    new Set(),
  );
  assert.deepEqual([...done], [22n, 24n]);
});

test('a letter read back from its topic gives the message as it was rejected, its own headrace headers and all', () => {
  const rejection = { state: 'rejected', code: 'too_large', reason: 'why', attempts: 2 } as const;
  const message = {
    topic: 'orders',
    partition: 3,
    partitionKey: Buffer.from('other'),
    key: Buffer.from('k'),
    value: null,
    headers: [
      ['headrace.sync', Buffer.from('mine')],
      ['empty', null],
      ['headrace.id', Buffer.from('an earlier one')],
    ] as const,
    timestampMs: 5,
  };
  const letter = letterOf('s', 'run', { position: 'a:1', bytes: Buffer.from('raw') }, message, rejection);
  const back = fromMessage(asMessage(letter, 'letters', 1_000))!;
  assert.equal(back.time, '1970-01-01T00:00:01.000Z');
  assert.deepEqual(messageOf(back), messageOf(letter));
  const { sync, run, code, reason, position, attempts, identity } = back;
  assert.deepEqual(
    { sync, run, code, reason, position, attempts, identity },
    {
      sync: 's',
      run: 'run',
      code: 'too_large',
      reason: 'why',
      position: 'a:1',
      attempts: 2,
      identity: letter.identity,
    },
  );
  const record = letterOf('s', null, { position: 'm', bytes: Buffer.from('{}') }, null, rejection);
  assert.equal(String(fromMessage(asMessage(record, 'letters', 1))!.raw), '{}');
  assert.equal(fromMessage({ key: null, value: null, headers: [], timestampMs: 1 }), null);
});
