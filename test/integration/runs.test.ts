/** Runs of file syncs against a real cluster: outcomes, counts, checkpoints, rejections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunFacts } from '../../src/model/index.ts';
import { freePorts } from '../../src/local/ports.ts';
import { engine } from '../support/engine.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

/** Promise 4: the counts of a finished run reconcile. */
function assertReconciles({ counts }: RunFacts): void {
  const { read, departed, delivered, rejected, filtered, unchanged, ignored } = counts;
  assert.equal(read + departed, delivered + rejected + filtered + unchanged + ignored, JSON.stringify(counts));
}

const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `{"id":${from + i},"n":1.10}\n`).join('');

test('every row of a file arrives once, in order per key, with all its digits; the counts reconcile', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-rows', { partitions: 3 });
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', rows(0, 5_000));
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic, key: '$.id', payload: '$.' },
      },
    },
  });
  const run = await e.run('s');
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  assert.equal(run.counts.delivered, 5_000);
  assertReconciles(run);
  const read = await oracle(bootstrap).readAll(topic);
  const values = read.map((record) => String(record.value)).sort();
  assert.deepEqual(values, rows(0, 5_000).trim().split('\n').sort(), 'the bytes of the lines');
  assert.ok(
    read.every((record) => String(record.key) === String((JSON.parse(String(record.value)) as { id: number }).id)),
  );
});

test('CSV rows become flat JSON with operation and synced_at, the same in all messages of the run', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-csv', { partitions: 1 });
  const e = await engine(t, bootstrap);
  e.write('a.csv', 'id,total,zip,paid,name\n1,1.10,007,true,"Ann, B."\n9007199254740993,2,12345,false,\n');
  e.apply({
    syncs: { s: { source: 'files', destination: 'main', read: { file: 'a.csv' }, message: { topic, key: '$.id' } } },
  });
  const run = await e.run('s');
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  const read = await oracle(bootstrap).readAll(topic);
  const tail = `"operation":"created","synced_at":"${run.startedAt}"}`;
  assert.deepEqual(
    read.map((record) => String(record.value)),
    [
      `{"id":1,"total":1.10,"zip":"007","paid":true,"name":"Ann, B.",${tail}`,
      `{"id":9007199254740993,"total":2,"zip":"12345","paid":false,"name":null,${tail}`,
    ],
  );
  assert.deepEqual(
    read.map((record) => String(record.key)),
    ['1', '9007199254740993'],
  );
  assert.equal(read[0]!.timestampMs, Date.parse(run.startedAt));
});

test('rejected rows are counted, kept with their reason, and lose nothing else', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-rejects', { partitions: 2, config: { 'max.message.bytes': '5000' } });
  const e = await engine(t, bootstrap);
  const lines = [
    '{"id":1,"p":0}',
    'this is not JSON',
    '{"id":2,"p":9}',
    `{"id":3,"p":0,"big":"${'x'.repeat(6_000)}"}`,
    '{"id":4,"p":1}',
  ];
  e.write('a.jsonl', `${lines.join('\n')}\n`);
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic, key: '$.id', partition: '$.p', payload: '$.' },
      },
    },
  });
  const run = await e.run('s');
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  assert.deepEqual([run.counts.read, run.counts.delivered, run.counts.rejected], [5, 2, 3]);
  assertReconciles(run);
  const letters = (await e.store.deadLetters.list({ sync: 's' })).reverse();
  assert.deepEqual(
    new Set(letters.map((letter) => letter.code)),
    new Set(['row_invalid', 'partition_invalid', 'too_large']),
  );
  const big = letters.find((letter) => letter.code === 'too_large')!;
  assert.equal(String(big.value), lines[3], 'byte for byte');
  assert.equal(String(big.key), '3');
  assert.match(letters.find((letter) => letter.code === 'row_invalid')!.position!, /a\.jsonl:2/);
  const values = (await oracle(bootstrap).readAll(topic)).map((record) => String(record.value));
  assert.deepEqual(values.sort(), [lines[0], lines[4]]);
});

