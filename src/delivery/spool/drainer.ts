/**
 * Hands what is spooled to the lanes: reads on while they have room, in the order of the sequences for each topic, and begins
 * again further back where a topic that was passed by may go on.
 */
import type { Clock } from '../../base/clock.ts';
import { afterTurn } from '../../base/turn.ts';
import { messageBytes } from '../../model/index.ts';
import type { Delivery } from '../delivery.ts';
import type { Frame } from './frame.ts';
import type { ReadPosition } from './log-reader.ts';
import type { Log } from './log.ts';
import type { SpoolOptions } from './ports.ts';
import type { ProgressKeeper } from './progress-keeper.ts';
import type { Releases } from './releases.ts';
import type { Handed, TopicQueue } from './topic-queue.ts';

/** Of spooled messages in the lanes. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const WINDOW_MESSAGES = 20_000;
const READ_BYTES = 512 * 1024;
const TRY_AGAIN_MS = 1_000;

export interface DrainerTools {
  readonly options: SpoolOptions;
  readonly log: Log;
  readonly keeper: ProgressKeeper;
  readonly releases: Releases;
  readonly queues: ReadonlyMap<string, TopicQueue>;
  /** Handed to the log and not flushed: they can be sent from memory. */
  readonly unflushed: ReadonlySet<Frame>;
  /** Below, all is done of topics without a queue. */
  readonly base: number;
  /** What an earlier process left ends here; until it is read, any topic may have messages in it. */
  readonly leftEnd: number;
  /** The queue of a topic, made when there is none. */
  readonly queue: (topic: string) => TopicQueue;
  /** It has handed on what it could for now. */
  readonly handedOn: () => void;
}

export class Drainer {
  readonly #tools: DrainerTools;
  readonly #clock: Clock;
  readonly base: number;
  readonly leftEnd: number;
  /** Everything below has been read once. */
  readUpTo: number;
  /** Null: nothing is handed on. */
  delivery: Delivery | null = null;
  /** In the lanes. */
  handedMessages = 0;
  #handedBytes = 0;
  #position: ReadPosition;
  #positionSequence: number;
  #reading = false;
  #planned = false;
  #closed = false;

  constructor(tools: DrainerTools) {
    this.#tools = tools;
    this.#clock = tools.options.clock;
    this.base = tools.base;
    this.leftEnd = tools.leftEnd;
    this.readUpTo = tools.base;
    this.#positionSequence = Math.min(tools.base, ...[...tools.queues.values()].map(({ next }) => next));
    this.#position = tools.log.positionOf(this.#positionSequence);
  }

  /** Whether there may be more of what an earlier process left than is known. */
  get leftUnread(): boolean {
    return this.readUpTo < this.leftEnd;
  }

  /** Nothing more is handed on. */
  close(): void {
    this.#closed = true;
  }

