/** The lanes of one topic: as many as it has partitions now. Messages wait here while the partitions are not known. */
import type { Held } from '../model/index.ts';
import { faultOfComputedTopic, heldMs, Holds, isUnreachable, parked, type Entry } from './entry.ts';
import { Lane, type LaneContext } from './lanes/lane.ts';
import { EntryQueue } from './lanes/queue.ts';
import { fitting, placeOf } from './place.ts';
import type { MessageOwner, TopicFacts } from './ports.ts';

/** A topic just created is not known everywhere at once: this long a missing one is asked for again. */
const MISSING_AFTER_MS = 2_000;

/** What all lanes of a destination share. */
export type TopicContext = Omit<LaneContext, 'batchBytes' | 'gone' | 'giveBack'> & {
  /** How often the number of partitions is looked at. */
  readonly metadataMaxAgeMs: number;
  /** Lanes beside one another for the messages of a partition whose order is given up. */
  readonly maxInFlight: number;
  /** The topic is missing, and nothing waits for it any more. */
  readonly unused: (topic: TopicLanes) => void;
};

const anyOwner = (): boolean => true;

export class TopicLanes {
  readonly name: string;
  readonly #context: TopicContext;
  readonly #batchBytes: number;
  /** By partition; a lane is made when its first message comes. */
  readonly #lanes = new Map<number, Lane>();
  /** By partition, of messages without order: they share one queue, and each has an identity of its own. */
  readonly #loose = new Map<number, readonly Lane[]>();
  readonly #waiting = new EntryQueue();
  #facts: TopicFacts | null = null;
  /** Another number of partitions, which counts as soon as nothing is in flight under the present one. */
  #coming: TopicFacts | null = null;
  #turn = 0;
  #resolving = false;
  /** Why the partitions could not be found out at the last attempt. */
  #held: Held | null = null;
  /** Ends the wait for brokers that cannot be reached. */
  #unreachable: AbortController | null = null;
  #lookAtMs = 0;
  readonly #holds = new Holds();
  readonly #nextTurn = (): number => this.#turn++;

  constructor(name: string, context: TopicContext, batchBytes: number) {
    this.name = name;
    this.#context = context;
    this.#batchBytes = batchBytes;
  }

  get idle(): boolean {
    return this.#waiting.length === 0 && this.#all().every((lane) => lane.idle);
  }

  accept(entry: Entry): void {
    if (this.#facts === null || this.#resolving) {
      this.#waiting.push(entry);
      return;
    }
    this.#place(entry, this.#facts);
  }

