/**
 * A lane: one partition of one destination. Batches leave it in order, one in flight (Promise 3).
 *
 * States of the batch in flight:
 *   sent → written                       every message delivered
 *   sent → retry or held → sent ...      the same batch, same messages, same sequence, until the outcome is known (P2)
 *   sent → rejected                      certainly not written: the channel is retired, the poison is found, the rest goes
 *                                        on in its order under a fresh channel (P7)
 * A batch is never changed while its outcome is unknown: the broker would take the changed one for a duplicate and drop it.
 */
import type { Clock } from '../../base/clock.ts';
import { DELIVERED, type Held, type Rejection } from '../../model/index.ts';
import { faultOfComputedTopic, heldMs, Holds, type Entry, type Ledger } from '../entry.ts';
import type { DeliveryObserver } from '../observer.ts';
import type { LaneBatch, LaneChannel, MessageOwner, Sender, SendResult } from '../ports.ts';
import { EntryQueue } from './queue.ts';

/** `gone`: the topic was made anew without this partition. */
type KnownResult = Extract<SendResult, { state: 'written' | 'rejected' }> | { readonly state: 'gone' };

export interface LaneContext {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly observer: DeliveryObserver;
  readonly lingerMs: number;
  /** How often the number of partitions is looked at. */
  readonly metadataMaxAgeMs: number;
  readonly batchMessages: number;
  /** Bytes of a batch: the setting, or the topic's own limit where that is less. */
  batchBytes(): number;
  /** Whether the topic has this partition no longer, by what the cluster says now. */
  gone(partition: number): Promise<boolean>;
  /** Takes entries whose partition is gone; they get another one, or are rejected. */
  giveBack(entries: readonly Entry[]): void;
  /** +1 when an attempt failed for now, -1 when the batch is answered after all. */
  readonly troubled: (change: 1 | -1) => void;
  /** Aborted when the destination is closed for good. */
  readonly closing: AbortSignal;
}

export class Lane {
  readonly topic: string;
  readonly partition: number;
  readonly #context: LaneContext;
  readonly #queue = new EntryQueue();
  #channel: LaneChannel;
  #inFlight: readonly Entry[] = [];
  #busy = false;
  readonly #holds = new Holds();
  /** Why the last attempt at the batch in flight failed. */
  #held: Held | null = null;
  #idleWaiters: (() => void)[] = [];

  constructor(topic: string, partition: number, context: LaneContext) {
    this.topic = topic;
    this.partition = partition;
    this.#context = context;
    this.#channel = context.sender.openChannel(topic, partition);
  }

  get idle(): boolean {
    return !this.#busy && this.#queue.length === 0;
  }

  /** Queues only; `pump` sends. */
  push(entry: Entry): void {
    this.#queue.push(entry);
  }