  plan(): void {
    if (this.#planned || this.#closed) return;
    this.#planned = true;
    afterTurn(() => void this.#pump());
  }

  /** Whether the lanes have room for more. */
  get mayHand(): boolean {
    return (
      !this.#closed &&
      this.delivery !== null &&
      this.#handedBytes < WINDOW_BYTES &&
      this.handedMessages < WINDOW_MESSAGES &&
      !this.delivery.full
    );
  }

  /** Notes that a message is in the lanes. */
  hand(queue: TopicQueue, sequence: number, handed: Handed): Handed {
    this.handedMessages++;
    this.#handedBytes += messageBytes(handed.message);
    return queue.handed(sequence, handed);
  }

  /** It came back from the lanes unsent. */
  takeBack(queue: TopicQueue, sequence: number): void {
    const handed = queue.inLanes.get(sequence);
    if (handed === undefined) return;
    this.leaves(handed);
    queue.takenBack(sequence);
  }

  /** It has its outcome. */
  leaves({ message }: Handed): void {
    this.handedMessages--;
    this.#handedBytes -= messageBytes(message);
  }

  /** All of a topic that are in no send. */
  takeBackWaiting(queue: TopicQueue): void {
    const taken = this.delivery?.takeBack(queue.topic, (owner) => owner === queue) ?? [];
    for (const { index } of taken) this.takeBack(queue, index);
  }

  /** Reads on and hands to the lanes while there is room there. */
  async #pump(): Promise<void> {
    this.#planned = false;
    if (this.#reading) return;
    this.#reading = true;
    try {
      this.#rewind();
      while (this.mayHand && this.#somethingToRead()) await this.#readOn();
      // From memory, so that a topic with new messages all the time can be direct again.
      if (this.mayHand && !this.#somethingToRead()) this.#handUnflushed();
    } catch (error) {
      this.#tools.options.warned(`The spool could not be read: ${(error as Error).message}; it is tried again.`);
      this.#clock.after(TRY_AGAIN_MS, () => this.plan(), { unref: true });
    } finally {
      this.#reading = false;
    }
    this.#tools.handedOn();
  }

  #somethingToRead(): boolean {
    const flushed = this.#tools.log.flushedSequence;
    if (this.#positionSequence >= flushed) return false;
    if (this.leftUnread) return true;
    return this.#tools.queues.values().some((queue) => this.#mayGoOn(queue) && queue.next < flushed);
  }

  /** A topic that is blocked tries one message at a time; one with much done above what is not waits for that. */
  #mayGoOn(queue: TopicQueue): boolean {
    if (queue.allHanded || this.#tools.releases.holdBack(queue) || queue.doneAbove >= WINDOW_MESSAGES * 2) return false;
    return queue.blocked === null || queue.inLanes.size === 0;
  }

  async #readOn(): Promise<void> {
    const from = this.#position;
    const { frames, next } = await this.#tools.log.read(from, READ_BYTES);
    // Set back meanwhile: what was read is not what comes next.
    if (this.#position !== from || this.delivery === null || this.#closed) return;
    for (const frame of frames) this.#handFrame(frame);
    const last = frames.at(-1);
    this.#position = next;
    const end = last === undefined ? this.#tools.log.flushedSequence : last.firstSequence + last.messages.length;
    this.#positionSequence = Math.max(this.#positionSequence, end);
    this.#reached(end);
    this.readUpTo = Math.max(this.readUpTo, end);
    this.#rewind();
  }

  /** What is not found up to here is not there: it was refused, or it is damaged and told. */
  #reached(end: number): void {
    for (const queue of this.#tools.queues.values()) {
      if (queue.passedOver || queue.next >= end) continue;
      queue.next = end;
      this.#tools.keeper.touch();
    }
  }

  #handUnflushed(): void {
    for (const frame of this.#tools.unflushed)
      if (this.mayHand) this.#handFrame(frame, this.#tools.log.flushedSequence);
  }

  /** `unreadBelow`: what is below may be on the disk, unread. */
  #handFrame({ firstSequence, acceptedAtMs, messages }: Frame, unreadBelow = 0): void {
    for (const [at, item] of messages.entries()) {
      const sequence = firstSequence + at;
      const queue = this.#tools.queues.get(item.message.topic) ?? this.#leftQueue(item.message.topic, sequence);
      if (queue === null || queue.passedOver || !queue.wants(sequence)) continue;
      if (queue.next < unreadBelow || !this.#mayGoOn(queue)) {
        queue.passOver(acceptedAtMs);
        continue;
      }
      queue.next = sequence + 1;
      queue.unreadSinceMs = acceptedAtMs;
      const handed = this.hand(queue, sequence, { ...item, acceptedAtMs, atMs: this.#clock.monotonic() });
      if (this.#tools.releases.concerns(queue)) this.#tools.releases.add(queue, sequence, handed);
      else this.delivery!.accept(item.message, queue, sequence, this.#tools.options.route(item.route));
    }
  }

  /** Messages of a topic without a queue are done, unless an earlier process left them. */
  #leftQueue(topic: string, sequence: number): TopicQueue | null {
    return sequence >= this.base && sequence < this.leftEnd && sequence >= this.readUpTo
      ? this.#tools.queue(topic)
      : null;
  }

  /** Reading begins again at the first message that has to be handed on and is behind the reader. */
  #rewind(): void {
    let first = this.#positionSequence;
    for (const queue of this.#tools.queues.values()) {
      if (!queue.passedOver || !this.#mayGoOn(queue)) continue;
      queue.passedOver = false;
      first = Math.min(first, queue.next);
    }
    if (first === this.#positionSequence) return;
    this.#positionSequence = first;
    this.#position = { ...this.#tools.log.positionOf(first) };
  }
}
