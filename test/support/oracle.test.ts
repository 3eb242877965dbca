/** The foreign reader itself: what it writes it reads back, byte for byte. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { newTopic, sharedKafka, uniqueTopic } from './kafka.ts';
import { javaPartitions, oracle, type Oracle } from './oracle.ts';

describe('oracle', () => {
  let bootstrap: string;
  let java: Oracle;
  before(async () => {
    bootstrap = await sharedKafka();
    java = oracle(bootstrap);
  });

  it('reads back what it produced: keys, values, headers and timestamps, null and empty told apart', async () => {
    const topic = await newTopic(bootstrap, 'oracle', { partitions: 2 });
    const bytes = Buffer.from([0, 255, 10, 13, 34]);
    const records = [
      { partition: 1, key: null, value: null, timestampMs: 1_700_000_000_000 },
      {
        partition: 1,
        key: '',
        value: '',
        headers: [
          ['empty', ''],
          ['null', null],
        ] as const,
      },
      {
        partition: 0,
        key: bytes,
        value: bytes,
        headers: [
          ['naïve "name"', bytes],
          ['naïve "name"', 'twice'],
        ] as const,
      },
    ];
    assert.deepEqual(await java.produce(topic, records), [
      { partition: 1, offset: 0 },
      { partition: 1, offset: 1 },
      { partition: 0, offset: 0 },
    ]);
    const read = await java.readAll(topic);
    const partition1 = read.filter((record) => record.partition === 1);
    assert.deepEqual(
      partition1.map(({ key, value }) => [key, value]),
      [
        [null, null],
        [Buffer.alloc(0), Buffer.alloc(0)],
      ],
    );
    assert.equal(partition1[0]?.timestampMs, 1_700_000_000_000);
    assert.deepEqual(partition1[1]?.headers, [
      ['empty', Buffer.alloc(0)],
      ['null', null],
    ]);
    const other = read.find((record) => record.partition === 0);
    assert.deepEqual([other?.key, other?.value, other?.offset], [bytes, bytes, 0]);
    assert.deepEqual(other?.headers, [
      ['naïve "name"', bytes],
      ['naïve "name"', Buffer.from('twice')],
    ]);
    assert.deepEqual(await java.endOffsets(topic), [1, 2]);
  });

  it('streams a large topic, also while another question is asked in between', async () => {
    const topic = await newTopic(bootstrap, 'oracle-large', { partitions: 3 });
    const value = Buffer.alloc(400, 'x');
    const records = Array.from({ length: 20_000 }, (_, index) => ({ key: String(index), value }));
    await java.produce(topic, records);
    const seen = new Set<string>();
    for await (const record of java.read(topic)) {
      if (seen.size % 5000 === 0) await java.endOffsets(topic);
      seen.add(String(record.key));
    }
    assert.equal(seen.size, 20_000);
  });

  it('carries digests in place of values where that is asked', async () => {
    const topic = await newTopic(bootstrap, 'oracle-digest');
    await java.produce(topic, [
      { key: 'a', value: 'long' },
      { key: 'b', value: null },
    ]);
    const values = (await java.readAll(topic, { values: 'sha256' })).map((record) => record.value);
    assert.deepEqual(values, [createHash('sha256').update('long').digest(), null]);
  });

  it('creates, grows, configures, describes and deletes topics', async () => {
    const topic = await newTopic(bootstrap, 'oracle-topic', { partitions: 2, config: { 'max.message.bytes': '2000' } });
    await java.addPartitions(topic, 4);
    await java.configureTopic(topic, { 'max.message.bytes': '3000' });
    const { partitions, config } = await java.describe(topic);
    assert.equal(partitions.length, 4);
    assert.equal(config['max.message.bytes'], '3000');
    await java.deleteTopic(topic);
    await assert.rejects(java.describe(topic), /UnknownTopicOrPartition/);
    await assert.rejects(java.readAll(uniqueTopic('never-made')), /UnknownTopicOrPartition/);
  });

  it('puts keys where the Java producer puts them', async () => {
    const topic = await newTopic(bootstrap, 'oracle-keys', { partitions: 7 });
    const keys = Array.from({ length: 50 }, (_, index) => Buffer.from(`ключ ${index}`));
    const sent = await java.produce(
      topic,
      keys.map((key) => ({ key, value: key })),
    );
    const [one, seven] = await javaPartitions(keys, [1, 7]);
    assert.deepEqual(
      seven,
      sent.map(({ partition }) => partition),
    );
    assert.deepEqual(
      one,
      keys.map(() => 0),
    );
  });
});