test('a run that is cancelled goes on from its checkpoint under the same id; a new run sends all rows again', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-resume', { partitions: 3 });
  const e = await engine(t, bootstrap);
  const total = 120_000;
  e.write('a.jsonl', rows(0, total));
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic, key: '$.id', payload: '$.' },
      },
    },
  });
  const active = await e.syncs.runs.start('s', 'manual');
  while (active.facts().counts.read < 20_000) await new Promise((resolve) => setImmediate(resolve));
  active.cancel();
  const cancelled = await active.ended;
  assert.equal(cancelled.state, 'cancelled');
  assert.ok(cancelled.counts.read < total, 'it stopped in the middle');
  assertReconciles(cancelled);
  const resumed = await e.run('s');
  assert.equal(resumed.id, cancelled.id);
  assert.equal(resumed.state, 'succeeded', JSON.stringify(resumed.error));
  assert.equal(resumed.counts.read, total);
  assertReconciles(resumed);
  const ids = (await oracle(bootstrap).readAll(topic)).map((record) => Number(String(record.key)));
  assert.equal(new Set(ids).size, total, 'nothing is missing');
  assert.equal(ids.length, total, 'nothing twice: what was under way had its answer before the run ended');
  const again = await e.run('s');
  assert.notEqual(again.id, resumed.id);
  assert.equal(again.counts.delivered, total);
});

test('a file that changed voids the checkpoint in it: the run begins anew and says so', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-changed', { partitions: 1 });
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', rows(0, 120_000));
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic, key: '$.id', payload: '$.' },
      },
    },
  });
  const active = await e.syncs.runs.start('s', 'manual');
  while (active.facts().counts.read < 10_000) await new Promise((resolve) => setImmediate(resolve));
  active.cancel();
  const cancelled = await active.ended;
  assert.equal(cancelled.state, 'cancelled');
  e.write('a.jsonl', rows(0, 10));
  const anew = await e.run('s');
  assert.notEqual(anew.id, cancelled.id);
  assert.equal(anew.counts.delivered, 10);
  assert.ok(e.told.some((line) => /changed since its last run/.test(line)));
});

test('a missing topic fails the run before its first message, with cause and remedy; later the run goes on', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = uniqueTopic('run-missing');
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', rows(0, 100));
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic, key: '$.id', payload: '$.' },
      },
    },
  });
  const failed = await e.run('s');
  assert.equal(failed.state, 'failed');
  assert.equal(failed.error?.code, 'topic_missing');
  assert.match(failed.error?.message ?? '', new RegExp(topic));
  assert.match(failed.error?.remedy ?? '', /Create the topic/);
  await oracle(bootstrap).createTopic(topic, { partitions: 1 });
  const run = await e.run('s');
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  assert.equal((await oracle(bootstrap).readAll(topic)).length, 100);
});

test('a computed topic that is missing rejects its rows; the others arrive', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-computed', { partitions: 1 });
  const e = await engine(t, bootstrap);
  e.write(
    'a.jsonl',
    `{"id":1,"t":"${topic}"}\n{"id":2,"t":"${uniqueTopic('nowhere')}"}\n{"id":3,"t":"bad name!"}\n{"id":4,"t":"${topic}"}\n`,
  );
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic: '$.t', key: '$.id', payload: '$.' },
      },
    },
  });
  const run = await e.run('s');
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  assert.deepEqual([run.counts.delivered, run.counts.rejected], [2, 2]);
  const codes = (await e.store.deadLetters.count({ sync: 's' })).map(({ code }) => code).sort();
  assert.deepEqual(codes, ['topic_invalid', 'topic_missing']);
});

