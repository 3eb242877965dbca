/** The only room that imports a Kafka client. */
export { createSender } from './producer/sender.ts';
export { assignerOf, partitionOfKey } from './partitioner.ts';
export { checkDestination } from './doctor/check.ts';
export { createTopics } from './topics/create.ts';
export { listTopics } from './topics/list.ts';
export { tailTopic } from './tail.ts';
export { TopicReader, type PartitionExtent, type TopicExtent } from './read-topic.ts';
