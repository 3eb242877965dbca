/** Which partition a message goes to: the one it names, by the hash of its key as another client has it, or in turn. */
import type { AssignPartition } from '../delivery/ports.ts';
import type { Partitioner } from '../model/index.ts';
import { crc32, fnv1a, murmur2 } from './key-hashes.ts';

type PlaceOfKey = (key: Uint8Array, partitions: number) => number;

/** How a hash becomes a partition decides as much as the hash; each is proved against the client it is taken from. */
const places: Readonly<Record<Partitioner, PlaceOfKey>> = {
  // Java masks the sign bit away; taking the hash unsigned would move half of the keys.
  murmur2: (key, partitions) => (murmur2(key) & 0x7fffffff) % partitions,
  // librdkafka's `consistent`: unsigned.
  crc32: (key, partitions) => (crc32(key) >>> 0) % partitions,
  // RudderStack's (kafka-go's ReferenceHash, as Sarama's of that name): masked.
  fnv1a: (key, partitions) => (fnv1a(key) & 0x7fffffff) % partitions,
  // librdkafka's `fnv1a` (as the other hash of Sarama and kafka-go): the absolute value.
  fnv1a_librdkafka: (key, partitions) => Math.abs(fnv1a(key)) % partitions,
};

/** The partition of a key in a topic of so many. */
export function partitionOfKey(key: Uint8Array, partitions: number, partitioner: Partitioner = 'murmur2'): number {
  return places[partitioner](key, partitions);
}

const assigners = new Map(Object.entries(places).map(([name, placeOf]) => [name, assignerBy(placeOf)]));

/** The function that assigns partitions by one family of hashes; the same one each time. */
export function assignerOf(partitioner: Partitioner): AssignPartition {
  return assigners.get(partitioner)!;
}

/**
 * The partition of a message, or -1 when the explicit one is not in the topic: never wrapped, which the client would do
 * in silence. `nextTurn` counts the messages without a key of the topic, for an even round robin.
 */
function assignerBy(placeOf: PlaceOfKey): AssignPartition {
  return (message, partitions, nextTurn) => {
    if (message.partition !== null) return message.partition < partitions ? message.partition : -1;
    if (message.partitionKey !== null) return placeOf(message.partitionKey, partitions);
    return nextTurn() % partitions;
  };
}
