/**
 * Delivery to one destination: messages in, exactly one outcome each out (Promise 4), memory bounded (Promise 9).
 *
 * Handing in is synchronous and cheap; what arrives in one turn of the event loop is sent together.
 */
import type { Clock } from '../base/clock.ts';
import { afterTurn } from '../base/turn.ts';
import { WITHDRAWN, messageBytes, type Message, type Outcome } from '../model/index.ts';
import type { Entry, IntakeOptions, Ledger } from './entry.ts';
import { silentObserver, type DeliveryObserver } from './observer.ts';
import type { MessageOwner, Sender } from './ports.ts';
import { TopicLanes } from './topic-lanes.ts';

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
}

export interface CloseOptions {
  readonly troubledGraceMs?: number;
  readonly answerMs?: number;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #topics = new Map<string, TopicLanes>();
  readonly #closing = new AbortController();
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
    const entry: Entry = { message, owner, index, bytes: messageBytes(message), options };
    this.#bytes += entry.bytes;
    this.#messages++;
    this.#topic(message.topic).accept(entry);
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

  /** Resolves when every message has its outcome, or when the destination closes. */
  async whenIdle(): Promise<void> {
    for (const topic of this.#topics.values()) await topic.whenIdle();
  }

  /**
   * Waits up to `graceMs` for what is pending (up to `troubledGraceMs` while nothing can be sent), takes back what is in no
   * send, waits up to `answerMs` more for what is in one, then closes. Returns how many messages were left without an
   * outcome: those in a send whose answer never came.
   */
  async close(graceMs: number, { troubledGraceMs = graceMs, answerMs = 0 }: CloseOptions = {}): Promise<number> {
    const done = new AbortController();
    void this.whenIdle().then(() => done.abort());
    await this.#waitFor(done.signal, () => (this.#troubled > 0 ? troubledGraceMs : graceMs));
    this.withdraw(() => true);
    if (this.#messages > 0) await this.#waitFor(done.signal, () => answerMs);
    const left = this.#messages;
    this.#closing.abort();
    this.#wakeAll();
    await this.#options.sender.close();
    return left;
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

  #topic(name: string): TopicLanes {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const { sender, clock, lingerMs, metadataMaxAgeMs, batchMessages, batchBytes, observer } = this.#options;
      const troubled = (change: 1 | -1): void => void (this.#troubled += change);
      const context = {
        sender,
        troubled,
        clock,
        lingerMs,
        metadataMaxAgeMs,
        batchMessages,
        ledger: this.#ledger,
        observer: observer ?? silentObserver,
        closing: this.#closing.signal,
      };
      topic = new TopicLanes(name, context, batchBytes);
      this.#topics.set(name, topic);
    }
    return topic;
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
    // A little below the limit, so that sources wake for more than one message.
    if (this.#roomWaiters.length > 0 && this.#bytes < this.#options.bufferMemoryBytes * 0.75) this.#wakeAll();
  }

  #wakeAll(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
