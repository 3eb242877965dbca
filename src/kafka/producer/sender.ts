/**
 * Sends one partition's batch once and says what became of it: delivery's `Sender` for a real cluster.
 *
 * Built on the client's connections, not on its producer. That one advances its sequence at every call, so the same batch
 * sent again after a lost answer is written twice, and grows its heap with every retry. Here the channel keeps the encoded
 * batch and its sequence until the outcome is known (P1, P2). Batches of several partitions that are ready at the same
 * time share a request to their leader; each is settled by its own partition's answer.
 */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig, Held, Message, TopicCreation } from '../../model/index.ts';
import type { LaneBatch, LaneChannel, Sender, SendResult, TopicFacts, TopicProblem } from '../../delivery/ports.ts';
import { classifyCode, classifyError, type Verdict } from '../classify.ts';
import { createSecurity } from '../security/index.ts';
import { TopicNotCreated, createMissing } from '../topics/create.ts';
import { TopicLimits } from '../topics/limits.ts';
import type { Resolver } from '../wire/addresses.ts';
import { Cluster } from '../wire/cluster.ts';
import type { PartitionAnswer } from '../wire/produce.ts';
import { encodePlainBatch, encodeRecordBatch } from '../wire/record-batch.ts';
import { Identities, type Identity } from './identity.ts';
import { LeaderQueues } from './leader-queues.ts';
import { LeaderWatch } from './leader-watch.ts';
import { messageSizes, requestLimitBytes } from './sizes.ts';

const UNKNOWN_TOPIC = 3;
const NOT_LEADER = 6;
const LAST_SEQUENCE = 2 ** 31 - 1;
const CORRUPT_MESSAGE = 2;
const INVALID_RECORD = 87;
const DUPLICATE_SEQUENCE_NUMBER = 46;
/** Damage on the way does not come three times in a row. */
const DAMAGED_FOR_CERTAIN = 3;
const NOT_CREATED =
  'Create the topic: the cluster was asked to and did not (auto.create.topics.enable is off there, or the credentials may not).';

/** A lane's memory of its producer: kept by delivery, read only here. */
class Channel implements LaneChannel {
  readonly topic: string;
  readonly partition: number;
  identity: Identity | null = null;
  nextSequence = 0;
  /** The batch whose outcome is not known yet, as it was encoded. */
  batch: LaneBatch | null = null;
  records: Buffer | null = null;
  /** How often the broker took it for damaged. */
  damaged = 0;

  readonly beside: boolean;

  constructor(topic: string, partition: number, beside: boolean) {
    this.topic = topic;
    this.partition = partition;
    this.beside = beside;
  }

  /** The outcome of the batch is known. */
  clear(): void {
    this.batch = null;
    this.records = null;
    this.damaged = 0;
  }
}

/** `resolver`: how names of brokers become addresses; the system's when absent. */
export function createSender(destination: DestinationConfig, clock: Clock, resolver?: Resolver): Sender {
  return new KafkaSender(destination, clock, resolver);
}

class KafkaSender implements Sender {
  readonly #destination: DestinationConfig;
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #identities: Identities;
  readonly #limits: TopicLimits;
  readonly #queues: LeaderQueues;
  readonly #watch: LeaderWatch;

