/** The Kafka of `npm start` and `headrace kafka start`: one broker on 127.0.0.1:9092, its data in the given folder. */
import { join } from 'node:path';
import { endRecorded, readRecord } from './cluster-record.ts';
import { KAFKA_VERSION } from './java.ts';
import { startKafka, type RunningKafka } from './kafka.ts';
import { LOOPBACK } from './ports.ts';
import { liveBrokers } from './probe.ts';
import { isAlive } from './processes.ts';

export const LOCAL_KAFKA_PORT = 9092;

export interface LocalKafkaOptions {
  /** e.g. `data/kafka`. */
  readonly folder: string;
  /** The folder that holds `kafka/<version>/`; the checkout's `.cache` unless given. */
  readonly cache?: string;
  /** 9092 unless given. */
  readonly port?: number;
  /** It goes on after this process has ended, until `stopLocalKafka`. */
  readonly stays?: boolean;
}

export interface LocalKafkaStatus {
  readonly state: 'running' | 'not answering' | 'stopped';
  /** `host:port`; null when stopped. */
  readonly bootstrap: string | null;
  readonly pid: number | null;
}

/**
 * Starts it, or takes over the one that serves the folder already. Throws LocalKafkaError when the port is taken, when
 * Java or the jars are missing, or when it does not start; message and remedy are for people.
 */
export function startLocalKafka(options: LocalKafkaOptions): Promise<RunningKafka> {
  const { folder, cache, port = LOCAL_KAFKA_PORT, stays = false } = options;
  const jars = cache === undefined ? {} : { jars: join(cache, 'kafka', KAFKA_VERSION) };
  // For trying things out: a destination with `topics: {create: broker}` gets its topics.
  const properties = { 'auto.create.topics.enable': 'true', 'num.partitions': '3' };
  return startKafka({ folder, ...jars, ports: [port], stays, heap: '1g', properties });
}

/** True when one ran and was stopped. Its data stay. */
export async function stopLocalKafka(folder: string): Promise<boolean> {
  return (await endRecorded(folder)) > 0;
}

export async function localKafkaStatus(folder: string): Promise<LocalKafkaStatus> {
  const node = readRecord(folder)?.nodes[0];
  if (!node?.process || !isAlive(node.process)) return { state: 'stopped', bootstrap: null, pid: null };
  const answers = (await liveBrokers(node.port)).includes(node.id);
  const state = answers ? 'running' : 'not answering';
  return { state, bootstrap: `${LOOPBACK}:${node.port}`, pid: node.process.pid };
}
