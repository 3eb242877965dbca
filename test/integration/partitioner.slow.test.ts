/** The vectors by which partitions are proved still are what librdkafka and kafka-go answer, where these run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Partitioner } from '../../src/model/index.ts';
import { askKafkaGo, askLibrdkafka, digestOf, readVectors } from '../support/foreign-partitions.ts';
import { partitionKeys } from '../support/partition-keys.ts';

const vectors = readVectors();
const keys = partitionKeys(vectors.keys);
const clients = [
  ['librdkafka', askLibrdkafka, ['crc32', 'fnv1a_librdkafka']],
  ['kafka-go', askKafkaGo, ['fnv1a', 'fnv1a_librdkafka']],
] as const;

for (const [name, ask, families] of clients) {
  test(`${name} answers as its vectors say`, (t) => {
    const answer = ask(keys, vectors.counts);
    if (typeof answer === 'string') {
      t.skip(answer);
      return;
    }
    for (const family of families as readonly Partitioner[]) {
      const rows: readonly (readonly number[])[] = answer.partitions[family]!;
      assert.deepEqual(
        rows.map((row) => digestOf(row)),
        vectors.families[family]!.digests,
        family,
      );
    }
  });
}
