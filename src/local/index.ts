/** What front doors and tests use of the local Kafka. */
export { LocalKafkaError, type LocalKafkaErrorCode } from './errors.ts';
export { startKafka, type KafkaNode, type KafkaOptions, type RunningKafka } from './kafka.ts';
export {
  LOCAL_KAFKA_PORT,
  localKafkaStatus,
  startLocalKafka,
  stopLocalKafka,
  type LocalKafkaOptions,
  type LocalKafkaStatus,
} from './local-kafka.ts';
export type { ListenerOptions } from './properties.ts';
