/** Reads a topic live, all partitions, without a consumer group: what `tail` shows and nobody else notices. */
import { backoffMs, type Backoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { HeadraceError, type DestinationConfig } from '../model/index.ts';
import { classifyCode } from './classify.ts';
import type { Cluster } from './wire/cluster.ts';
import { EARLIEST, LATEST, fetchRecords, listOffsets, type FetchedPartition } from './wire/fetch.ts';
import { clusterError, openCluster } from './wire/open.ts';
import { readBatches, type StoredMessage } from './wire/read-batches.ts';

export interface TailedMessage extends StoredMessage {
  readonly topic: string;
  readonly partition: number;
}

export interface TailStart {
  readonly fromStart: boolean;
  /** Called once it is settled where each partition is read from: what is written after that is seen. */
  readonly ready?: () => void;
}

const MAX_WAIT_MS = 500;
const MAX_BYTES = 1024 * 1024;
const UNKNOWN_TOPIC = 3;
const OFFSET_OUT_OF_RANGE = 1;
/** How soon partitions that were added are noticed. */
const METADATA_MAX_AGE_MS = 5_000;
const retryBackoff: Backoff = { firstMs: 50, maxMs: 1000 };

/**
 * Messages from the start, or from those on that arrive after the first metadata came; in order within a partition.
 * Ends when the signal aborts. Throws HeadraceError when the topic does not exist or no broker answers at the start;
 * later failures (a broker restarts, a leader moves) are waited out.
 */
export async function* tailTopic(
  destination: DestinationConfig,
  clock: Clock,
  topic: string,
  options: TailStart,
  signal: AbortSignal,
): AsyncGenerator<TailedMessage, void, undefined> {
  const cluster = openCluster(destination, clock);
  const tail = new Tail(cluster, clock, topic, signal);
  const stop = (): void => void cluster.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await tail.begin(options.fromStart ? EARLIEST : LATEST);
    options.ready?.();
    while (!signal.aborted) yield* await tail.next();
  } catch (error) {
    if (!signal.aborted) throw clusterError(destination, error);
  } finally {
    signal.removeEventListener('abort', stop);
    await cluster.close();
  }
}

interface Fetched {
  readonly leader: number;
  readonly messages: readonly TailedMessage[];
  /** A partition could not be read at this leader. */
  readonly troubled: boolean;
}

class Tail {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #topic: string;
  readonly #signal: AbortSignal;
  /** The next offset wanted of each partition; null: its start is to be asked for. */
  readonly #positions = new Map<number, bigint | null>();
  /** One fetch under way for each leader. */
  readonly #fetches = new Map<number, Promise<Fetched>>();
  readonly #aborted: Promise<never>;
  #failures = 0;

