/** Which partition a message goes to: Java's own choice, bit for bit (proved against the Java client). */
import type { Message } from '../model/index.ts';

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Kafka's murmur2 (32 bits, seed 0x9747b28c) as a signed integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const rest = length & 3;
  if (rest === 3) hash ^= bytes[whole + 2]! << 16;
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** Java masks the sign bit away; taking the hash unsigned would move half of the keys. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/**
 * The partition of a message, or -1 when the explicit one is not in the topic: never wrapped, which the client would do
 * in silence. `nextTurn` counts the messages without a key of the topic, for an even round robin.
 */
export function assignPartition(message: Message, partitions: number, nextTurn: () => number): number {
  if (message.partition !== null) return message.partition < partitions ? message.partition : -1;
  if (message.partitionKey !== null) return partitionOfKey(message.partitionKey, partitions);
  return nextTurn() % partitions;
}
