/** The lanes of one topic: as many as it has partitions now. Messages wait here while the partitions are not known. */
import type { Held } from '../model/index.ts';
import { faultOfComputedTopic, heldMs, Holds, type Entry } from './entry.ts';
import { Lane, type LaneContext } from './lanes/lane.ts';
import { EntryQueue } from './lanes/queue.ts';
import { placeOf } from './place.ts';
import type { MessageOwner, TopicFacts } from './ports.ts';

/** A topic just created is not known everywhere at once: this long a missing one is asked for again. */
const MISSING_AFTER_MS = 2_000;

/** What all lanes of a destination share. */
export type TopicContext = Omit<LaneContext, 'batchBytes' | 'gone' | 'giveBack'>;

const anyOwner = (): boolean => true;

export class TopicLanes {
  readonly name: string;
  readonly #context: TopicContext;
  readonly #batchBytes: number;
  /** By partition; a lane is made when its first message comes. */
  readonly #lanes = new Map<number, Lane>();
  readonly #waiting = new EntryQueue();
  #facts: TopicFacts | null = null;
  #turn = 0;
  #resolving = false;
  /** Why the partitions could not be found out at the last attempt. */
  #held: Held | null = null;
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
    for (const lane of this.#lanes.values()) lane.pump();
    if (this.#held?.action === 'stop') this.#holds.tell([...this.#waiting], this.#held);
  }

  takeBack(matches: (owner: MessageOwner) => boolean): Entry[] {
    const taken = this.#all().flatMap((lane) => lane.takeBack(matches));
    return [...taken, ...this.#waiting.remove(matches)];
  }

  async whenIdle(): Promise<void> {
    while (!this.idle && !this.#context.closing.aborted) {
      await Promise.all(this.#all().map((lane) => lane.whenIdle()));
      if (this.#waiting.length > 0) await this.#context.clock.sleep(10, this.#context.closing);
    }
  }

  #place(entry: Entry, facts: TopicFacts): void {
    const place = placeOf(entry.message, facts, entry.options.assign, this.#nextTurn);
    if (typeof place === 'number') this.#lane(place).push(entry);
    else this.#context.ledger.settle(entry, place);
  }

  #lane(partition: number): Lane {
    let lane = this.#lanes.get(partition);
    if (lane === undefined) {
      lane = new Lane(this.name, partition, {
        ...this.#context,
        batchBytes: () => this.#limitBytes(),
        gone: (which) => this.#gone(which),
        giveBack: (entries) => this.#placeAnew(entries),
      });
      this.#lanes.set(partition, lane);
    }
    return lane;
  }

  #all(): Lane[] {
    return [...this.#lanes.values()];
  }

  async #gone(partition: number): Promise<boolean> {
    const facts = await this.#context.sender.topic(this.name, true);
    if (!('partitions' in facts) || facts.partitions > partition) return false;
    this.#facts = facts;
    return true;
  }

  /** P9: the topic was made anew with fewer partitions; what went to one of the others starts anew in it. */
  #placeAnew(entries: readonly Entry[]): void {
    for (const entry of entries) this.accept(entry);
    for (const lane of this.#lanes.values()) lane.pump();
  }

  #limitBytes(): number {
    const limit = this.#facts?.maxMessageBytes;
    return limit == null ? this.#batchBytes : Math.min(this.#batchBytes, limit);
  }

  #resolve(): void {
    if (this.#resolving) return;
    this.#lookAtMs = this.#context.clock.monotonic() + this.#context.metadataMaxAgeMs;
    if (this.#facts === null) {
      this.#resolving = true;
      void this.#findOut().finally(() => (this.#resolving = false));
      return;
    }
    void this.#lookAgain(this.#facts);
  }

  /** Asks until the partitions are known; holds or rejects what waits when the topic stays missing. */
  async #findOut(): Promise<void> {
    const { sender, clock, closing, troubled } = this.#context;
    const startedMs = clock.monotonic();
    let facts = await sender.topic(this.name, false);
    if (!('partitions' in facts)) {
      troubled(1);
      for (let attempt = 1; !('partitions' in facts) && !closing.aborted; attempt++) {
        const lasting = clock.monotonic() - startedMs >= MISSING_AFTER_MS;
        this.#missing(facts.held, lasting);
        if (lasting && this.#waiting.length === 0) break;
        this.#held = facts.held;
        await clock.sleep(heldMs(facts.held, attempt), closing);
        facts = await sender.topic(this.name, true);
      }
      troubled(-1);
      this.#held = null;
    }
    if (!('partitions' in facts)) return;
    this.#facts = facts;
    this.#holds.clear(() => [...this.#waiting]);
    this.#placeWaiting(facts);
  }

  #missing(held: Held, lasting: boolean): void {
    if (lasting && faultOfComputedTopic(held)) this.#rejectComputed(held);
    if (lasting || held.action === 'stop') this.#holds.tell([...this.#waiting], held);
  }

  /**
   * Partitions added move keys: first everything that waits is delivered where it stands, then the new number counts.
   * Otherwise two lanes could hold messages of one key at once (P10).
   */
  async #lookAgain(known: TopicFacts): Promise<void> {
    const facts = await this.#context.sender.topic(this.name, false);
    if (!('partitions' in facts)) return;
    if (facts.partitions === known.partitions) {
      this.#facts = facts;
      return;
    }
    this.#resolving = true;
    if (facts.partitions > known.partitions) await Promise.all(this.#all().map((lane) => lane.whenIdle()));
    this.#facts = facts;
    this.#resolving = false;
    const moved = this.#all().flatMap((lane) => lane.takeBack(anyOwner));
    for (const entry of moved) this.#place(entry, facts);
    this.#placeWaiting(facts);
  }

  #placeWaiting(facts: TopicFacts): void {
    this.#resolving = false;
    for (const entry of this.#waiting.remove(anyOwner)) this.#place(entry, facts);
    for (const lane of this.#lanes.values()) lane.pump();
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
