/**
 * Delivery to one destination: messages in, exactly one outcome each out (Promise 4), memory bounded (Promise 9).
 *
 * Handing in is synchronous and cheap; what arrives in one turn of the event loop is sent together.
 */
import { deliveryBackoff } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { afterTurn } from '../base/turn.ts';
import { UNANSWERED, WITHDRAWN, messageBytes, type Message, type Outcome } from '../model/index.ts';
import type { Entry, IntakeOptions, Ledger } from './entry.ts';
import { silentObserver, type DeliveryObserver } from './observer.ts';
import type { MessageOwner, Sender } from './ports.ts';
import { TopicLanes, type TopicContext } from './topic-lanes.ts';

export interface DeliveryOptions {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly observer?: DeliveryObserver;
  readonly lingerMs: number;
  /** How often the number of partitions of a topic is looked at. */
  readonly metadataMaxAgeMs: number;
  readonly batchBytes: number;
  readonly batchMessages: number;
  /** Bytes that may wait or be in flight; beyond, `full` is true and sources wait. */
  readonly bufferMemoryBytes: number;
  /** Batches of one partition under way at once where order is given up; 1 when absent. */
  readonly maxInFlight?: number;
  /** Tries of one batch beyond the first, and their time, after which its owners are told to wait for a person. */
  readonly retries?: number;
  readonly deliveryTimeoutMs?: number;
  /** The same for a topic whose partitions are not known. */
  readonly maxBlockMs?: number;
  readonly retryBackoffMs?: number;
  readonly retryBackoffMaxMs?: number;
  /** P12: how many different topics computed from records may be in use. */
  readonly maxComputedTopics?: number;
}

