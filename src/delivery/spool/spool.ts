/**
 * The spool of one destination: takes messages while Kafka cannot, and hands them on in order when it can.
 *
 * A topic is either *direct* (messages go to the lanes, the disk is not touched) or *spooling*: new messages go to the disk,
 * behind those that are there. It begins to spool when messages wait too long, when the lanes are full or the topic is held:
 *   1. what is in no send is taken back from the lanes and written to the disk, request by request in their order;
 *   2. what is in a send is written too, and keeps its place in the lane: its outcome marks it done. So nothing is sent
 *      twice in the life of this process (Promise 5), and nothing is only in memory;
 *   3. from then on new messages stand behind (Promise 3).
 * It is direct again when everything on the disk has been handed to the lanes and the lanes flow: what is new stands behind
 * it there.
 */
import type { Clock } from '../../base/clock.ts';
import { afterTurn } from '../../base/turn.ts';
import { WITHDRAWN, type Held } from '../../model/index.ts';
import type { Delivery } from '../delivery.ts';
import { Drainer } from './drainer.ts';
import { encodeFrame, type Frame, type SpooledMessage } from './frame.ts';
import { Log } from './log.ts';
import type { SpoolOptions, SpoolOwner, SpoolStatus } from './ports.ts';
import { ProgressKeeper } from './progress-keeper.ts';
import { SpoolRefusal } from './refusal.ts';
import { Rejections } from './rejections.ts';
import { Releases, isParked } from './releases.ts';
import { TopicQueue, progressOf, type QueueEvents } from './topic-queue.ts';

const LOOK_BYTES = 512 * 1024;
/** Added to the log: progress is saved then, though nothing was delivered. */
const SAVE_EVERY_BYTES = 16 * 1024 * 1024;
const OWN_FILES = /^(\d{10}\.seg(\.damaged)?|progress\.[01]|reserve)$/;
/** A topic that does not move for this long lets others pass. */
const STALLED_AFTER_MS = 2_000;
/** After a write that failed: the next one tells whether it is over. */
const REFUSE_FOR_MS = 200;

export class Spool {
  readonly #options: SpoolOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #keeper: ProgressKeeper;
  readonly #rejections: Rejections;
  readonly #releases: Releases;
  readonly #queues = new Map<string, TopicQueue>();
  /** Requests with messages in the lanes, in the order in which they came. */
  readonly #direct = new Set<SpoolOwner>();
  /** Handed to the log and not flushed: they can be sent from memory. */
  readonly #unflushed = new Set<Frame>();
  readonly #drainer: Drainer;
  /** To the log since progress was last taken. */
  #addedBytes = 0;
  #pending: number;
  /** Messages waited too long, and none has been delivered since. */
  #away = false;
  #closed = false;
  #deliveredAtMs = -Infinity;
  #refuseUntilMs = 0;
  #stopWatch: () => void = () => undefined;