  constructor(cluster: Cluster, clock: Clock, topic: string, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#topic = topic;
    this.#signal = signal;
    this.#aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('the tail was ended')), { once: true });
    });
    this.#aborted.catch(() => undefined);
  }

  /** Fixes where each partition is read from. */
  async begin(at: bigint): Promise<void> {
    const topic = await this.#cluster.topic(this.#topic, 0);
    if (topic.errorCode !== 0) throw refused(this.#topic, topic.errorCode);
    for (const partition of topic.leaders.keys()) this.#positions.set(partition, null);
    for (;;) {
      try {
        await this.#locate(at);
        return;
      } catch (error) {
        if (this.#signal.aborted || ++this.#failures > 20) throw error;
        await this.#pause();
      }
    }
  }

  /** The messages of whichever leader answers next; none when there is nothing new, or a broker is away. */
  async next(): Promise<readonly TailedMessage[]> {
    try {
      await this.#request();
      if (this.#fetches.size === 0) throw new Error('no partition has a leader');
      const { leader, messages, troubled } = await Promise.race([...this.#fetches.values(), this.#aborted]);
      this.#fetches.delete(leader);
      this.#failures = troubled ? this.#failures + 1 : 0;
      if (troubled && messages.length === 0) await this.#pause();
      return messages;
    } catch (error) {
      if (error instanceof HeadraceError) throw error;
      this.#failures++;
      this.#cluster.forget(this.#topic);
      await this.#pause();
      return [];
    }
  }

  /** A fetch at every leader that has none under way. */
  async #request(): Promise<void> {
    const topic = await this.#cluster.topic(this.#topic, METADATA_MAX_AGE_MS);
    if (topic.errorCode !== 0) throw new Error('the topic is away');
    // A partition that is new now has nothing from before the tail began.
    for (const partition of topic.leaders.keys())
      if (!this.#positions.has(partition)) this.#positions.set(partition, 0n);
    if ([...this.#positions.values()].includes(null)) await this.#locate(EARLIEST);
    for (const [leader, partitions] of byLeader(topic.leaders)) {
      if (this.#fetches.has(leader)) continue;
      const fetch = this.#fetch(leader, partitions);
      fetch.catch(() => this.#fetches.delete(leader));
      this.#fetches.set(leader, fetch);
    }
  }

  async #fetch(leader: number, partitions: readonly number[]): Promise<Fetched> {
    const connection = await this.#cluster.node(leader);
    const positions = partitions.map((partition) => ({ partition, offset: this.#positions.get(partition) ?? 0n }));
    const limits = { maxWaitMs: MAX_WAIT_MS, maxBytes: MAX_BYTES };
    const answers = await fetchRecords(connection, this.#topic, positions, limits);
    const messages: TailedMessage[] = [];
    let troubled = false;
    for (const answer of answers) {
      const from = positions.find(({ partition }) => partition === answer.partition)?.offset;
      // Its position was asked for anew meanwhile: this answer is of before.
      if (from === undefined || this.#positions.get(answer.partition) !== from) continue;
      if (answer.errorCode === 0) messages.push(...this.#read(answer, from));
      else troubled = this.#refused(answer);
    }
    return { leader, messages, troubled };
  }

  #read({ partition, records }: FetchedPartition, from: bigint): TailedMessage[] {
    const { messages, nextOffset } = readBatches(records, from);
    if (nextOffset !== null) this.#positions.set(partition, nextOffset);
    return messages.map((message) => ({ ...message, topic: this.#topic, partition }));
  }

  #refused({ partition, errorCode }: FetchedPartition): true {
    // Deleted by retention, or the topic was made anew: what there is now is read from its start.
    if (errorCode === OFFSET_OUT_OF_RANGE) this.#positions.set(partition, null);
    this.#cluster.forget(this.#topic);
    return true;
  }

  /** Asks the leaders for the offsets of the partitions that have no position. */
  async #locate(at: bigint): Promise<void> {
    const topic = await this.#cluster.topic(this.#topic, METADATA_MAX_AGE_MS);
    for (const [leader, partitions] of byLeader(topic.leaders)) {
      const wanted = partitions.filter((partition) => this.#positions.get(partition) === null);
      if (wanted.length === 0) continue;
      const connection = await this.#cluster.node(leader);
      for (const { partition, errorCode, offset } of await listOffsets(connection, this.#topic, wanted, at)) {
        if (errorCode === 0) this.#positions.set(partition, offset);
      }
    }
    if (![...this.#positions.values()].includes(null)) return;
    this.#cluster.forget(this.#topic);
    throw new Error(`not every partition of ${this.#topic} has a leader`);
  }

  #pause(): Promise<void> {
    return this.#clock.sleep(backoffMs(retryBackoff, Math.max(1, this.#failures)), this.#signal);
  }
}

function byLeader(leaders: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [partition, leader] of leaders.entries()) {
    if (leader < 0) continue;
    const group = groups.get(leader);
    if (group === undefined) groups.set(leader, [partition]);
    else group.push(partition);
  }
  return groups;
}

function refused(topic: string, errorCode: number): HeadraceError {
  const { code, reason, remedy } = classifyCode(errorCode, null);
  if (errorCode !== UNKNOWN_TOPIC) return new HeadraceError(code, `The topic ${topic}: ${reason}.`, { remedy });
  return new HeadraceError('topic_missing', `There is no topic ${topic}, or it may not be seen.`, {
    remedy: 'Correct its name; `headrace topics` lists the topics that there are.',
  });
}
