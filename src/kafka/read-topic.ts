/** Reads what lies in a topic, a stretch of one partition at a time, without a consumer group. */
import { backoffMs, type Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { HeadraceError, type DestinationConfig } from '../model/index.ts';
import { classifyCode, classifyError } from './classify.ts';
import type { Cluster, TopicMetadata } from './wire/cluster.ts';
import { EARLIEST, LATEST, fetchRecords, listOffsets } from './wire/fetch.ts';
import { clusterError, openCluster } from './wire/open.ts';
import { readBatches, type StoredMessage } from './wire/read-batches.ts';

/** What one partition holds. */
export interface PartitionExtent {
  readonly partition: number;
  readonly first: bigint;
  /** After the last. */
  readonly end: bigint;
}

export interface TopicExtent {
  /** Another one when the topic is made anew; null: the brokers do not tell. */
  readonly topicId: string | null;
  readonly partitions: readonly PartitionExtent[];
}

export interface Stretch {
  readonly messages: readonly StoredMessage[];
  /** Where to go on. */
  readonly next: bigint;
}

const MAX_WAIT_MS = 500;
const MAX_BYTES = 1024 * 1024;
const UNKNOWN_TOPIC = 3;
const OFFSET_OUT_OF_RANGE = 1;
const METADATA_MAX_AGE_MS = 5_000;
const CONNECT_WITHIN_MS = 5_000;
const backoff: Backoff = { firstMs: 50, maxMs: 1_000 };

/** A reader of one topic; not connected yet. Close it after use. */
export class TopicReader {
  readonly #destination: DestinationConfig;
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #patienceMs: number;

  /** `patienceMs`: how long a broker that is away, or a moved leader, is waited for. */
  constructor(destination: DestinationConfig, clock: Clock, topic: string, patienceMs: number) {
    const { connectTimeoutMs, requestTimeoutMs } = destination.producer;
    this.#destination = destination;
    this.#cluster = openCluster(destination, clock, {
      connectTimeoutMs: Math.min(connectTimeoutMs, CONNECT_WITHIN_MS),
      requestTimeoutMs: Math.min(requestTimeoutMs, Math.max(CONNECT_WITHIN_MS, patienceMs)),
    });
    this.#clock = clock;
    this.#topic = topic;
    this.#patienceMs = patienceMs;
  }

  /** Where each partition begins and ends now. Throws HeadraceError: `topic_missing`, or why it cannot be asked. */
  extent(): Promise<TopicExtent> {
    return this.#patiently(async () => {
      const topic = await this.#metadata(0);
      const found = new Map<number, { first?: bigint; end?: bigint }>();
      for (const [at, bound] of [
        [EARLIEST, 'first'],
        [LATEST, 'end'],
      ] as const) {
        for (const [leader, partitions] of Map.groupBy(topic.leaders.keys(), (one) => topic.leaders[one]!)) {
          const connection = await this.#cluster.node(leader);
          for (const one of await listOffsets(connection, this.#topic, partitions, at)) {
            if (one.errorCode !== 0) throw new Refused(one.errorCode);
            found.set(one.partition, { ...found.get(one.partition), [bound]: one.offset });
          }
        }
      }
      const partitions = [...found].map(([partition, { first = 0n, end = 0n }]) => ({ partition, first, end }));
      return { topicId: topic.id, partitions: partitions.sort((a, b) => a.partition - b.partition) };
    });
  }

  /**
   * Some of the messages with offsets from `from` on and below `end`; read on at `next` until that is `end`. What was
   * deleted meanwhile is passed over. Throws HeadraceError.
   */
  async read(partition: number, from: bigint, end: bigint): Promise<Stretch> {
    return this.#patiently(async () => {
      const topic = await this.#metadata(METADATA_MAX_AGE_MS);
      const connection = await this.#cluster.node(topic.leaders[partition] ?? -1);
      const limits = { maxWaitMs: MAX_WAIT_MS, maxBytes: MAX_BYTES };
      const [answer] = await fetchRecords(connection, this.#topic, [{ partition, offset: from }], limits);
      if (answer === undefined) throw new Error('an answer without the partition');
      if (answer.errorCode === OFFSET_OUT_OF_RANGE) return this.#passDeleted(connection, partition, from, end);
      if (answer.errorCode !== 0) throw new Refused(answer.errorCode);
      const { messages, nextOffset } = readBatches(answer.records, from);
      if (nextOffset === null) throw new Error('nothing came of what should be there');
      return {
        messages: messages.filter(({ offset }) => offset < end),
        next: nextOffset < end ? nextOffset : end,
      };
    });
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }

  async #passDeleted(
    connection: Parameters<typeof listOffsets>[0],
    partition: number,
    from: bigint,
    end: bigint,
  ): Promise<Stretch> {
    const [first] = await listOffsets(connection, this.#topic, [partition], EARLIEST);
    if (first === undefined || first.errorCode !== 0) throw new Error('the start of the partition is not known');
    return { messages: [], next: first.offset > from && first.offset < end ? first.offset : end };
  }

  async #metadata(maxAgeMs: number): Promise<TopicMetadata> {
    const topic = await this.#cluster.topic(this.#topic, maxAgeMs, 'look');
    if (topic.errorCode === UNKNOWN_TOPIC) {
      throw new HeadraceError('topic_missing', `There is no topic ${this.#topic}, or it may not be seen.`, {
        remedy: 'Create it, or allow this login to describe and read it.',
      });
    }
    if (topic.errorCode !== 0) throw new Refused(topic.errorCode);
    if (topic.leaders.some((leader) => leader < 0)) throw new Error('not every partition has a leader');
    return topic;
  }

  /** Again while it may help: a moved leader, a broker that restarts. */
  async #patiently<T>(task: () => Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonic();
    for (let failures = 1; ; failures++) {
      try {
        return await task();
      } catch (error) {
        if (error instanceof HeadraceError) throw error;
        const known = error instanceof Refused ? classifyCode(error.errorCode, null) : null;
        const pauseMs = backoffMs(backoff, failures);
        const late = this.#clock.monotonic() - startedMs + pauseMs >= this.#patienceMs;
        if (known !== null && (late || known.action === 'park' || known.action === 'stop'))
          throw new HeadraceError(known.code, `The topic ${this.#topic}: ${known.reason}.`, { remedy: known.remedy });
        if (late || (known === null && classifyError(error).action === 'stop'))
          throw clusterError(this.#destination, error);
        this.#cluster.forget(this.#topic);
        await this.#clock.sleep(pauseMs);
      }
    }
  }
}

/** A broker's refusal of one partition or topic. */
class Refused extends Error {
  readonly errorCode: number;

  constructor(errorCode: number) {
    super(`error ${errorCode}`);
    this.errorCode = errorCode;
  }
}
