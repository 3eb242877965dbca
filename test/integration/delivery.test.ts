/** Delivery to a real cluster, read back by the Java client. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'node:test';
import { partitionOfKey } from '../../src/kafka/index.ts';
import type { Compression } from '../../src/model/index.ts';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';

test('key, value, headers and timestamp arrive byte for byte, in the partition Java would choose', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'bytes', { partitions: 7 });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  const sent = [
    message(topic, {
      key: Buffer.from('клю́ч'),
      text: '{"a":1}',
      headers: [
        ['h', Buffer.from([0, 255])],
        ['h', null],
        ['é', Buffer.alloc(0)],
      ],
    }),
    message(topic, { key: Buffer.alloc(0), text: '', timestampMs: 0 }),
    message(topic, { key: Buffer.from('t'), value: null, timestampMs: 1 }),
    message(topic, {
      key: Buffer.from([0, 1, 2, 254, 255]),
      text: 'x'.repeat(100_000),
      timestampMs: 1_700_000_000_000,
    }),
    message(topic, { partition: 6, key: Buffer.from('a'), text: 'explicit' }),
  ];
  sent.forEach((one, index) => delivery.accept(one, outcomes, index, intake));
  await outcomes.all(sent.length);
  assert.equal(outcomes.count('delivered'), sent.length);
  const read = await oracle(bootstrap).readAll(topic);
  for (const one of sent) {
    const found = read.find(
      (record) =>
        record.timestampMs === one.timestampMs && Buffer.compare(record.key ?? Buffer.alloc(0), one.key!) === 0,
    );
    assert.ok(found, `${String(one.key)} is in the topic`);
    assert.deepEqual(found.value, one.value);
    assert.deepEqual(found.headers, one.headers);
    assert.equal(found.partition, one.partition ?? partitionOfKey(one.key!, 7));
  }
  assert.equal(await delivery.close(5_000), 0);
});

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies Compression[]) {
  test(`batches with ${compression} are read by Java`, async () => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, `codec-${compression}`, { partitions: 2 });
    const delivery = deliveryTo(bootstrap, { compression });
    const outcomes = new Outcomes();
    for (let i = 0; i < 3_000; i++)
      delivery.accept(message(topic, { key: Buffer.from(`k${i % 50}`), text: `{"n":${i}}` }), outcomes, i, intake);
    await outcomes.all(3_000);
    const values = (await oracle(bootstrap).readAll(topic)).map((record) => String(record.value)).sort();
    assert.deepEqual(values, Array.from({ length: 3_000 }, (_, i) => `{"n":${i}}`).sort());
    await delivery.close(5_000);
  });
}

test('messages without a key spread evenly, also within one large batch', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'keyless', { partitions: 6 });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  for (let i = 0; i < 10_000; i++) delivery.accept(message(topic), outcomes, i, intake);
  await outcomes.all(10_000);
  const ends = await oracle(bootstrap).endOffsets(topic);
  assert.ok(Math.max(...ends) - Math.min(...ends) <= 1, `the partitions hold ${ends.join(', ')}`);
  await delivery.close(5_000);
});

test('a partition outside the topic is a rejection, never wrapped, and its neighbours arrive', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'range', { partitions: 3 });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  [0, 7, 2, 3].forEach((partition, index) => delivery.accept(message(topic, { partition }), outcomes, index, intake));
  await outcomes.all(4);
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => outcomes.byIndex.get(index)!.state),
    ['delivered', 'rejected', 'delivered', 'rejected'],
  );
  const rejection = outcomes.byIndex.get(1)!;
  assert.ok(
    rejection.state === 'rejected' &&
      rejection.code === 'partition_invalid' &&
      /partition 7 .* has 3/.test(rejection.reason),
  );
  assert.deepEqual(await oracle(bootstrap).endOffsets(topic), [1, 0, 1]);
  await delivery.close(5_000);
});

test('one message too large among a thousand is rejected alone (P6)', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'too-large', { partitions: 1, config: { 'max.message.bytes': '50000' } });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  for (let i = 0; i < 1_000; i++) {
    delivery.accept(
      message(topic, { key: Buffer.from(`${i}`), text: i === 500 ? 'x'.repeat(60_000) : `v${i}` }),
      outcomes,
      i,
      intake,
    );
  }
  await outcomes.all(1_000);
  const rejected = [...outcomes.byIndex].filter(([, outcome]) => outcome.state === 'rejected');
  assert.deepEqual(
    rejected.map(([index, outcome]) => [index, outcome.state === 'rejected' && outcome.code]),
    [[500, 'too_large']],
  );
  const keys = (await oracle(bootstrap).readAll(topic)).map((record) => Number(String(record.key)));
  assert.deepEqual(
    keys,
    Array.from({ length: 1_000 }, (_, i) => i).filter((i) => i !== 500),
    'order is kept',
  );
  await delivery.close(5_000);
});

test('poison at every place of a batch is found; the order of the others stays (P7)', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'poison', {
    partitions: 1,
    config: { 'message.timestamp.after.max.ms': '3600000' },
  });
  const delivery = deliveryTo(bootstrap);
  const size = 16;
  let expected: string[] = [];
  for (let place = 0; place < size; place++) {
    const outcomes = new Outcomes();
    for (let i = 0; i < size; i++) {
      const late = i === place ? { timestampMs: Date.now() + 86_400_000 } : {};
      delivery.accept(message(topic, { text: `${place}/${i}`, ...late }), outcomes, i, intake);
    }
    await outcomes.all(size);
    const outcome = outcomes.byIndex.get(place)!;
    assert.ok(outcome.state === 'rejected' && outcome.code === 'timestamp_invalid', JSON.stringify(outcome));
    assert.equal(outcomes.count('delivered'), size - 1);
    expected = [...expected, ...Array.from({ length: size }, (_, i) => `${place}/${i}`).filter((_, i) => i !== place)];
  }
  assert.deepEqual(
    (await oracle(bootstrap).readAll(topic)).map((record) => String(record.value)),
    expected,
  );
  await delivery.close(5_000);
});

test('a compacted topic refuses a message without a key; its neighbours arrive', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'compacted', { partitions: 1, config: { 'cleanup.policy': 'compact' } });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  for (let i = 0; i < 5; i++)
    delivery.accept(message(topic, { key: i === 2 ? null : Buffer.from(`${i}`), text: `${i}` }), outcomes, i, intake);
  await outcomes.all(5);
  const outcome = outcomes.byIndex.get(2)!;
  assert.ok(outcome.state === 'rejected' && outcome.code === 'record_refused', JSON.stringify(outcome));
  assert.deepEqual(
    (await oracle(bootstrap).readAll(topic)).map((record) => String(record.value)),
    ['0', '1', '3', '4'],
  );
  await delivery.close(5_000);
});

test('a missing topic holds the messages that name it and rejects those that computed it; others go on', async () => {
  const bootstrap = await sharedKafka();
  const missing = uniqueTopic('missing');
  const there = await newTopic(bootstrap, 'there', { partitions: 1 });
  const delivery = deliveryTo(bootstrap);
  const literal = new Outcomes();
  const computed = new Outcomes();
  const other = new Outcomes();
  delivery.accept(message(missing, { text: 'waits' }), literal, 0, intake);
  delivery.accept(message(missing), computed, 0, { ...intake, computedTopic: true });
  delivery.accept(message(there), other, 0, intake);
  await other.all(1);
  await computed.all(1);
  const outcome = computed.byIndex.get(0)!;
  assert.ok(outcome.state === 'rejected' && outcome.code === 'topic_missing');
  await literal.until(() => literal.holds.some((held) => held?.action === 'park' && held.code === 'topic_missing'));
  assert.equal(literal.byIndex.size, 0);
  await oracle(bootstrap).createTopic(missing, { partitions: 1 });
  await literal.all(1);
  assert.equal(literal.holds.at(-1), null, 'it is told that messages go on');
  assert.deepEqual(
    (await oracle(bootstrap).readAll(missing)).map((record) => String(record.value)),
    ['waits'],
  );
  await delivery.close(5_000);
});

test('a topic deleted and made anew is written again without a restart (P8)', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'deleted', { partitions: 2 });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  for (let i = 0; i < 200; i++)
    delivery.accept(message(topic, { key: Buffer.from(`k${i % 7}`), text: `${i}` }), outcomes, i, intake);
  await outcomes.all(200);
  await oracle(bootstrap).deleteTopic(topic);
  await oracle(bootstrap).createTopic(topic, { partitions: 2 });
  for (let i = 200; i < 400; i++)
    delivery.accept(message(topic, { key: Buffer.from(`k${i % 7}`), text: `${i}` }), outcomes, i, intake);
  await outcomes.all(400);
  const values = (await oracle(bootstrap).readAll(topic))
    .map((record) => Number(String(record.value)))
    .sort((a, b) => a - b);
  assert.deepEqual(
    values,
    Array.from({ length: 200 }, (_, i) => i + 200),
    'the topic made anew takes what comes after',
  );
  await delivery.close(5_000);
});

test('an owner that took its messages back is forgotten, however long the hold lasts (Promise 9)', async () => {
  const bootstrap = await sharedKafka();
  const delivery = deliveryTo(bootstrap);
  const owners: WeakRef<Outcomes>[] = [];
  const missing = uniqueTopic('forgotten');
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 20; i++) {
      const outcomes = new Outcomes();
      owners.push(new WeakRef(outcomes));
      delivery.accept(message(missing), outcomes, 0, intake);
    }
    const last = owners.at(-1)!.deref()!;
    await last.until(() => last.holds.some((held) => held?.code === 'topic_missing'));
    delivery.withdraw(() => true);
    await new Promise((resolve) => setImmediate(resolve));
  }
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  await until('owners are forgotten', () => {
    collect();
    return owners.filter((one) => one.deref() !== undefined).length <= 20;
  });
  await delivery.close(0);
});

test('what is in no send yet can be taken back, and only that', async () => {
  const bootstrap = await sharedKafka();
  const missing = uniqueTopic('withdrawn');
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  const stays = new Outcomes();
  for (let i = 0; i < 10; i++) delivery.accept(message(missing), i % 2 === 0 ? outcomes : stays, i, intake);
  assert.equal(
    delivery.withdraw((owner) => owner === outcomes),
    5,
  );
  assert.equal(outcomes.count('withdrawn'), 5);
  assert.equal(stays.byIndex.size, 0);
  assert.equal(delivery.pending.messages, 5);
  assert.equal(await delivery.close(10), 0);
  assert.equal(stays.count('withdrawn'), 5, 'closing takes back what never was in a send');
});
