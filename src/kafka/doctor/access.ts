/** What the credentials may do with the topics of the syncs: see, write, create, write idempotently. Nothing is written. */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import { classifyCode, classifyError } from '../classify.ts';
import { Identities } from '../producer/identity.ts';
import { wouldCreate } from '../topics/create.ts';
import { brokerSettings } from '../topics/limits.ts';
import type { ListedTopic } from '../topics/list.ts';
import type { Cluster } from '../wire/cluster.ts';
import {
  isFlexibleProduce,
  PRODUCE_KEY,
  PRODUCE_VERSIONS,
  readProduceResponse,
  writeProduceRequest,
} from '../wire/produce.ts';
import { encodePlainBatch } from '../wire/record-batch.ts';
import { StepFailure } from './report.ts';

const UNKNOWN_TOPIC = 3;
const INVALID_TOPIC = 17;
const TOPIC_DENIED = 29;
const CLUSTER_DENIED = 31;
const IDENTITY_WITHIN_MS = 2_000;
/** A partition that no topic has. */
const NO_PARTITION = 2 ** 31 - 1;
const NAMED_AT_MOST = 5;
/** Kafka's own defaults differ by this: brokers count the head of a batch that clients leave out. */
const BATCH_OVERHEAD_BYTES = 12;

export interface TopicsFound {
  readonly detail: string;
  readonly present: readonly string[];
  /** They are not there, and are to be made when the first message comes. */
  readonly missing: readonly string[];
  readonly warnings: readonly string[];
}

/** Whether the topics that will be written to are there, or will be. Throws StepFailure. */
export async function findTopics(
  cluster: Cluster,
  destination: DestinationConfig,
  wanted: readonly string[],
  listed: readonly ListedTopic[],
): Promise<TopicsFound> {
  const codes = await Promise.all(
    wanted.map(async (topic) => ({ topic, code: (await cluster.topic(topic, 0, 'look')).errorCode })),
  );
  const having = (code: number): string[] => codes.filter((one) => one.code === code).map(({ topic }) => topic);
  const refused = codes.find(({ code }) => ![0, UNKNOWN_TOPIC, TOPIC_DENIED, INVALID_TOPIC].includes(code));
  if (refused !== undefined) {
    const { reason, remedy } = classifyCode(refused.code, null);
    throw new StepFailure(`topic ${refused.topic}: ${reason}`, remedy);
  }
  const unseen = having(TOPIC_DENIED);
  if (unseen.length > 0)
    throw new StepFailure(
      `the credentials may not see ${names(unseen)} (TOPIC_AUTHORIZATION_FAILED)`,
      'Grant the principal the ACL operations Describe and Write on it (Write brings Describe along); or the topic does not exist.',
    );
  const invalid = having(INVALID_TOPIC);
  if (invalid.length > 0)
    throw new StepFailure(
      `Kafka refuses the name of ${names(invalid)}`,
      'Use letters, digits, `.`, `_` and `-`, at most 249 of them.',
    );
  const missing = having(UNKNOWN_TOPIC);
  const present = having(0);
  if (missing.length > 0) await mayAppear(cluster, destination, missing);
  const facts = listed.filter(({ topic }) => present.includes(topic));
  return { detail: described(facts, present, missing), present, missing, warnings: contradictions(facts, destination) };
}

/** Throws StepFailure when topics that are not there will not be made either. */
async function mayAppear(cluster: Cluster, destination: DestinationConfig, missing: readonly string[]): Promise<void> {
  const { create } = destination.topics;
  const verb = missing.length === 1 ? 'does' : 'do';
  const given = `${names(missing)} ${verb} not exist`;
  if (create === false)
    throw new StepFailure(
      given,
      'Create it, correct its name, or let it be made: `topics: {create: broker}` by the cluster itself, `topics: {create: {partitions: …, replication: …}}` by Headrace.',
    );
  if (create !== 'broker') return;
  const name = 'auto.create.topics.enable';
  const [id = -1] = cluster.brokers.keys();
  const settings = await brokerSettings(cluster, id, [name]).catch(() => null);
  if (settings?.get(name) === 'false')
    throw new StepFailure(
      `${given}, and the cluster does not make topics by itself (${name} is false on broker ${id})`,
      `Create it beforehand, switch ${name} on at the brokers, or set \`topics: {create: {partitions: …}}\`.`,
    );
}

/** Whether the credentials may write to the topics, and make those that are missing; what they may. Throws StepFailure. */
export async function tryWriting(
  cluster: Cluster,
  destination: DestinationConfig,
  { present, missing }: Pick<TopicsFound, 'present' | 'missing'>,
  clock: Clock,
): Promise<string> {
  const found: string[] = [];
  const denied = await deniedTopics(cluster, present, clock);
  if (denied.length > 0)
    throw new StepFailure(
      `the credentials may see but not write to ${names(denied)} (TOPIC_AUTHORIZATION_FAILED)`,
      'Grant the principal the ACL operation Write on it.',
    );
  if (present.length > 0) found.push(`may write to ${names(present)}`);
  if (missing.length > 0) found.push(await tryCreating(cluster, destination, missing));
  if (destination.producer.idempotence) {
    await tryIdempotence(cluster, clock);
    found.push('may write idempotently');
  }
  return found.join('; ');
}