export interface CloseOptions {
  readonly troubledGraceMs?: number;
  readonly answerMs?: number;
  /** Ends the waiting early. */
  readonly hurry?: AbortSignal;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #topics = new Map<string, TopicLanes>();
  readonly #closing = new AbortController();
  /** Aborted when nothing more is to wait for company. */
  readonly #hurry = new AbortController();
  readonly #computedTopics = new Set<string>();
  #sequence = 0;
  readonly #ledger: Ledger = { settle: (entry, outcome) => this.#settle(entry, outcome) };
  #bytes = 0;
  #messages = 0;
  /** Lanes whose last attempt failed. */
  #troubled = 0;
  #pumpPlanned = false;
  #roomWaiters: (() => void)[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Bytes and messages without an outcome yet. */
  get pending(): { readonly bytes: number; readonly messages: number } {
    return { bytes: this.#bytes, messages: this.#messages };
  }

  /** Promise 9: a source that sees this waits for `whenRoom` before it reads on. */
  get full(): boolean {
    return this.#bytes >= this.#options.bufferMemoryBytes;
  }

  /** Resolves when there is room again, or when the destination closes. */
  whenRoom(): Promise<void> {
    if (!this.full || this.#closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /**
   * Takes a message. The owner is told its outcome once, under the index given, possibly before this returns.
   * Messages of one topic and key keep the order in which they are handed in (Promise 3).
   */
  accept(message: Message, owner: MessageOwner, index: number, options: IntakeOptions): void {
    const entry: Entry = { message, owner, index, bytes: messageBytes(message), options, sequence: this.#sequence++ };
    this.#bytes += entry.bytes;
    this.#messages++;
    if (this.#closing.signal.aborted) {
      this.#settle(entry, WITHDRAWN);
      return;
    }
    const topic = this.#topics.get(message.topic) ?? this.#openTopic(message.topic, options.computedTopic);
    if (topic === null) {
      this.#settle(entry, this.#tooManyTopics(message.topic));
      return;
    }
    topic.accept(entry);
    this.#planPump();
  }

  /**
   * Takes back what is not yet in a send under way; each gets the outcome `withdrawn`. Returns how many. What is under
   * way stays: it may be in Kafka already, and only its answer can tell.
   */
  withdraw(matches: (owner: MessageOwner) => boolean): number {
    let count = 0;
    for (const topic of this.#topics.values()) {
      for (const entry of topic.takeBack(matches)) {
        this.#settle(entry, WITHDRAWN);
        count++;
      }
    }
    return count;
  }

  /** Like `withdraw`, for one topic or (null) all, but nobody is told: the caller has them now, in the order of each lane. */
  takeBack(topic: string | null, matches: (owner: MessageOwner) => boolean): Entry[] {
    const taken: Entry[] = [];
    for (const one of this.#topics.values())
      if (topic === null || one.name === topic) taken.push(...one.takeBack(matches));
    for (const { bytes } of taken) this.#bytes -= bytes;
    this.#messages -= taken.length;
    this.#mayWake();
    return taken;
  }

  /** Resolves when every message has its outcome, or when the destination closes. */
  async whenIdle(): Promise<void> {
    for (const topic of this.#topics.values()) await topic.whenIdle();
  }

  /**
   * Waits up to `graceMs` for what is pending (up to `troubledGraceMs` while nothing can be sent), takes back what is in no
   * send, waits up to `answerMs` more for what is in one, then closes. Returns how many messages were in a send whose answer
   * never came and are not on the disk: their owners are told so.
   */
  async close(graceMs: number, options: CloseOptions = {}): Promise<number> {
    const { troubledGraceMs = graceMs, answerMs = 0, hurry } = options;
    this.#hurry.abort();
    const done = new AbortController();
    void this.whenIdle().then(() => done.abort());
    const within = (limitMs: number): number => (hurry?.aborted === true ? 0 : limitMs);
    await this.#waitFor(done.signal, () => within(this.#troubled > 0 ? troubledGraceMs : graceMs));
    this.withdraw(() => true);
    if (this.#messages > 0) await this.#waitFor(done.signal, () => within(answerMs));
    const left = this.#end();
    this.#wakeAll();
    await this.#options.sender.close();
    return left;
  }

  /** Promise 4: whoever waits for a message is told, though its answer will not come. */
  #end(): number {
    this.#closing.abort();
    const unanswered = [...this.#topics.values()].flatMap((topic) => topic.abandon());
    const lost = unanswered.filter(({ owner, index }) => owner.isSafe?.(index) !== true).length;
    for (const entry of unanswered) this.#settle(entry, UNANSWERED);
    // Those that came meanwhile.
    this.withdraw(() => true);
    return lost;
  }

  /** Until the signal, or until the limit, which may change meanwhile. */
  async #waitFor(done: AbortSignal, limitMs: () => number): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.monotonic();
    while (!done.aborted) {
      const leftMs = startedMs + limitMs() - clock.monotonic();
      if (leftMs <= 0) return;
      await clock.sleep(Math.min(leftMs, 100), done);
    }
  }

  /** Null when there are too many already: a mapping that makes a topic of every record must not fill the cluster. */
  #openTopic(name: string, computed: boolean): TopicLanes | null {
    if (computed) {
      if (this.#computedTopics.size >= (this.#options.maxComputedTopics ?? Infinity)) return null;
      this.#computedTopics.add(name);
    }
    const topic = new TopicLanes(name, this.#topicContext(), this.#options.batchBytes);
    this.#topics.set(name, topic);
    return topic;
  }

  #topicContext(): TopicContext {
    const options = this.#options;
    return {
      sender: options.sender,
      clock: options.clock,
      lingerMs: options.lingerMs,
      metadataMaxAgeMs: options.metadataMaxAgeMs,
      batchMessages: options.batchMessages,
      maxInFlight: options.maxInFlight ?? 1,
      patience: {
        retries: options.retries ?? Infinity,
        deliveryTimeoutMs: options.deliveryTimeoutMs ?? Infinity,
        maxBlockMs: options.maxBlockMs ?? Infinity,
      },
      backoff: {
        firstMs: options.retryBackoffMs ?? deliveryBackoff.firstMs,
        maxMs: options.retryBackoffMaxMs ?? deliveryBackoff.maxMs,
      },
      ledger: this.#ledger,
      observer: options.observer ?? silentObserver,
      troubled: (change) => void (this.#troubled += change),
      reached: () => {
        for (const topic of this.#topics.values()) topic.reachable();
      },
      closing: this.#closing.signal,
      hurry: this.#hurry.signal,
      unused: (topic) => this.#forget(topic),
    };
  }

  /** P12: names that turn out to be missing take no room. */
  #forget(topic: TopicLanes): void {
    if (this.#topics.get(topic.name) !== topic || !topic.idle) return;
    this.#topics.delete(topic.name);
    this.#computedTopics.delete(topic.name);
  }

  #tooManyTopics(topic: string): Outcome {
    const reason = `topic ${topic}: ${this.#computedTopics.size} topics computed from records are in use already (topics.max_computed)`;
    return { state: 'rejected', code: 'too_many_topics', reason };
  }

  #planPump(): void {
    if (this.#pumpPlanned) return;
    this.#pumpPlanned = true;
    afterTurn(() => {
      this.#pumpPlanned = false;
      for (const topic of this.#topics.values()) topic.pump();
    });
  }

  #settle(entry: Entry, outcome: Outcome): void {
    this.#bytes -= entry.bytes;
    this.#messages--;
    entry.owner.settled(entry.index, outcome);
    this.#mayWake();
  }

  #mayWake(): void {
    // A little below the limit, so that sources wake for more than one message.
    if (this.#roomWaiters.length > 0 && this.#bytes < this.#options.bufferMemoryBytes * 0.75) this.#wakeAll();
  }

  #wakeAll(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
