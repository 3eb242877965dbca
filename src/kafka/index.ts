/** The only room that imports a Kafka client. */
export { createSender } from './producer/sender.ts';
export { assignPartition, partitionOfKey } from './partitioner.ts';