  constructor(destination: DestinationConfig, clock: Clock, resolver?: Resolver) {
    const { producer } = destination;
    this.#destination = destination;
    this.#clock = clock;
    this.#cluster = new Cluster(
      {
        brokers: destination.brokers,
        clientId: destination.clientId,
        connectTimeoutMs: producer.connectTimeoutMs,
        connectTimeoutMaxMs: producer.connectTimeoutMaxMs,
        clientDnsLookup: producer.clientDnsLookup,
        maxInFlight: producer.maxInFlight,
        requestTimeoutMs: producer.requestTimeoutMs,
        createTopics: destination.topics.create === 'broker',
        security: createSecurity(destination, clock),
        ...(resolver === undefined ? {} : { resolver }),
      },
      clock,
    );
    this.#identities = new Identities(this.#cluster);
    this.#limits = new TopicLimits(this.#cluster, clock, producer.metadataMaxAgeMs);
    this.#queues = new LeaderQueues(this.#cluster, producer, destination.clientId);
    this.#watch = new LeaderWatch((topic, maxAgeMs) => this.#cluster.topic(topic, maxAgeMs, 'look'), clock);
  }

  async topic(name: string, refresh: boolean, purpose: 'send' | 'look' = 'send'): Promise<TopicFacts | TopicProblem> {
    try {
      let topic = await this.#cluster.topic(name, refresh ? 0 : this.#destination.producer.metadataMaxAgeMs, purpose);
      const { create } = this.#destination.topics;
      if (topic.errorCode === UNKNOWN_TOPIC && typeof create === 'object') {
        if (purpose === 'look') return this.#planned(name, create);
        await createMissing(this.#cluster, this.#clock, [{ topic: name, ...create }]);
        topic = await this.#cluster.topic(name, 0);
      }
      if (topic.errorCode !== 0) return { held: this.#held(classifyCode(topic.errorCode, null), name) };
      return this.#facts(name, topic.leaders.length, await this.#limits.maxMessageBytes(name));
    } catch (error) {
      if (error instanceof TopicNotCreated) return { held: this.#held(error.verdict, name) };
      return { held: this.#held(classifyError(error), name) };
    }
  }

  /** Promise 6: what preview shows of a topic that the first message will make. */
  #planned(name: string, { partitions, config }: TopicCreation): TopicFacts | TopicProblem {
    if (partitions === undefined) return { held: this.#held(classifyCode(UNKNOWN_TOPIC, null), name) };
    const limit = Number(config?.['max.message.bytes'] ?? Number.NaN);
    return { ...this.#facts(name, partitions, Number.isInteger(limit) ? limit : null), planned: true };
  }

  #facts(name: string, partitions: number, maxMessageBytes: number | null): TopicFacts {
    return { partitions, maxMessageBytes, sizes: messageSizes(this.#destination, name, maxMessageBytes) };
  }

  openChannel(topic: string, partition: number, beside = false): LaneChannel {
    return new Channel(topic, partition, beside);
  }

  async send(batch: LaneBatch, laneChannel: LaneChannel): Promise<SendResult> {
    const channel = laneChannel as Channel;
    if (channel.batch !== null && channel.batch !== batch) {
      // The broker would take a different batch under the same sequence for a duplicate and drop it in silence.
      throw new Error(`a batch for ${batch.topic}/${batch.partition} was changed before its outcome was known`);
    }
    channel.batch = batch;
    try {
      if (channel.records === null) await this.#encode(channel, batch);
      if (channel.records!.length > requestLimitBytes(this.#destination, batch.topic)) return tooLarge(channel);
      const leader = await this.#leader(batch.topic, batch.partition);
      if (typeof leader !== 'number') return this.#refused(leader, channel, null);
      const answer = await this.#answerOf(leader, channel);
      if (answer === 'moved') return this.#refused(classifyCode(NOT_LEADER, 'it did not answer'), channel, null);
      return this.#settle(answer, channel, batch.messages);
    } catch (error) {
      return this.#refused(classifyError(error), channel, null);
    }
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  /** Encodes once per batch and identity: what is sent again is the same bytes. */
  async #encode(channel: Channel, batch: LaneBatch): Promise<void> {
    const { idempotence, compression, compressionLevel } = this.#destination.producer;
    const count = batch.messages.length;
    // P20: a sequence ends at 2^31; a fresh identity begins again at 0.
    if (channel.nextSequence + count > LAST_SEQUENCE) channel.identity = null;
    if (idempotence && channel.identity === null) {
      channel.identity = await this.#identities.take(channel.topic, channel.partition);
      channel.nextSequence = 0;
    }
    const stamp = {
      producerId: channel.identity?.producerId ?? -1n,
      producerEpoch: channel.identity?.producerEpoch ?? -1,
      baseSequence: channel.identity === null ? -1 : channel.nextSequence,
    };
    channel.records =
      compression === 'none'
        ? encodePlainBatch(batch.messages, stamp)
        : await encodeRecordBatch(batch.messages, stamp, compression, compressionLevel);
  }

  async #leader(topic: string, partition: number): Promise<number | Verdict> {
    const facts = await this.#cluster.topic(topic, this.#destination.producer.metadataMaxAgeMs);
    if (facts.errorCode !== 0) return classifyCode(facts.errorCode, null);
    const leader = facts.leaders[partition];
    if (leader === undefined) return classifyCode(3, `partition ${partition}`);
    return leader === -1 ? classifyCode(5, null) : leader;
  }

  /**
   * The leader's answer; `moved`: it had given none, and the cluster says that another broker leads now. What it may have
   * written all the same the new leader knows by its sequence; a batch without one waits as long as the request may take.
   */
  #answerOf(leader: number, channel: Channel): Promise<PartitionAnswer | 'moved'> {
    const { topic, partition, beside } = channel;
    const { answer, giveUp } = this.#queues.send(leader, { topic, partition, records: channel.records!, beside });
    if (channel.identity === null) return answer;
    return new Promise((resolve, reject) => {
      const end = this.#watch.begin({ topic, partition, leader }, () => {
        giveUp();
        resolve('moved');
      });
      answer.then(resolve, reject).finally(end);
    });
  }

  #settle(answer: PartitionAnswer, channel: Channel, messages: readonly Message[]): SendResult {
    // A duplicate sequence means an earlier attempt of this very batch was written.
    if (answer.errorCode === 0 || answer.errorCode === DUPLICATE_SEQUENCE_NUMBER) {
      channel.nextSequence += messages.length;
      channel.clear();
      return { state: 'written' };
    }
    if (answer.errorCode === CORRUPT_MESSAGE && ++channel.damaged >= DAMAGED_FOR_CERTAIN) {
      // Before Kafka 2.4 a compacted topic says so of messages without a key: to send them again helps nobody.
      const keyless = [...messages.keys()].filter((index) => messages[index]!.key === null);
      const { code, reason } = classifyCode(INVALID_RECORD, 'told as CORRUPT_MESSAGE');
      if (keyless.length > 0) return clearAndReject(channel, { code, reason, indexes: keyless });
    }
    return this.#refused(classifyCode(answer.errorCode, answer.errorMessage), channel, answer);
  }

  #refused(verdict: Verdict, channel: Channel, answer: PartitionAnswer | null): SendResult {
    if (verdict.stale) this.#cluster.forget(channel.topic);
    if (verdict.identityLost) {
      channel.identity = null;
      channel.records = null;
    }
    if (verdict.action === 'retry') return { state: 'retry', code: verdict.code, reason: verdict.reason };
    if (verdict.action !== 'reject') return { state: 'held', held: this.#held(verdict, channel.topic) };
    channel.clear();
    const indexes =
      answer === null || answer.recordErrors.length === 0 ? null : answer.recordErrors.map((one) => one.index);
    return { state: 'rejected', code: verdict.code, reason: verdict.reason, indexes };
  }

  #held(verdict: Verdict, topic: string): Held {
    const { code, reason } = verdict;
    const action = verdict.action === 'stop' ? 'stop' : verdict.action === 'retry' ? 'wait' : 'park';
    const remedy = code === 'topic_missing' ? missingRemedies(this.#destination.topics.create) : verdict.remedy;
    return { action, code, reason, remedy, topic };
  }
}

function clearAndReject(
  channel: Channel,
  why: Omit<Extract<SendResult, { state: 'rejected' }>, 'state'>,
): Extract<SendResult, { state: 'rejected' }> {
  channel.clear();
  return { state: 'rejected', ...why };
}

/** Certainly not sent: no request may be larger than the setting says. */
function tooLarge(channel: Channel): SendResult {
  const reason = `the batch has ${channel.records!.length} bytes, more than a request takes (max_request_size)`;
  channel.clear();
  return { state: 'rejected', code: 'too_large', reason, indexes: null };
}

function missingRemedies(create: DestinationConfig['topics']['create']): string {
  if (create === 'broker') return NOT_CREATED;
  return create === false
    ? 'Create the topic, correct its name, or let it be made: `topics: {create: {partitions: 6, replication: 3}}` (or `create: broker` where the cluster makes topics by itself).'
    : 'Create the topic, or correct its name: it was to be made and is not there.';
}