/**
 * Brokers look at the permission before the partition: a batch for a partition that does not exist tells it without a
 * message being written, on every version of Kafka.
 */
async function deniedTopics(cluster: Cluster, topics: readonly string[], clock: Clock): Promise<string[]> {
  if (topics.length === 0) return [];
  const connection = await cluster.control();
  const version = connection.version(PRODUCE_KEY, PRODUCE_VERSIONS);
  if (version === null) return [];
  const stamp = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
  const data = topics.map((topic) => {
    const bytes = { partitionKey: null, key: Buffer.from('headrace'), value: Buffer.from('check'), headers: [] };
    const message = { topic, partition: NO_PARTITION, timestampMs: clock.now(), ...bytes };
    return { topic, partition: NO_PARTITION, records: encodePlainBatch([message], stamp), beside: false };
  });
  const { answers } = await connection.request(
    PRODUCE_KEY,
    version,
    writeProduceRequest(version, -1, 1000, data),
    (reader) => readProduceResponse(version, reader),
    isFlexibleProduce(version),
  );
  return answers.filter(({ errorCode }) => errorCode === TOPIC_DENIED).map(({ topic }) => topic);
}

async function tryCreating(
  cluster: Cluster,
  destination: DestinationConfig,
  missing: readonly string[],
): Promise<string> {
  const { create } = destination.topics;
  const settings = typeof create === 'object' ? create : {};
  const answers = await wouldCreate(
    cluster,
    missing.map((topic) => ({ topic, ...settings })),
  );
  const refused = answers.find(({ verdict }) => verdict !== null);
  if (refused === undefined) return `may create ${names(missing)}`;
  if (refused.errorCode === TOPIC_DENIED || refused.errorCode === CLUSTER_DENIED)
    throw new StepFailure(
      `${refused.topic} does not exist, and the credentials may not create it`,
      'Create it beforehand, or grant the principal the ACL operation Create on the topic (or on the cluster).',
    );
  const { reason, remedy } = refused.verdict!;
  throw new StepFailure(`${refused.topic} cannot be created: ${reason}`, remedy);
}

/** A cluster that has just started does not give out identities at once. */
async function tryIdempotence(cluster: Cluster, clock: Clock): Promise<void> {
  const endMs = clock.monotonic() + IDENTITY_WITHIN_MS;
  for (;;) {
    try {
      await new Identities(cluster).take('', 0);
      return;
    } catch (error) {
      const { action, reason, remedy } = classifyError(error);
      if (action !== 'retry' || clock.monotonic() > endMs) throw new StepFailure(reason, remedy);
      await clock.sleep(100);
    }
  }
}

function described(facts: readonly ListedTopic[], present: readonly string[], missing: readonly string[]): string {
  const shown = facts.slice(0, NAMED_AT_MOST).map(topicText);
  if (facts.length > shown.length) shown.push(`${facts.length - shown.length} more`);
  if (facts.length === 0 && present.length > 0) shown.push(`${names(present)} there, limits not told`);
  if (missing.length > 0) shown.push(`${names(missing)} not there yet: made with the first message`);
  return shown.join('; ');
}

function topicText({ topic, partitions, replication, maxMessageBytes, cleanupPolicy }: ListedTopic): string {
  const limit = maxMessageBytes === null ? 'limits not told' : `messages up to ${maxMessageBytes} bytes`;
  const count = partitions === 1 ? '1 partition' : `${partitions} partitions`;
  return `${topic}: ${count}, replication ${replication}, ${limit}${cleanupPolicy === null ? '' : `, ${cleanupPolicy}`}`;
}

/** What the topic takes and what the destination sends at most do not go together. */
function contradictions(facts: readonly ListedTopic[], { producer }: DestinationConfig): string[] {
  return facts.flatMap(({ topic, maxMessageBytes }) =>
    maxMessageBytes !== null && maxMessageBytes - BATCH_OVERHEAD_BYTES > producer.maxRequestBytes
      ? [
          `Topic ${topic} takes messages up to ${maxMessageBytes} bytes, but max_request_size is ${producer.maxRequestBytes}: larger ones are rejected here.`,
        ]
      : [],
  );
}

function names(topics: readonly string[]): string {
  const shown = topics.slice(0, NAMED_AT_MOST).join(', ');
  const more = topics.length - NAMED_AT_MOST;
  return `${topics.length === 1 ? 'topic' : 'topics'} ${shown}${more > 0 ? ` and ${more} more` : ''}`;
}
