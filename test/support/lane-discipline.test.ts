/** The watcher of lanes is watched: each breach is seen, and what is allowed is not called one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProducedBatch } from './kafka-frames.ts';
import { laneBreaches } from './lane-discipline.ts';

const batch = (baseSequence: number, records: number, more: Partial<ProducedBatch> = {}): ProducedBatch => ({
  topic: 'orders',
  partition: 0,
  producerId: 1n,
  producerEpoch: 0,
  baseSequence,
  records,
  bytes: 100,
  codec: 0,
  ...more,
});

test('batches in sequence, repeats, a fresh producer and other partitions are allowed', () => {
  const fresh = { producerId: 2n };
  const other = { partition: 1 };
  const seen = [batch(0, 10), batch(10, 5), batch(10, 5), batch(0, 7, other), batch(15, 1), batch(0, 3, fresh)];
  assert.deepEqual(laneBreaches([...seen, batch(3, 3, fresh), batch(7, 1, other)]), []);
});

const breaches: [what: string, batches: ProducedBatch[]][] = [
  ['a different batch under the sequence of the last', [batch(0, 10), batch(10, 5), batch(10, 4)]],
  ['a batch that overtakes', [batch(0, 10), batch(20, 10), batch(10, 10)]],
  ['an older batch once more', [batch(0, 10), batch(10, 10), batch(0, 10)]],
  ['a gap', [batch(0, 10), batch(11, 10)]],
  ['a fresh producer that does not begin at 0', [batch(0, 10), batch(10, 10, { producerId: 2n })]],
  ['a retired producer that comes back', [batch(0, 9), batch(0, 9, { producerEpoch: 1 }), batch(0, 9)]],
];
for (const [what, batches] of breaches)
  test(`${what} is a breach`, () => assert.notDeepEqual(laneBreaches(batches), []));
