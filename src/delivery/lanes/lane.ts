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
import { failpoint } from '../../base/failpoint.ts';
import type { Backoff } from '../../base/backoff.ts';
import { DELIVERED, messageBytes, type Held, type Rejection } from '../../model/index.ts';
import { faultOfComputedTopic, heldMs, Holds, isUnreachable, parked, type Entry, type Ledger } from '../entry.ts';
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
  /** What is tried longer or more often than this waits for a person; it is tried on all the same. */
  readonly patience: { readonly retries: number; readonly deliveryTimeoutMs: number; readonly maxBlockMs: number };
  readonly backoff: Backoff;
  readonly batchMessages: number;
  /** Bytes of a batch: the setting, or the topic's own limit where that is less. */
  batchBytes(): number;
  /** Whether the topic has this partition no longer, by what the cluster says now. */
  gone(partition: number): Promise<boolean>;
  /** Takes entries whose partition is gone; they get another one in their order, or are rejected. */
  giveBack(entries: readonly Entry[]): void;
  /** +1 when an attempt failed for now, -1 when the batch is answered after all. */
  readonly troubled: (change: 1 | -1) => void;
  /** A broker answered where none could be reached before. */
  readonly reached: () => void;
  /** Aborted when the destination is closed for good. */
  readonly closing: AbortSignal;
  /** Aborted when nothing is to wait for company any more. */
  readonly hurry: AbortSignal;
}

export class Lane {
  readonly topic: string;
  readonly partition: number;
  readonly #context: LaneContext;
  readonly #queue: EntryQueue;
  /** When what waits began to wait, and what ends the wait early. Only with a linger. */
  #waitingSinceMs = 0;
  #lingering: AbortController | null = null;
  readonly #beside: boolean;
  #channel: LaneChannel;
  #inFlight: readonly Entry[] = [];
  /** Cut from the queue together, of which the batch in flight may be a part; by sequence, those that left. */
  #cut: readonly Entry[] = [];
  readonly #left = new Set<number>();
  #abandoned = false;
  #busy = false;
  /** Of the batch in flight, or the last one. */
  #attempts = 0;
  /** An answer to the batch in flight was lost: until it is known it must not be changed (Promise 5). */
  #mayBeWritten = false;
  readonly #holds = new Holds();
  /** Why the last attempt at the batch in flight failed. */
  #held: Held | null = null;
  /** It failed because no broker answered. */
  #unreachable = false;
  #idleWaiters: (() => void)[] = [];
  /** Ends the wait before the next attempt. */
  #waiting: AbortController | null = null;

  /** With a queue that is shared with other lanes of the partition, their messages have no order. */
  constructor(topic: string, partition: number, context: LaneContext, shared?: EntryQueue) {
    this.#queue = shared ?? new EntryQueue();
    this.#beside = shared !== undefined;
    this.topic = topic;
    this.partition = partition;
    this.#context = context;
    this.#channel = context.sender.openChannel(topic, partition, this.#beside);
  }

  get idle(): boolean {
    return !this.#busy && this.#queue.length === 0;
  }

