/** Makes topics; those that exist stay as they are. */
import { createTopicsV2, createTopicsV3, createTopicsV4, createTopicsV5, createTopicsV7 } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import { HeadraceError, type DestinationConfig, type TopicCreation } from '../../model/index.ts';
import { classifyCode, type Verdict } from '../classify.ts';
import { brokerSettings } from './limits.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { ApiModule, BrokerConnection } from '../wire/connection.ts';
import { withCluster } from '../wire/open.ts';

export interface NewTopic extends TopicCreation {
  readonly topic: string;
}

/** A topic that the cluster did not make, with what is to be done about it. */
export class TopicNotCreated extends HeadraceError {
  readonly verdict: Verdict;

  constructor(topic: string, verdict: Verdict) {
    super(verdict.code, `The topic ${topic} could not be made: ${verdict.reason}.`, { remedy: verdict.remedy });
    this.verdict = verdict;
  }
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
    return missing.length === 0 ? [] : createMissing(cluster, clock, missing);
  });
}

/** The same for topics known to be missing, through a cluster that is open already. */
export async function createMissing(cluster: Cluster, clock: Clock, topics: readonly NewTopic[]): Promise<string[]> {
  const made = await create(cluster, await withDefaults(cluster, topics));
  await untilReady(cluster, clock, topics);
  return made;
}

const CREATE_TOPICS = 19;
/** From this version on (Kafka 2.4) a broker fills in its own default. */
const KNOWS_DEFAULT = 4;

/** An older broker is asked for its defaults before; 1 where they may not be read. */
async function withDefaults(cluster: Cluster, topics: readonly NewTopic[]): Promise<readonly NewTopic[]> {
  const range = (await cluster.control()).range(CREATE_TOPICS);
  if (
    range === null ||
    range.max >= KNOWS_DEFAULT ||
    topics.every((one) => one.replication !== undefined && one.partitions !== undefined)
  )
    return topics;
  const [id = -1] = cluster.brokers.keys();
  const settings = await brokerSettings(cluster, id, ['default.replication.factor', 'num.partitions']).catch(
    () => null,
  );
  const replication = Number(settings?.get('default.replication.factor')) || 1;
  const partitions = Number(settings?.get('num.partitions')) || 1;
  return topics.map((topic) => ({ partitions, replication, ...topic }));
}

export interface CreateAnswer {
  readonly topic: string;
  readonly errorCode: number;
  /** Why it would not; null: it would, or it is there. */
  readonly verdict: Verdict | null;
}

/** Asks the cluster whether it would make the topics; nothing is made. Throws when no broker answers. */
export async function wouldCreate(cluster: Cluster, topics: readonly NewTopic[]): Promise<CreateAnswer[]> {
  const { topics: answers } = await askController(cluster, await withDefaults(cluster, topics), true);
  return answers.map(({ name, errorCode, errorMessage }) => {
    if (errorCode === 0 || errorCode === ALREADY_EXISTS) return { topic: name, errorCode, verdict: null };
    const topic = topics.find((one) => one.topic === name) ?? { topic: name };
    return { topic: name, errorCode, verdict: whyNot(topic, errorCode, errorMessage, cluster.brokers.size) };
  });
}

async function create(cluster: Cluster, topics: readonly NewTopic[]): Promise<string[]> {
  const answer = await askController(cluster, topics, false);
  const made: string[] = [];
  for (const { name, errorCode, errorMessage } of answer.topics) {
    if (errorCode === 0) made.push(name);
    else if (errorCode !== ALREADY_EXISTS) {
      const topic = topics.find((one) => one.topic === name) ?? { topic: name };
      throw new TopicNotCreated(name, whyNot(topic, errorCode, errorMessage, cluster.brokers.size));
    }
  }
  return made;
}

/** Brokers with ZooKeeper take this at their controller only; newer ones pass it on. */
async function askController(
  cluster: Cluster,
  topics: readonly NewTopic[],
  validateOnly: boolean,
): Promise<CreateResponse> {
  let answer = await ask(await cluster.control(), topics, validateOnly);
  for (const id of cluster.brokers.keys()) {
    if (answer.topics.every((topic) => topic.errorCode !== NOT_CONTROLLER)) break;
    answer = await ask(await cluster.node(id), topics, validateOnly);
  }
  return answer;
}

function ask(
  connection: BrokerConnection,
  topics: readonly NewTopic[],
  validateOnly: boolean,
): Promise<CreateResponse> {
  const requests = topics.map(({ topic, partitions, replication, config = {} }) => ({
    name: topic,
    numPartitions: partitions ?? -1,
    replicationFactor: replication ?? -1,
    assignments: [],
    configs: Object.entries(config).map(([name, value]) => ({ name, value })),
  }));
  return connection.call(modules, requests, TIMEOUT_MS, validateOnly).catch((error: unknown) => {
    const whole = (error as { response?: CreateResponse }).response;
    if (whole === undefined) throw error;
    return whole;
  });
}

async function untilReady(cluster: Cluster, clock: Clock, topics: readonly NewTopic[]): Promise<void> {
  const deadline = clock.monotonic() + READY_WITHIN_MS;
  for (;;) {
    const facts = await Promise.all(topics.map(({ topic }) => cluster.topic(topic, 0, 'look')));
    if (facts.every((topic) => topic.errorCode === 0 && topic.leaders.every((leader) => leader >= 0))) {
      const known = facts.flatMap(({ name, leaders }) => [...new Set(leaders)].map((id) => cluster.knows(id, name)));
      if ((await Promise.all(known)).every(Boolean)) return;
    }
    if (clock.monotonic() > deadline)
      throw new HeadraceError('kafka_unavailable', 'A topic was made but has no leader yet.', {
        remedy: 'Look into the log of the brokers, and try again.',
      });
    await clock.sleep(20);
  }
}

const REFUSALS: Readonly<Record<number, (topic: NewTopic, brokers: number) => string>> = {
  17: () =>
    'Use letters, digits, `.`, `_` and `-`, at most 249; names that differ only in `.` and `_` exclude each other.',
  29: () => 'Grant the principal Create on the topic or the cluster, or create the topic beforehand.',
  31: () => 'Grant the principal Create on the topic or the cluster, or create the topic beforehand.',
  37: () => 'Correct `partitions` under `topics: {create: …}`.',
  38: ({ replication }, brokers) =>
    `${replication === undefined ? "The cluster's default of replicas is more than" : `${replication} replicas are asked for, and`} the cluster has ${brokers} ${brokers === 1 ? 'broker' : 'brokers'}: lower \`replication\` under \`topics: {create: …}\`, or bring the missing brokers back.`,
  40: () => 'Correct `config` under `topics: {create: …}`: names and values are those of Kafka.',
  44: () =>
    'Change `topics: {create: …}` to what the policy of the cluster allows, or have its operators create the topic.',
};

function whyNot(topic: NewTopic, errorCode: number, detail: string | null, brokers: number): Verdict {
  const verdict = classifyCode(errorCode, detail);
  const remedy = REFUSALS[errorCode]?.(topic, brokers);
  return remedy === undefined ? verdict : { ...verdict, remedy };
}
