/** What a broker may see of one lane: batches in sequence, repeats of the last one only, a fresh producer else. */
import type { ProducedBatch } from './kafka-frames.ts';

/**
 * The first breaches of the discipline on which no loss, no duplicate and no reordering rest; empty when there is none.
 * `batches` in order of arrival, of any number of partitions, each written by one lane.
 */
export function laneBreaches(batches: Iterable<ProducedBatch>): string[] {
  const last = new Map<string, ProducedBatch>();
  const used = new Map<string, Set<string>>();
  const breaches: string[] = [];
  for (const batch of batches) {
    const lane = `${batch.topic}-${batch.partition}`;
    const producers = used.get(lane) ?? new Set();
    used.set(lane, producers);
    const breach = breachOf(last.get(lane), batch, producers);
    if (breach !== null && breaches.length < 5) breaches.push(`${lane}: ${breach}`);
    last.set(lane, batch);
    producers.add(producerOf(batch));
  }
  return breaches;
}

function breachOf(before: ProducedBatch | undefined, batch: ProducedBatch, used: ReadonlySet<string>): string | null {
  const producer = producerOf(batch);
  if (before === undefined || producerOf(before) !== producer) {
    if (used.has(producer)) return `producer ${producer} came back after another had taken its place`;
    return batch.baseSequence === 0 ? null : `producer ${producer} begins at sequence ${batch.baseSequence}`;
  }
  const repeats = batch.baseSequence === before.baseSequence && batch.records === before.records;
  const follows = batch.baseSequence === before.baseSequence + before.records;
  if (repeats || follows) return null;
  return `${batch.records} records at sequence ${batch.baseSequence} after ${before.records} at ${before.baseSequence}`;
}

function producerOf(batch: ProducedBatch): string {
  return `${batch.producerId}/${batch.producerEpoch}`;
}
