/** Makes topics; those that exist stay as they are. */
import { createTopicsV2, createTopicsV3, createTopicsV4, createTopicsV5, createTopicsV7 } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import { HeadraceError, type DestinationConfig } from '../../model/index.ts';
import { classifyCode } from '../classify.ts';
import { brokerSettings } from './limits.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { ApiModule, BrokerConnection } from '../wire/connection.ts';
import { withCluster } from '../wire/open.ts';

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Absent: the cluster's own default. */
  readonly replication?: number;
  /** Kafka's own names, e.g. `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
}

interface CreateResponse {
  readonly topics: readonly {
    readonly name: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}
type CreateArgs = [topics: object[], timeoutMs: number, validateOnly: boolean];
const modules = [
  createTopicsV7,
  createTopicsV5,
  createTopicsV4,
  createTopicsV3,
  createTopicsV2,
] as unknown as readonly ApiModule<CreateArgs, CreateResponse>[];

const ALREADY_EXISTS = 36;
const NOT_CONTROLLER = 41;
const TIMEOUT_MS = 5_000;
const READY_WITHIN_MS = 10_000;

/**
 * Resolves with the names of those that were made, once every partition of all of them has a leader. Throws
 * HeadraceError.
 */
export function createTopics(
  destination: DestinationConfig,
  clock: Clock,
  topics: readonly NewTopic[],
): Promise<string[]> {
  return withCluster(destination, clock, async (cluster) => {
    const existing = new Set((await cluster.allTopics()).map((topic) => topic.name));
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length === 0) return [];
    const made = await create(cluster, await withReplication(cluster, missing));
    await untilReady(cluster, clock, missing);
    return made;
  });
}

const CREATE_TOPICS = 19;
/** From this version on (Kafka 2.4) a broker fills in its own default. */
const KNOWS_DEFAULT = 4;

/** An older broker is asked for its default before; 1 where it may not be read. */
async function withReplication(cluster: Cluster, topics: readonly NewTopic[]): Promise<readonly NewTopic[]> {
  const range = (await cluster.control()).range(CREATE_TOPICS);
  if (range === null || range.max >= KNOWS_DEFAULT || topics.every((one) => one.replication !== undefined))
    return topics;
  const name = 'default.replication.factor';
  const [id = -1] = cluster.brokers.keys();
  const settings = await brokerSettings(cluster, id, [name]).catch(() => null);
  const replication = Number(settings?.get(name)) || 1;
  return topics.map((topic) => ({ replication, ...topic }));
}

/** Brokers with ZooKeeper take this at their controller only; newer ones pass it on. */
async function create(cluster: Cluster, topics: readonly NewTopic[]): Promise<string[]> {
  let answer = await ask(await cluster.control(), topics);
  for (const id of cluster.brokers.keys()) {
    if (answer.topics.every((topic) => topic.errorCode !== NOT_CONTROLLER)) break;
    answer = await ask(await cluster.node(id), topics);
  }
  const made: string[] = [];
  for (const { name, errorCode, errorMessage } of answer.topics) {
    if (errorCode === 0) made.push(name);
    else if (errorCode !== ALREADY_EXISTS) throw refused(name, errorCode, errorMessage);
  }
  return made;
}

function ask(connection: BrokerConnection, topics: readonly NewTopic[]): Promise<CreateResponse> {
  const requests = topics.map(({ topic, partitions, replication, config = {} }) => ({
    name: topic,
    numPartitions: partitions,
    replicationFactor: replication ?? -1,
    assignments: [],
    configs: Object.entries(config).map(([name, value]) => ({ name, value })),
  }));
  return connection.call(modules, requests, TIMEOUT_MS, false).catch((error: unknown) => {
    const whole = (error as { response?: CreateResponse }).response;
    if (whole === undefined) throw error;
    return whole;
  });
}

async function untilReady(cluster: Cluster, clock: Clock, topics: readonly NewTopic[]): Promise<void> {
  const deadline = clock.monotonic() + READY_WITHIN_MS;
  for (;;) {
    const facts = await Promise.all(topics.map(({ topic }) => cluster.topic(topic, 0)));
    if (facts.every((topic) => topic.errorCode === 0 && topic.leaders.every((leader) => leader >= 0))) return;
    if (clock.monotonic() > deadline)
      throw new HeadraceError('kafka_unavailable', 'A topic was made but has no leader yet.', {
        remedy: 'Look into the log of the brokers, and try again.',
      });
    await clock.sleep(20);
  }
}

function refused(topic: string, errorCode: number, detail: string | null): HeadraceError {
  const { code, reason, remedy } = classifyCode(errorCode, detail);
  return new HeadraceError(code, `The topic ${topic} could not be made: ${reason}.`, { remedy });
}