  /** Queues only; `pump` sends. */
  push(entry: Entry): void {
    if (this.#context.lingerMs === 0) {
      this.#queue.push(entry);
      return;
    }
    if (this.#queue.length === 0) this.#waitingSinceMs = this.#context.clock.monotonic();
    this.#queue.push(entry);
    if (this.#lingering !== null && this.#fills()) this.#lingering.abort();
  }

  /** Sends what waits unless a batch is in flight already. */
  pump(): void {
    if (this.#queue.length === 0) {
      // Another lane has taken what waited in the queue they share.
      if (!this.#busy) this.#tellIdle();
      return;
    }
    if (this.#busy) {
      // Refused, and not tried again for a while: who comes now need not wait for that to learn why.
      if (this.#held?.action === 'stop') this.#holds.tell(this.#queue.owners(), this.#held);
      return;
    }
    this.#busy = true;
    void this.#run();
  }

  /** Takes back what is not in a send under way. */
  takeBack(matches: (owner: MessageOwner) => boolean): Entry[] {
    return this.#queue.remove(matches);
  }

  /** The destination is closed: those that have no outcome, of which this lane tells nothing more. */
  abandon(): Entry[] {
    const entries = this.#abandoned ? [] : this.#cut.filter(({ sequence }) => !this.#left.has(sequence));
    this.#abandoned = true;
    return entries;
  }

  /** The batch in flight is tried again at once. */
  hurry(): void {
    this.#waiting?.abort();
  }

  /** Brokers can be reached again: who waits for that tries now. */
  reached(): void {
    if (this.#unreachable) this.hurry();
  }

  /** Resolves when nothing waits and nothing is in flight. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  async #run(): Promise<void> {
    const { clock, closing, lingerMs, batchMessages } = this.#context;
    while (this.#queue.length > 0 && !closing.aborted) {
      if (lingerMs > 0) await this.#linger();
      const entries = this.#queue.cut(batchMessages, this.#context.batchBytes());
      if (lingerMs > 0) this.#waitingSinceMs = clock.monotonic();
      if (entries.length === 0) continue;
      this.#cut = entries;
      await this.#deliver(entries);
      this.#cut = [];
      if (this.#left.size > 0) this.#left.clear();
    }
    this.#busy = false;
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#idleWaiters.length === 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Until the oldest message has waited long enough, or a batch is full. */
  async #linger(): Promise<void> {
    const { clock, hurry, lingerMs } = this.#context;
    const leftMs = this.#waitingSinceMs + lingerMs - clock.monotonic();
    if (leftMs <= 0 || hurry.aborted || this.#fills()) return;
    this.#lingering = new AbortController();
    await clock.sleep(leftMs, AbortSignal.any([hurry, this.#lingering.signal]));
    this.#lingering = null;
  }

  #fills(): boolean {
    const first = this.#queue.first();
    if (first === undefined) return false;
    const messages = Math.min(this.#context.batchMessages, first.options.batchMessages);
    const bytes = Math.min(this.#context.batchBytes(), first.options.batchBytes);
    return this.#queue.length >= messages || this.#queue.bytes >= bytes;
  }

  /** Returns when every entry is settled, or when the destination closes. */
  async #deliver(entries: readonly Entry[], sentBefore = 0): Promise<void> {
    if (this.#abandoned) return;
    this.#inFlight = entries;
    this.#mayBeWritten = false;
    const batch: LaneBatch = {
      topic: this.topic,
      partition: this.partition,
      messages: entries.map((entry) => entry.message),
    };
    const result = await this.#sendUntilKnown(batch, entries);
    if (result === null || this.#abandoned) return;
    if (result.state === 'written') {
      this.#inFlight = [];
      if (entries === this.#cut) this.#cut = [];
      else for (const { sequence } of entries) this.#left.add(sequence);
      for (const entry of entries) this.#context.ledger.settle(entry, DELIVERED);
      return;
    }
    // The batch is given up or changed: what follows must not look like a repetition of it.
    this.#channel = this.#context.sender.openChannel(this.topic, this.partition, this.#beside);
    if (result.state === 'gone') {
      for (const { sequence } of entries) this.#left.add(sequence);
      this.#context.giveBack([...entries, ...this.#queue.remove(() => true)]);
    } else await this.#isolate(entries, result, sentBefore + this.#attempts);
  }

  /** The same batch again and again; null when the destination closes first. */
  async #sendUntilKnown(batch: LaneBatch, entries: readonly Entry[]): Promise<KnownResult | null> {
    const { clock, closing, troubled, reached, backoff } = this.#context;
    const startedMs = clock.monotonic();
    let known = await this.#attempt(batch, entries, 1, startedMs);
    if (known !== null) return known;
    troubled(1);
    // Of the present trouble: when brokers answer again, what their start takes is not waited for as their absence was.
    let tries = 1;
    for (let attempt = 1; known === null && !closing.aborted; attempt++) {
      this.#waiting = new AbortController();
      const waitMs = heldMs(this.#held!, tries++, backoff, this.#unreachable);
      await clock.sleep(waitMs, AbortSignal.any([closing, this.#waiting.signal]));
      this.#waiting = null;
      if (closing.aborted) break;
      const before = this.#unreachable;
      known = await this.#attempt(batch, entries, attempt + 1, startedMs);
      if (!before || this.#unreachable) continue;
      tries = 1;
      reached();
    }
    troubled(-1);
    return known;
  }

  /** One attempt; null while the outcome is not known. */
  async #attempt(
    batch: LaneBatch,
    entries: readonly Entry[],
    attempt: number,
    sinceMs: number,
  ): Promise<KnownResult | null> {
    const { sender, clock, observer } = this.#context;
    const startedMs = clock.monotonic();
    this.#attempts = attempt;
    failpoint('send.before');
    const result = await sender.send(batch, this.#channel);
    failpoint('send.after');
    observer.attempted(batch, result, clock.monotonic() - startedMs);
    this.#unreachable = result.state === 'retry' && isUnreachable(result);
    if (result.state === 'written' || result.state === 'rejected') {
      this.#held = null;
      this.#holds.clear(() => this.#present());
      return result;
    }
    this.#mayBeWritten ||= result.state === 'retry';
    const held = this.#patient(heldOf(result, this.topic), attempt, clock.monotonic() - sinceMs);
    this.#held = held;
    // A topic just created, or a leader just moved, looks wrong for a moment: only what lasts is told.
    const lasting = attempt >= LASTING_AFTER_ATTEMPTS;
    if (lasting || held.action === 'stop' || held.code === 'delivery_timeout') {
      const indexes = [...entries.keys()].filter((index) => rejects(entries[index]!, held, this.#mayBeWritten));
      // Those of a sync that names the topic itself wait on.
      if (indexes.length > 0) return { state: 'rejected', code: held.code, reason: held.reason, indexes };
    }
    if (held.code === 'topic_missing' && (await this.#context.gone(this.partition))) return { state: 'gone' };
    if (lasting || held.action === 'stop' || held.code === 'delivery_timeout') this.#holds.tell(this.#present(), held);
    return null;
  }

  /**
   * Promise 3, Promise 4: a try that lasts too long ends for who waits for it, never for the message: whether it is
   * written is not known, so nothing newer may go before it.
   */
  #patient(held: Held, attempt: number, triedMs: number): Held {
    const { retries, deliveryTimeoutMs } = this.#context.patience;
    if (held.action !== 'wait') return held;
    if (triedMs >= deliveryTimeoutMs) return parked(held, `within ${deliveryTimeoutMs} ms`);
    return attempt > retries ? parked(held, `in ${attempt} attempts`) : held;
  }

  /** Whose messages wait or are in flight. */
  #present(): ReadonlySet<MessageOwner> {
    const owners = this.#queue.owners();
    for (const { owner } of this.#inFlight) owners.add(owner);
    return owners;
  }

  /** Rejects the messages that cannot be taken and delivers the others, in their order. */
  async #isolate(
    entries: readonly Entry[],
    result: Extract<KnownResult, { state: 'rejected' }>,
    attempts: number,
  ): Promise<void> {
    const { code, reason } = result;
    const outcome: Rejection = { state: 'rejected', code, reason, partition: this.partition, attempts };
    if (entries.length === 1) {
      const smaller = smallerEntry(entries[0]!, result);
      if (smaller === null) this.#reject(entries[0]!, outcome);
      else await this.#deliver([smaller], attempts);
      return;
    }
    const poison = new Set(result.indexes ?? []);
    if (poison.size === 0) {
      const middle = entries.length >> 1;
      await this.#deliver(entries.slice(0, middle), attempts);
      await this.#deliver(entries.slice(middle), attempts);
      return;
    }
    const rest: Entry[] = [];
    for (let index = 0; index < entries.length; index++) {
      if (poison.has(index)) this.#reject(entries[index]!, outcome);
      else rest.push(entries[index]!);
    }
    if (rest.length > 0) await this.#deliver(rest, attempts);
  }

  #reject(entry: Entry, outcome: Rejection): void {
    this.#left.add(entry.sequence);
    this.#context.ledger.settle(entry, outcome);
  }
}

/** The broker's limit is lower than was known: half as long, and half again, until it fits or nothing can be cut. */
function smallerEntry(entry: Entry, { code }: Extract<KnownResult, { state: 'rejected' }>): Entry | null {
  const { message, options } = entry;
  if (code !== 'too_large' || options.shrink === undefined) return null;
  const targetBytes = messageBytes(message) >> 1;
  const smaller = options.shrink(message, (candidate) => messageBytes(candidate) - targetBytes);
  return smaller === null ? null : { ...entry, message: smaller };
}

/** What is held is this message's own fault, or its owner has another place for it. */
function rejects({ options }: Entry, held: Held, mayBeWritten: boolean): boolean {
  if (options.heldIsRejected === true && held.action !== 'wait' && !mayBeWritten) return true;
  return options.computedTopic && faultOfComputedTopic(held);
}

/** About 1.5 seconds of attempts. */
const LASTING_AFTER_ATTEMPTS = 5;

function heldOf(result: Extract<SendResult, { state: 'retry' | 'held' }>, topic: string): Held {
  if (result.state === 'held') return result.held;
  return { action: 'wait', code: result.code, reason: result.reason, remedy: '', topic };
}