test('a change of the mapping takes effect between records of a run: each record under one version, none lost', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-change', { partitions: 2 });
  const e = await engine(t, bootstrap);
  const total = 100_000;
  e.write('a.jsonl', rows(0, total));
  const sync = (version: string, linger: number): object => ({
    destinations: { main: { brokers: bootstrap, producer: { linger_ms: linger } } },
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        message: { topic, key: '$.id', headers: { version }, payload: '$.' },
      },
    },
  });
  e.apply(sync('1', 0));
  const active = await e.syncs.runs.start('s', 'manual');
  while (active.facts().counts.read < 10_000) await new Promise((resolve) => setImmediate(resolve));
  e.apply(sync('2', 1));
  const run = await active.ended;
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, total);
  assert.equal(new Set(read.map((record) => String(record.key))).size, total);
  for (const partition of [0, 1]) {
    const versions = read
      .filter((record) => record.partition === partition)
      .map((record) => String(record.headers[0]![1]));
    assert.deepEqual(versions, versions.toSorted(), 'what began under the old version stands before the new');
  }
  assert.deepEqual(new Set(read.map((record) => String(record.headers[0]![1]))), new Set(['1', '2']));
});

test('records that do not meet the trigger are filtered, counted, and preview says why', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-trigger', { partitions: 1 });
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', rows(0, 100));
  e.apply({
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.jsonl' },
        trigger: 'id >= 90 and !(id = 95)',
        message: { topic, key: '$.id', payload: '$.' },
      },
    },
  });
  const run = await e.run('s');
  assert.deepEqual([run.counts.read, run.counts.delivered, run.counts.filtered], [100, 9, 91]);
  assertReconciles(run);
  const keys = (await oracle(bootstrap).readAll(topic)).map((record) => String(record.key));
  assert.deepEqual(keys, ['90', '91', '92', '93', '94', '96', '97', '98', '99']);
});

test('a row without a mandatory column is rejected, or sent and the run marked, as the column says', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-mandatory', { partitions: 1 });
  const e = await engine(t, bootstrap);
  e.write('a.csv', 'id,name\n1,Ann\n2,\n3,Bo\n');
  const run = async (mandatory: string): Promise<RunFacts> => {
    const columns = [
      { from: 'id', to: 'id' },
      { from: 'name', to: 'name', mandatory },
    ];
    e.apply({
      syncs: {
        s: { source: 'files', destination: 'main', read: { file: 'a.csv' }, message: { topic, key: '$.id', columns } },
      },
    });
    return e.run('s');
  };
  const rejecting = await run('reject');
  const [letter] = await e.store.deadLetters.list({ sync: 's' });
  assert.equal(String(letter!.raw), '{"id":2,"name":null}', 'the row is kept, though it became no message');
  assert.deepEqual([rejecting.counts.delivered, rejecting.counts.rejected, rejecting.counts.flawed], [2, 1, undefined]);
  const marking = await run('mark');
  assert.deepEqual([marking.counts.delivered, marking.counts.rejected, marking.counts.flawed], [3, 0, 1]);
  assertReconciles(marking);
});

test('brokers corrected while a run is under way: it goes on there, every row once, in order', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'run-corrected', { partitions: 1 });
  const [port] = await freePorts(1);
  const e = await engine(t, bootstrap);
  const total = 30_000;
  e.write('a.csv', `id,seq\n${Array.from({ length: total }, (_, i) => `${i % 7},${i}`).join('\n')}\n`);
  const at = (brokers: string): object => ({
    destinations: { main: { brokers, producer: { buffer_memory: 300_000, batch_bytes: 100_000 } } },
    syncs: {
      s: {
        source: 'files',
        destination: 'main',
        read: { file: 'a.csv' },
        message: { topic, key: '$.id', payload: '$.' },
      },
    },
  });
  e.apply(at(`127.0.0.1:${port}`));
  const active = await e.syncs.runs.start('s', 'manual');
  while (e.syncs.destinations.opened('main')?.delivery.full !== true)
    await new Promise((resolve) => setImmediate(resolve));
  e.apply(at(bootstrap));
  const run = await active.ended;
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  assert.equal(run.counts.delivered, total);
  assertReconciles(run);
  const read = (await oracle(bootstrap).readAll(topic)).map(
    (record) => JSON.parse(String(record.value)) as { seq: number },
  );
  assert.deepEqual(
    read.map(({ seq }) => seq),
    Array.from({ length: total }, (_, i) => i),
  );
});