  /** Sends what waits in every lane; looks for partitions when it is time. */
  pump(): void {
    if (this.#facts === null || this.#context.clock.monotonic() >= this.#lookAtMs) this.#resolve();
    this.#pumpLanes();
    if (this.#held?.action === 'stop') this.#holds.tell(this.#waiting.owners(), this.#held);
  }

  takeBack(matches: (owner: MessageOwner) => boolean): Entry[] {
    const taken = this.#all().flatMap((lane) => lane.takeBack(matches));
    return [...taken, ...this.#waiting.remove(matches)];
  }

  /** The destination is closed: what is in a send and has no outcome. */
  abandon(): Entry[] {
    return this.#all().flatMap((lane) => lane.abandon());
  }

  /** Brokers can be reached again: who waits for that tries now. */
  reachable(): void {
    this.#unreachable?.abort();
    for (const lane of this.#all()) lane.reached();
  }

  async whenIdle(): Promise<void> {
    while (!this.idle && !this.#context.closing.aborted) {
      await Promise.all(this.#all().map((lane) => lane.whenIdle()));
      if (this.#waiting.length > 0) await this.#context.clock.sleep(10, this.#context.closing);
    }
  }

  #place(entry: Entry, facts: TopicFacts): void {
    const { options } = entry;
    const message = fitting(entry.message, facts, options.shrink, entry.bytes);
    if (message !== entry.message) {
      if ('state' in message) this.#context.ledger.settle(entry, message);
      else this.#place({ ...entry, message }, facts);
      return;
    }
    const place = placeOf(message, facts, options.assign, this.#nextTurn);
    if (typeof place !== 'number') {
      this.#context.ledger.settle(entry, place);
      return;
    }
    const lane = options.ordering === 'none' ? this.#looseLanes(place)[0]! : this.#lane(place);
    lane.push(entry);
  }

  #lane(partition: number): Lane {
    let lane = this.#lanes.get(partition);
    if (lane === undefined) {
      lane = new Lane(this.name, partition, this.#laneContext());
      this.#lanes.set(partition, lane);
    }
    return lane;
  }

  /** Beside the lane of those that keep their order: neither holds the other up. */
  #looseLanes(partition: number): readonly Lane[] {
    let lanes = this.#loose.get(partition);
    if (lanes === undefined) {
      const queue = new EntryQueue();
      const context = this.#laneContext();
      lanes = Array.from({ length: this.#context.maxInFlight }, () => new Lane(this.name, partition, context, queue));
      this.#loose.set(partition, lanes);
    }
    return lanes;
  }

  #laneContext(): LaneContext {
    return {
      ...this.#context,
      batchBytes: () => this.#limitBytes(),
      gone: (which) => this.#gone(which),
      giveBack: (entries) => this.#wait(entries),
    };
  }

  #all(): Lane[] {
    return [...this.#lanes.values(), ...[...this.#loose.values()].flat()];
  }

  #pumpLanes(): void {
    for (const lane of this.#lanes.values()) lane.pump();
    if (this.#loose.size > 0) for (const lanes of this.#loose.values()) for (const lane of lanes) lane.pump();
  }

  async #gone(partition: number): Promise<boolean> {
    const facts = await this.#context.sender.topic(this.name, true);
    if (!('partitions' in facts) || facts.partitions > partition) return false;
    this.#change(facts);
    return true;
  }

  /** P9: the topic was made anew with fewer partitions; what went to one of the others starts anew in it. */
  #wait(entries: readonly Entry[]): void {
    // In the order in which they were handed in, whichever lane they come from.
    const all = [...entries, ...this.#waiting.remove(anyOwner)].sort((a, b) => a.sequence - b.sequence);
    for (const entry of all) this.#waiting.push(entry);
  }

  #limitBytes(): number {
    const { sizes, maxMessageBytes } = this.#facts ?? {};
    return Math.min(this.#batchBytes, maxMessageBytes ?? Infinity, sizes?.safeBytes ?? Infinity);
  }

  #resolve(): void {
    if (this.#resolving) return;
    this.#lookAtMs = this.#context.clock.monotonic() + this.#context.metadataMaxAgeMs;
    if (this.#facts === null) {
      this.#resolving = true;
      void this.#findOut();
      return;
    }
    void this.#lookAgain(this.#facts);
  }

  /** Asks until the partitions are known; holds or rejects what waits when the topic stays missing. */
  async #findOut(): Promise<void> {
    const { sender, clock, closing, troubled, reached } = this.#context;
    const startedMs = clock.monotonic();
    let facts = await sender.topic(this.name, false);
    if (!('partitions' in facts)) {
      troubled(1);
      let tries = 1;
      while (!('partitions' in facts) && !closing.aborted) {
        const lasting = clock.monotonic() - startedMs >= MISSING_AFTER_MS;
        const held = this.#patient(facts.held, clock.monotonic() - startedMs);
        this.#missing(held, lasting);
        if (lasting && this.#waiting.length === 0) break;
        this.#held = held;
        this.#unreachable = isUnreachable(facts.held) ? new AbortController() : null;
        const signal = this.#unreachable === null ? closing : AbortSignal.any([closing, this.#unreachable.signal]);
        await clock.sleep(heldMs(facts.held, tries++, this.#context.backoff), signal);
        facts = await sender.topic(this.name, true);
        if (this.#unreachable === null || ('held' in facts && isUnreachable(facts.held))) continue;
        tries = 1;
        this.#unreachable = null;
        reached();
      }
      this.#unreachable = null;
      troubled(-1);
      this.#held = null;
    }
    if (!('partitions' in facts)) {
      this.#resolving = false;
      this.#context.unused(this);
      return;
    }
    this.#facts = facts;
    this.#holds.clear(() => this.#waiting.owners());
    this.#placeWaiting(facts);
  }

  #missing(held: Held, lasting: boolean): void {
    if (lasting && faultOfComputedTopic(held)) this.#rejectComputed(held);
    // A topic just created looks missing for a moment: only what lasts is told.
    if (lasting || held.action === 'stop' || held.code === 'delivery_timeout')
      this.#holds.tell(this.#waiting.owners(), held);
  }

  /** What lasts longer than `max_block_ms` waits for a person, whatever it is. */
  #patient(held: Held, waitedMs: number): Held {
    const { maxBlockMs, deliveryTimeoutMs } = this.#context.patience;
    const limitMs = Math.min(maxBlockMs, deliveryTimeoutMs);
    return held.action !== 'wait' || waitedMs < limitMs ? held : parked(held, `within ${limitMs} ms`);
  }

  async #lookAgain(known: TopicFacts): Promise<void> {
    const facts = await this.#context.sender.topic(this.name, false);
    if (!('partitions' in facts) || this.#facts !== known || this.#coming !== null) return;
    if (facts.partitions === known.partitions) this.#facts = facts;
    else this.#change(facts);
  }

  /**
   * Promise 3: another number of partitions moves keys, and two lanes must not hold messages of one key at once (P10).
   * Where partitions were added, everything that waits is delivered where it stands; where some are gone, what is in
   * flight is delivered or given back. Only then the new number counts; what comes meanwhile waits behind.
   */
  #change(facts: TopicFacts): void {
    const begun = this.#coming !== null;
    this.#coming = facts;
    this.#resolving = true;
    const lanes = this.#all();
    if (facts.partitions < this.#facts!.partitions) {
      this.#wait(lanes.flatMap((lane) => lane.takeBack(anyOwner)));
      for (const lane of lanes) lane.hurry();
    }
    if (!begun) void Promise.all(lanes.map((lane) => lane.whenIdle())).then(() => this.#changed());
  }

  #changed(): void {
    const facts = this.#coming!;
    this.#coming = null;
    this.#facts = facts;
    this.#placeWaiting(facts);
  }

  #placeWaiting(facts: TopicFacts): void {
    this.#resolving = false;
    for (const entry of this.#waiting.remove(anyOwner)) this.#place(entry, facts);
    this.#pumpLanes();
  }

  #rejectComputed({ code, reason }: Held): void {
    const entries = this.#waiting.remove(anyOwner);
    for (const entry of entries) {
      if (entry.options.computedTopic)
        this.#context.ledger.settle(entry, {
          state: 'rejected',
          code,
          reason: `topic ${this.name}: ${reason}`,
        });
      else this.#waiting.push(entry);
    }
  }
}
