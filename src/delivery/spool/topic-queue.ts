/**
 * The spooled messages of one topic: which are in the lanes, which are done, which are still on the disk only.
 *
 * They are handed to the lanes in the order of their sequences. `next` is the first that has not been handed; those that
 * come back from the lanes unsent set it back.
 */
import type { Held, Message, Outcome, Rejection } from '../../model/index.ts';
import type { MessageOwner } from '../ports.ts';
import type { Progress } from './progress.ts';

/** A message in the lanes. */
export interface Handed {
  readonly message: Message;
  readonly route: string;
  readonly position: string;
  readonly acceptedAtMs: number;
  /** Monotonic. */
  readonly atMs: number;
}

export interface QueueEvents {
  delivered(queue: TopicQueue, handed: Handed): void;
  /** `done` is to be called when the dead letter is stored. */
  rejected(queue: TopicQueue, handed: Handed, rejection: Rejection, done: () => void): void;
  held(queue: TopicQueue, held: Held | null): void;
  /** A message is done: it will never be sent again. */
  done(queue: TopicQueue, handed: Handed): void;
  /** A message came back unsent: `takenBack` is to be called for it. */
  withdrawn(queue: TopicQueue, sequence: number): void;
}

/** In the lanes longer than this without an outcome: the way is not open. */
const FLOWING_WITHIN_MS = 100;

export class TopicQueue implements MessageOwner {
  readonly topic: string;
  readonly #events: QueueEvents;
  /** Without an outcome. */
  readonly inLanes = new Map<number, Handed>();
  /** Done, above the cursor. */
  readonly #done = new Set<number>();
  next: number;
  /** The last sequence that may be on the disk. */
  last: number;
  /** New messages of the topic go to the disk; false: to the lanes, behind those of this queue. */
  spooling = true;
  /** It cannot go on: at most one message of it is tried at a time, the others do not hold up other topics. */
  blocked: Held | 'stalled' | null = null;
  /** The reader has gone past its `next`: it has to be set back before the topic can go on. */
  passedOver = false;
  /** Since it is spooled, one was delivered: the way is open. */
  flows = false;
  /** When the oldest that is on the disk only was accepted; epoch milliseconds. */
  unreadSinceMs: number | null = null;

  constructor(topic: string, events: QueueEvents, next: number, last: number, done: readonly number[] = []) {
    this.topic = topic;
    this.#events = events;
    this.next = next;
    this.last = last;
    for (let i = 0; i + 1 < done.length; i += 2)
      for (let sequence = done[i]!; sequence < done[i + 1]!; sequence++) this.#done.add(sequence);
  }

  /** Nothing of it is on the disk only. */
  get allHanded(): boolean {
    return this.next > this.last;
  }

  get idle(): boolean {
    return this.allHanded && this.inLanes.size === 0;
  }

  /** Every message of the topic below has its outcome; `end` when that is so for all. */
  cursor(end: number): number {
    let cursor = this.allHanded ? end : this.next;
    for (const sequence of this.inLanes.keys()) if (sequence < cursor) cursor = sequence;
    for (const sequence of this.#done) if (sequence < cursor) this.#done.delete(sequence);
    return cursor;
  }

  /** Done above the cursor: pairs of the first and the one after the last. */
  doneRanges(): number[] {
    const ranges: number[] = [];
    for (const sequence of [...this.#done].sort((a, b) => a - b)) {
      if (ranges.at(-1) === sequence) ranges[ranges.length - 1] = sequence + 1;
      else ranges.push(sequence, sequence + 1);
    }
    return ranges;
  }

  get doneAbove(): number {
    return this.#done.size;
  }

  /** Whether the reader has to hand it on now. */
  wants(sequence: number): boolean {
    return sequence >= this.next && !this.inLanes.has(sequence) && !this.#done.has(sequence);
  }

  handed(sequence: number, handed: Handed): Handed {
    this.inLanes.set(sequence, handed);
    return handed;
  }

  /** Promise 1: `next` stays where it is, since nothing from there on was handed. */
  passOver(acceptedAtMs: number): void {
    this.passedOver = true;
    this.unreadSinceMs ??= acceptedAtMs;
  }

  /** It came back unsent, or its lane is gone: it will be read and handed on again. */
  takenBack(sequence: number): void {
    const handed = this.inLanes.get(sequence);
    if (handed === undefined) return;
    this.inLanes.delete(sequence);
    if (sequence < this.next) this.next = sequence;
    if (sequence > this.last) this.last = sequence;
    this.passedOver = true;
    // Promise 3: what is new stands behind it on the disk.
    this.spooling = true;
    if (this.unreadSinceMs === null || handed.acceptedAtMs < this.unreadSinceMs)
      this.unreadSinceMs = handed.acceptedAtMs;
  }

  /** When the oldest in the lanes was handed; null: there is none. */
  get oldestHandedMs(): number | null {
    for (const { atMs } of this.inLanes.values()) return atMs;
    return null;
  }

  /** The lanes take what they are given: new messages may stand behind it there. */
  isFlowing(nowMs: number): boolean {
    const oldestMs = this.oldestHandedMs;
    return oldestMs === null || (this.flows && nowMs - oldestMs < FLOWING_WITHIN_MS);
  }

  /** Epoch milliseconds; null: nothing waits. */
  get oldestAcceptedMs(): number | null {
    let oldest = this.allHanded ? null : this.unreadSinceMs;
    for (const { acceptedAtMs } of this.inLanes.values()) {
      if (oldest === null || acceptedAtMs < oldest) oldest = acceptedAtMs;
      break;
    }
    return oldest;
  }

  /** `index` is the sequence. */
  settled(index: number, outcome: Outcome): void {
    const handed = this.inLanes.get(index);
    if (handed === undefined) return;
    if (outcome.state === 'withdrawn') {
      this.#events.withdrawn(this, index);
      return;
    }
    if (outcome.state === 'rejected') {
      this.#events.rejected(this, handed, outcome, () => this.#finish(index));
      return;
    }
    this.flows = true;
    this.#events.delivered(this, handed);
    this.#finish(index);
  }

  /** A record of a parked sync: it is safe elsewhere. */
  released(sequence: number): void {
    this.blocked = null;
    this.#finish(sequence);
  }

  isSafe(): boolean {
    return true;
  }

  held(held: Held | null): void {
    this.#events.held(this, held);
  }

  #finish(sequence: number): void {
    const handed = this.inLanes.get(sequence);
    if (handed === undefined) return;
    this.inLanes.delete(sequence);
    this.#done.add(sequence);
    this.#events.done(this, handed);
  }
}

/** What is done of topics that are not idle, to be saved; `removable`: below, no segment is needed. */
export function progressOf(
  queues: readonly TopicQueue[],
  { base, pending, end }: Omit<Progress, 'topics'>,
): { readonly progress: Progress; readonly removable: number } {
  const topics = Object.fromEntries(
    queues.map((queue) => [queue.topic, { cursor: queue.cursor(base), done: queue.doneRanges() }]),
  );
  const removable = Math.min(base, ...Object.values(topics).map(({ cursor }) => cursor));
  return { progress: { base, topics, pending, end }, removable };
}
