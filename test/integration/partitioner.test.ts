/** Partitions are those of the clients we follow: asked of Java itself, and known of the others by vectors made from them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOfKey } from '../../src/kafka/index.ts';
import type { Partitioner } from '../../src/model/index.ts';
import { openFiles } from '../../src/sources/tables/index.ts';
import { previewSync } from '../../src/syncs/index.ts';
import { engine } from '../support/engine.ts';
import { digestOf, readVectors } from '../support/foreign-partitions.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { javaPartitions, oracle } from '../support/oracle.ts';
import { partitionCounts, partitionKeys } from '../support/partition-keys.ts';

const vectors = readVectors();
const families = Object.entries(vectors.families) as [Partitioner, NonNullable<(typeof vectors.families)['crc32']>][];

test('murmur2 puts 10,000 keys where Java does, for every number of partitions', async () => {
  const keys = partitionKeys(10_000);
  const rows = await javaPartitions(keys, partitionCounts);
  partitionCounts.forEach((count, row) => {
    const ours = keys.map((key) => partitionOfKey(key, count));
    assert.deepEqual(ours, rows[row], `with ${count} partitions`);
  });
});

for (const [family, { of, samples, digests }] of families) {
  test(`${family} puts 10,000 keys where ${of} does, for every number of partitions`, () => {
    for (const { key, partitions } of samples) {
      const ours = vectors.counts.map((count) => partitionOfKey(Buffer.from(key), count, family));
      assert.deepEqual(ours, partitions, key);
    }
    const keys = partitionKeys(vectors.keys);
    vectors.counts.forEach((count, index) => {
      const ours = keys.map((key) => partitionOfKey(key, count, family));
      assert.equal(digestOf(ours), digests[index], `with ${count} partitions`);
    });
  });
}

test('the families differ: moving between them moves keys', () => {
  const all: Partitioner[] = ['murmur2', 'crc32', 'fnv1a', 'fnv1a_librdkafka'];
  const keys = partitionKeys(1000);
  const places = all.map((family) => digestOf(keys.map((key) => partitionOfKey(key, 12, family))));
  assert.equal(new Set(places).size, all.length);
});

test('the messages of each sync land where its partitioner says, in one topic, and preview shows it', async (t) => {
  const bootstrap = await sharedKafka();
  const partitions = 12;
  const topic = await newTopic(bootstrap, 'families', { partitions });
  const e = await engine(t, bootstrap);
  const keys = families[0]![1].samples.map(({ key }) => key);
  e.write('keys.jsonl', keys.map((key) => JSON.stringify({ key })).join('\n'));
  const of = (sync: string): object => ({
    source: 'files',
    destination: 'main',
    read: { file: 'keys.jsonl' },
    message: { topic, key: '$.key', headers: { sync } },
  });
  const syncs: Record<string, object> = { java: of('java') };
  for (const [family] of families) syncs[family] = { ...of(family), partitioner: family };
  e.apply({ syncs });
  for (const run of await Promise.all(Object.keys(syncs).map((name) => e.run(name))))
    assert.equal(run.counts.delivered, keys.length);

  const [java] = await javaPartitions(
    keys.map((key) => Buffer.from(key)),
    [partitions],
  );
  const row = vectors.counts.indexOf(partitions);
  const expected = new Map([['java', java!]]);
  for (const [family, { samples }] of families)
    expected.set(
      family,
      samples.map((sample) => sample.partitions[row]!),
    );
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, keys.length * expected.size);
  for (const [name, places] of expected) {
    const landed = read.filter(({ headers }) => headers[0]![1]!.toString() === name);
    const byKey = new Map(landed.map(({ key, partition }) => [key!.toString(), partition]));
    assert.deepEqual(
      keys.map((key) => byKey.get(key)),
      places,
      name,
    );
    const request = { sync: name, limit: 100, record: undefined, atMs: Date.now(), run: 'r' };
    const previewed = await previewSync(e.syncs, openFiles, request);
    assert.deepEqual(
      previewed.map(({ partition }) => partition),
      places,
      `preview of ${name}`,
    );
  }
});

test('an empty key is a key: it goes where its hash says, and messages without one are spread evenly (P27)', async (t) => {
  const bootstrap = await sharedKafka();
  const partitions = 7;
  const e = await engine(t, bootstrap);
  const rows = Array.from({ length: 10_000 }, (_, i) => JSON.stringify({ i, none: null, empty: '' }));
  e.write('rows.jsonl', rows.join('\n'));
  const topics = new Map<string, string>();
  const syncs: Record<string, object> = {};
  for (const family of ['murmur2', 'crc32', 'fnv1a', 'fnv1a_librdkafka'] as const) {
    for (const key of ['none', 'empty']) {
      const name = `${family}-${key}`;
      const topic = await newTopic(bootstrap, name, { partitions });
      topics.set(name, topic);
      const message = { topic, key: `$.${key}`, payload: '$.i', partitioner: family };
      syncs[name] = { source: 'files', destination: 'main', read: { file: 'rows.jsonl' }, message };
    }
  }
  e.apply({ syncs });
  for (const [name, topic] of topics) {
    assert.equal((await e.run(name)).counts.delivered, rows.length);
    const ends = await oracle(bootstrap).endOffsets(topic);
    const [family, key] = name.split('-') as [Partitioner, string];
    const place = partitionOfKey(Buffer.alloc(0), partitions, family);
    if (key === 'empty') assert.equal(ends[place], rows.length, name);
    else assert.ok(Math.max(...ends) <= Math.min(...ends) * 1.2, `${name}: ${ends.join(', ')}`);
  }
});
