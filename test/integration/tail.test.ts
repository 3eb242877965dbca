/** Reading a topic live: every codec, every byte, through a restart of the broker, written by Java's own producer. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { tailTopic } from '../../src/kafka/index.ts';
import type { TailedMessage } from '../../src/kafka/tail.ts';
import { destinationAt } from '../support/delivery.ts';
import { newTopic, ownKafka, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';

/** Messages as they come, once the tail is ready. */
async function tail(
  t: TestContext,
  bootstrap: string,
  topic: string,
  fromStart = false,
): Promise<{ seen: TailedMessage[]; ended: Promise<void>; stop: () => void }> {
  const end = new AbortController();
  const seen: TailedMessage[] = [];
  const ready = Promise.withResolvers<void>();
  const options = { fromStart, ready: ready.resolve };
  const read = async (): Promise<void> => {
    for await (const one of tailTopic(destinationAt(bootstrap), systemClock, topic, options, end.signal))
      seen.push(one);
  };
  const ended = read();
  t.after(() => end.abort());
  await Promise.race([ready.promise, ended]);
  return { seen, ended, stop: () => end.abort() };
}

test('messages in every codec come with their bytes, headers and times; in order within a partition', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'tail-codecs', { partitions: 2 });
  const { seen, ended, stop } = await tail(t, bootstrap, topic);
  const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
  const binary = Buffer.from([0, 0xff, 0x80]);
  for (const codec of codecs) {
    // Two in one batch: long enough to be packed, far apart in time.
    await oracle(bootstrap, { 'compression.type': codec, 'linger.ms': '50' }).produce(topic, [
      {
        partition: 1,
        key: `k-${codec}`,
        value: 'v'.repeat(5_000),
        headers: [
          ['a', 'b'],
          ['a', null],
        ],
        timestampMs: 1,
      },
      { partition: 1, key: binary, value: null, timestampMs: 1_700_000_000_000 },
    ]);
  }
  await until('all are seen', () => seen.length === codecs.length * 2);
  assert.deepEqual(
    seen.map(({ offset }) => Number(offset)),
    codecs.flatMap((_, index) => [index * 2, index * 2 + 1]),
  );
  for (const [index, codec] of codecs.entries()) {
    const [text, bytes] = seen.slice(index * 2, index * 2 + 2);
    assert.equal(String(text!.key), `k-${codec}`);
    assert.equal(text!.value?.length, 5_000);
    assert.deepEqual(text!.headers, [
      ['a', Buffer.from('b')],
      ['a', null],
    ]);
    assert.deepEqual([bytes!.key, bytes!.value, bytes!.timestampMs], [binary, null, 1_700_000_000_000]);
    assert.equal(text!.partition, 1);
  }
  stop();
  await ended;
});

test('from now on: nothing older; from the start: everything', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'tail-start', { partitions: 3 });
  await oracle(bootstrap).produce(topic, [{ key: null, value: 'old' }]);
  const now = await tail(t, bootstrap, topic);
  const all = await tail(t, bootstrap, topic, true);
  await oracle(bootstrap).produce(topic, [{ key: null, value: 'new' }]);
  await until('both see the new one', () => now.seen.length === 1 && all.seen.length === 2);
  assert.deepEqual(
    now.seen.map(({ value }) => String(value)),
    ['new'],
  );
});

test('it goes on after the broker was killed and restarted, and misses nothing', async (t) => {
  const kafka = await ownKafka();
  const topic = await newTopic(kafka.bootstrap, 'tail-restart', { partitions: 2 });
  const { seen } = await tail(t, kafka.bootstrap, topic);
  const send = (value: string) => oracle(kafka.bootstrap).produce(topic, [{ key: null, value }]);
  await send('before');
  await until('the first is seen', () => seen.length === 1);
  await kafka.nodes[0]!.kill();
  await kafka.nodes[0]!.restart();
  await send('after');
  await until('the second is seen', () => seen.length === 2);
  assert.deepEqual(
    seen.map(({ value }) => String(value)),
    ['before', 'after'],
  );
});

test('partitions added meanwhile are read from their first message', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'tail-grow', { partitions: 1 });
  const { seen } = await tail(t, bootstrap, topic);
  await oracle(bootstrap).addPartitions(topic, 2);
  await oracle(bootstrap).produce(topic, [{ partition: 1, key: null, value: 'x' }]);
  await until('it is seen', () => seen.length === 1);
  assert.equal(seen[0]!.partition, 1);
});

test('a topic that does not exist is an error with its name', async (t) => {
  const bootstrap = await sharedKafka();
  await assert.rejects(tail(t, bootstrap, uniqueTopic('tail-missing')), /There is no topic tail-missing/);
});