  /** Sends what waits unless a batch is in flight already. */
  pump(): void {
    if (this.#queue.length === 0) return;
    if (this.#busy) {
      // Refused, and not tried again for a while: who comes now need not wait for that to learn why.
      if (this.#held?.action === 'stop') this.#holds.tell([...this.#queue], this.#held);
      return;
    }
    this.#busy = true;
    void this.#run();
  }

  /** Takes back what is not in a send under way. */
  takeBack(matches: (owner: MessageOwner) => boolean): Entry[] {
    return this.#queue.remove(matches);
  }

  /** Resolves when nothing waits and nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  async #run(): Promise<void> {
    const { clock, closing, lingerMs, batchMessages } = this.#context;
    while (this.#queue.length > 0 && !closing.aborted) {
      if (lingerMs > 0 && this.#queue.length < batchMessages) await clock.sleep(lingerMs, closing);
      const entries = this.#queue.cut(batchMessages, this.#context.batchBytes());
      if (entries.length > 0) await this.#deliver(entries);
    }
    this.#busy = false;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Returns when every entry is settled, or when the destination closes. */
  async #deliver(entries: readonly Entry[]): Promise<void> {
    this.#inFlight = entries;
    const batch: LaneBatch = {
      topic: this.topic,
      partition: this.partition,
      messages: entries.map((entry) => entry.message),
    };
    const result = await this.#sendUntilKnown(batch, entries);
    if (result === null) return;
    if (result.state === 'written') {
      for (const entry of entries) this.#context.ledger.settle(entry, DELIVERED);
      return;
    }
    // The batch is given up or changed: what follows must not look like a repetition of it.
    this.#channel = this.#context.sender.openChannel(this.topic, this.partition);
    if (result.state === 'gone') this.#context.giveBack([...entries, ...this.#queue.remove(() => true)]);
    else await this.#isolate(entries, result);
  }

  /** The same batch again and again; null when the destination closes first. */
  async #sendUntilKnown(batch: LaneBatch, entries: readonly Entry[]): Promise<KnownResult | null> {
    const { clock, closing, troubled } = this.#context;
    let known = await this.#attempt(batch, entries, 1);
    if (known !== null) return known;
    troubled(1);
    for (let attempt = 1; known === null && !closing.aborted; attempt++) {
      await clock.sleep(heldMs(this.#held!, attempt), closing);
      if (!closing.aborted) known = await this.#attempt(batch, entries, attempt + 1);
    }
    troubled(-1);
    return known;
  }

  /** One attempt; null while the outcome is not known. */
  async #attempt(batch: LaneBatch, entries: readonly Entry[], attempt: number): Promise<KnownResult | null> {
    const { sender, clock, observer } = this.#context;
    const startedMs = clock.monotonic();
    const result = await sender.send(batch, this.#channel);
    observer.attempted(batch, result, clock.monotonic() - startedMs);
    if (result.state === 'written' || result.state === 'rejected') {
      this.#held = null;
      this.#holds.clear(() => this.#present());
      return result;
    }
    const held = heldOf(result, this.topic);
    this.#held = held;
    // A topic just created, or a leader just moved, looks wrong for a moment: only what lasts is told.
    const lasting = attempt >= LASTING_AFTER_ATTEMPTS;
    if (lasting && faultOfComputedTopic(held)) {
      const indexes = [...entries.keys()].filter((index) => entries[index]!.options.computedTopic);
      // Those of a sync that names the topic itself wait on.
      if (indexes.length > 0) return { state: 'rejected', code: held.code, reason: held.reason, indexes };
    }
    if (held.code === 'topic_missing' && (await this.#context.gone(this.partition))) return { state: 'gone' };
    if (lasting || held.action === 'stop') this.#holds.tell(this.#present(), held);
    return null;
  }

  #present(): readonly Entry[] {
    return [...this.#inFlight, ...this.#queue];
  }

  /** Rejects the messages that cannot be taken and delivers the others, in their order. */
  async #isolate(entries: readonly Entry[], result: Extract<KnownResult, { state: 'rejected' }>): Promise<void> {
    const outcome: Rejection = { state: 'rejected', code: result.code, reason: result.reason };
    if (entries.length === 1) {
      this.#context.ledger.settle(entries[0]!, outcome);
      return;
    }
    const poison = new Set(result.indexes ?? []);
    if (poison.size === 0) {
      const middle = entries.length >> 1;
      await this.#deliver(entries.slice(0, middle));
      await this.#deliver(entries.slice(middle));
      return;
    }
    const rest: Entry[] = [];
    for (let index = 0; index < entries.length; index++) {
      if (poison.has(index)) this.#context.ledger.settle(entries[index]!, outcome);
      else rest.push(entries[index]!);
    }
    if (rest.length > 0) await this.#deliver(rest);
  }
}

/** About 1.5 seconds of attempts. */
const LASTING_AFTER_ATTEMPTS = 5;

function heldOf(result: Extract<SendResult, { state: 'retry' | 'held' }>, topic: string): Held {
  if (result.state === 'held') return result.held;
  return { action: 'wait', code: result.code, reason: result.reason, remedy: '', topic };
}