  private constructor(options: SpoolOptions, log: Log, keeper: ProgressKeeper) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = log;
    this.#keeper = keeper;
    this.#rejections = new Rejections(options);
    this.#releases = new Releases(options);
    const { progress } = keeper;
    const leftEnd = log.nextSequence;
    this.#pending = (progress?.pending ?? 0) + Math.max(0, log.nextSequence - (progress?.end ?? log.firstSequence));
    for (const [topic, { cursor, done }] of Object.entries(progress?.topics ?? {}))
      this.#queues.set(topic, new TopicQueue(topic, this.#events, cursor, leftEnd - 1, done));
    this.#drainer = new Drainer({
      options,
      log,
      keeper,
      releases: this.#releases,
      queues: this.#queues,
      unflushed: this.#unflushed,
      base: progress?.base ?? log.firstSequence,
      leftEnd,
      queue: (topic) => this.#queue(topic),
      handedOn: () => {
        for (const queue of this.#queues.values()) this.#mayBeDirect(queue);
      },
    });
    if (this.#log.bytes === 0) this.#pending = 0;
    this.#watch();
  }

  /** Throws HeadraceError when its files are of a newer version or cannot be used. */
  static async open(options: SpoolOptions): Promise<Spool> {
    await options.files.makeFolder(options.folder);
    const keeper = await ProgressKeeper.open(options);
    // Whoever tries again and again holds no files meanwhile.
    const log = await Log.open({ ...options, from: keeper.progress?.end ?? 0 }).catch(async (error: unknown) => {
      await keeper.close();
      throw error;
    });
    const spool = new Spool(options, log, keeper);
    try {
      await spool.#findParked();
      await tellStrays(options);
    } catch (error) {
      await spool.close();
      throw error;
    }
    keeper.keep(log, () => spool.#progress());
    // A process that was killed may have had no time to remove what was done.
    if (log.bytes > 0) keeper.touch();
    return spool;
  }

  get status(): SpoolStatus {
    const nowMs = this.#clock.now();
    const ageMs = Math.max(0, ...[...this.#queues.values()].map((queue) => nowMs - (queue.oldestAcceptedMs ?? nowMs)));
    return { bytes: this.#log.bytes, messages: this.#pending, oldestAgeSeconds: ageMs / 1000 };
  }

  /** Messages in the lanes that are safe on the disk: nobody waits for their outcome. */
  get handedMessages(): number {
    return this.#drainer.handedMessages;
  }

  /** From now on what is spooled is handed to this delivery. Its predecessor is closed: what it had is sent again. */
  attach(delivery: Delivery): void {
    for (const queue of this.#queues.values())
      if (!this.#releases.concerns(queue))
        for (const sequence of queue.inLanes.keys()) this.#drainer.takeBack(queue, sequence);
    this.#drainer.delivery = delivery;
    this.#drainer.plan();
  }

  /** Everything goes to the disk, and nothing is handed on; what is in a send keeps its owner there. */
  detach(): void {
    if (this.#delivery !== null) this.takeOver(null);
    this.#drainer.delivery = null;
  }

  /** Nothing more is handed on; what waits is taken back, but not from before direct messages, which go on (Promise 3). */
  pause(): void {
    this.#closed = true;
    this.#drainer.close();
    for (const queue of this.#queues.values()) if (queue.spooling) this.#drainer.takeBackWaiting(queue);
  }

  /** Whether a message of the topic has to go to the disk now. The lanes are cleared of the topic where it begins to. */
  spools(topic: string): boolean {
    const queue = this.#queues.get(topic);
    if (queue?.spooling === true || this.#delivery === null) return true;
    if (!this.#drainer.leftUnread && !this.#away && !this.#delivery.full) return false;
    this.takeOver(topic);
    return true;
  }

  /** Whether there is something of it on the disk, behind which what is new has to stand; nothing is moved. */
  holds(topic: string): boolean {
    return this.#queues.get(topic)?.spooling === true;
  }

  /** Messages of this owner go to the lanes: they are taken over when they wait too long. */
  follow(owner: SpoolOwner): void {
    this.#direct.add(owner);
  }

  /** All of its messages have their outcome or are on the disk. */
  unfollow(owner: SpoolOwner): void {
    this.#direct.delete(owner);
  }

  /** A message that never was on the disk was delivered. */
  delivered(): void {
    this.#deliveredAtMs = this.#clock.monotonic();
  }

  /** Whether a message of this destination was delivered in the last `withinMs`. */
  hasDelivered(withinMs: number): boolean {
    return this.#clock.monotonic() - this.#deliveredAtMs < withinMs;
  }

  /** The owner's messages waited too long. */
  late(owner: SpoolOwner): void {
    const topics = new Set(owner.waiting(null).map(({ item }) => item.message.topic));
    if (topics.size === 0) return;
    this.#away = true;
    for (const topic of topics) this.takeOver(topic);
  }

  /** A direct message cannot go on until somebody acts: its topic, or all of them, go to the disk. */
  hold(held: Held): void {
    this.takeOver(held.topic);
    for (const queue of this.#queues.values()) if ([null, queue.topic].includes(held.topic)) this.#block(queue, held);
  }

  /**
   * Writes the messages of one request, whole or not at all (P38); resolves when they are flushed (Promise 1). Rejects
   * with SpoolRefusal: none of them is taken.
   */
  append(items: readonly SpooledMessage[]): Promise<void> {
    try {
      return this.#append(items).flushed;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Moves the topic (null: all topics) from the lanes to the disk; from now on it is spooling. */
  takeOver(topic: string | null): void {
    const back = new Map<unknown, Set<number>>();
    const isOurs = (owner: unknown): boolean => owner instanceof TopicQueue || this.#direct.has(owner as SpoolOwner);
    for (const { owner, index } of this.#delivery?.takeBack(topic, isOurs) ?? []) {
      if (owner instanceof TopicQueue) this.#drainer.takeBack(owner, index);
      else back.set(owner, (back.get(owner) ?? new Set()).add(index));
    }
    if (topic !== null) this.#queue(topic).spooling = true;
    for (const owner of this.#direct) this.#takeFrom(owner, topic, back.get(owner) ?? new Set());
    this.#drainer.plan();
  }

  /** Waits until what was appended is flushed and what is done is saved, then closes the files. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#drainer.close();
    this.#rejections.close();
    this.#releases.close();
    this.#stopWatch();
    this.#drainer.delivery = null;
    // Promise 5: records that were released are done once their messages are flushed; the last progress has to know.
    await this.#log.written();
    await new Promise<void>(afterTurn);
    await this.#keeper.close();
    await this.#log.close();
  }

  /**
   * Promise 3: records of a parked sync that came too late for the last saved progress are known from the start, so that
   * its new events stand behind them. What an earlier process knew is in the progress; only what came after is looked at.
   */
  async #findParked(): Promise<void> {
    const from = this.#keeper.progress?.end ?? this.#log.firstSequence;
    const end = this.#log.nextSequence;
    if (from >= end) return;
    for (let position = this.#log.positionOf(from); ;) {
      const { frames, next } = await this.#log.read(position, LOOK_BYTES);
      for (const { firstSequence, acceptedAtMs, messages } of frames)
        for (const [at, { message }] of messages.entries()) {
          const sequence = firstSequence + at;
          if (!isParked(message.topic) || sequence < from || this.#queues.has(message.topic)) continue;
          const queue = new TopicQueue(message.topic, this.#events, sequence, end - 1);
          queue.unreadSinceMs = acceptedAtMs;
          this.#queues.set(message.topic, queue);
        }
      if (frames.length === 0) return;
      position = next;
    }
  }

  get #delivery(): Delivery | null {
    return this.#drainer.delivery;
  }

  /** What is done and what is not, to be saved; `removable`: below, no segment is needed. */
  #progress(): ReturnType<typeof progressOf> {
    this.#addedBytes = 0;
    const { leftUnread, readUpTo } = this.#drainer;
    const open = [...this.#queues.values()].filter((queue) => !queue.idle);
    // What an earlier process counted and never wrote is counted no more.
    if (open.length === 0 && !leftUnread) this.#pending = 0;
    const end = this.#log.nextSequence;
    return progressOf(open, { base: leftUnread ? readUpTo : end, pending: this.#pending, end });
  }

  #takeFrom(owner: SpoolOwner, topic: string | null, unsent: ReadonlySet<number>): void {
    const waiting = owner.waiting(topic);
    if (waiting.length === 0) return;
    let first: number;
    try {
      const appended = this.#append(waiting.map(({ item }) => item));
      first = appended.firstSequence;
      for (const [at, { index, item }] of waiting.entries()) {
        const queue = this.#queue(item.message.topic);
        queue.spooling = true;
        if (unsent.has(index)) continue;
        // In a send under way: its lane keeps it, and its outcome counts here.
        this.#drainer.hand(queue, first + at, {
          ...item,
          acceptedAtMs: this.#clock.now(),
          atMs: this.#clock.monotonic() - 1e6,
        });
        owner.redirect(index, queue, first + at);
      }
      owner.spooled(
        waiting.map(({ index }) => index),
        appended.flushed,
      );
    } catch (error) {
      if (!(error instanceof SpoolRefusal)) throw error;
      // What cannot be written may as well try the lanes.
      this.#away = false;
      owner.refused(error.message);
      for (const index of unsent) owner.settled(index, WITHDRAWN);
    }
  }

  #append(items: readonly SpooledMessage[]): { readonly firstSequence: number; readonly flushed: Promise<void> } {
    if (this.#keeper.trouble !== null) throw new SpoolRefusal(this.#keeper.trouble);
    if (this.#clock.monotonic() < this.#refuseUntilMs)
      throw new SpoolRefusal('the spool could not be written just now');
    const acceptedAtMs = this.#clock.now();
    let frame!: Frame;
    const { firstSequence, flushed } = this.#log.append(items.length, (sequence) => {
      frame = { firstSequence: sequence, acceptedAtMs, messages: items };
      const bytes = encodeFrame(frame);
      this.#addedBytes += bytes.length;
      return bytes;
    });
    // What the next start has to look through is bounded; each request by itself saves none.
    if (this.#addedBytes >= SAVE_EVERY_BYTES) this.#keeper.touch();
    this.#pending += items.length;
    for (const [at, { message }] of items.entries()) {
      const queue = this.#queue(message.topic, firstSequence + at);
      if (queue.allHanded) queue.unreadSinceMs = acceptedAtMs;
      queue.last = firstSequence + at;
      queue.spooling = true;
    }
    this.#unflushed.add(frame);
    const told = flushed.then(
      () => void this.#unflushed.delete(frame),
      (refusal: unknown) => {
        this.#unflushed.delete(frame);
        this.#refused(frame, refusal);
        throw refusal;
      },
    );
    told.catch(() => undefined).finally(() => this.#drainer.plan());
    return { firstSequence, flushed: told };
  }

  /** It is not on the disk: only what is in the lanes counts still. */
  #refused({ firstSequence, messages }: Frame, refusal: unknown): void {
    this.#away = false;
    this.#refuseUntilMs = this.#clock.monotonic() + REFUSE_FOR_MS;
    if (refusal instanceof SpoolRefusal && refusal.full) this.#keeper.full();
    for (const [at, { message }] of messages.entries())
      if (!(this.#queues.get(message.topic)?.inLanes.has(firstSequence + at) ?? false)) this.#pending--;
  }

  /** The queue of a topic, made when there is none; `first`: its first message where nothing of it can be left. */
  #queue(topic: string, first?: number): TopicQueue {
    let queue = this.#queues.get(topic);
    if (queue === undefined) {
      const { leftUnread, base, leftEnd } = this.#drainer;
      const next = leftUnread ? base : (first ?? this.#log.nextSequence);
      const last = (leftUnread ? leftEnd : next) - 1;
      this.#queues.set(topic, (queue = new TopicQueue(topic, this.#events, next, last)));
    }
    return queue;
  }

  #block(queue: TopicQueue, why: Held | 'stalled'): void {
    if (queue.blocked === null || why !== 'stalled') queue.blocked = why;
    if (!queue.spooling) this.takeOver(queue.topic);
    else if (queue.inLanes.size > 1) this.#drainer.takeBackWaiting(queue);
    this.#drainer.plan();
  }

  #mayBeDirect(queue: TopicQueue): void {
    if (queue.idle && !queue.spooling) {
      this.#queues.delete(queue.topic);
      return;
    }
    if (!queue.spooling || queue.blocked !== null || !queue.allHanded || this.#delivery?.full !== false) return;
    if (this.#closed || this.#drainer.leftUnread) return;
    if (!queue.isFlowing(this.#clock.monotonic())) return;
    queue.spooling = false;
    queue.flows = false;
    if (queue.idle) this.#queues.delete(queue.topic);
  }

  /** Once a second: topics that do not move let others pass. */
  #watch(): void {
    this.#stopWatch = this.#clock.after(
      STALLED_AFTER_MS / 2,
      () => {
        if (this.#closed) return;
        const sinceMs = this.#clock.monotonic() - STALLED_AFTER_MS;
        if (this.#queues.size > 1 && !this.#drainer.mayHand)
          for (const queue of this.#queues.values())
            if ((queue.oldestHandedMs ?? Infinity) < sinceMs && queue.inLanes.size > 1) this.#block(queue, 'stalled');
        this.#drainer.plan();
        this.#watch();
      },
      { unref: true },
    );
  }

  readonly #events: QueueEvents = {
    delivered: (queue, { route }) => {
      this.#away = false;
      this.delivered();
      this.#options.delivered(route);
      if (queue.blocked === null) return;
      queue.blocked = null;
      this.#options.held(queue.topic, null);
    },
    rejected: (_queue, handed, rejection, done) => {
      this.#rejections.add({ ...handed, rejection }, done);
    },
    held: (queue, held) => {
      if (held === null || held.action === 'wait') return;
      this.#options.held(queue.topic, held);
      this.#block(queue, held);
    },
    withdrawn: (queue, sequence) => {
      this.#drainer.takeBack(queue, sequence);
      this.#drainer.plan();
    },
    done: (queue, handed) => {
      this.#drainer.leaves(handed);
      this.#pending--;
      this.#keeper.touch();
      if (queue.idle) this.#mayBeDirect(queue);
      this.#drainer.plan();
    },
  };
}

/** What is none of the spool's files is left alone, and told. */
async function tellStrays({ files, folder, warned }: SpoolOptions): Promise<void> {
  const strays = (await files.list(folder)).filter(({ name }) => !OWN_FILES.test(name)).map(({ name }) => name);
  if (strays.length > 0)
    warned(`In ${folder} there is what is no file of the spool, and left alone: ${strays.join(', ')}`);
}
