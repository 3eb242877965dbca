/**
 * Where rejections are kept: in the topic that the sync's destination names, or in the own state. Promise 1, Promise 2: what
 * `add` resolves for is durable, so that an answer or a checkpoint may follow.
 *
 * A letter goes to the topic through the destination's own delivery, as any message: it counts as kept when the brokers have
 * it with the destination's acks. When the topic is missing, refused or too slow, or does not take this letter, it is kept in
 * the state instead, with a warning, and the topic is left alone for a while: never lost, never waited for without end.
 */
import type { Clock } from '../base/clock.ts';
import { assignerOf } from '../kafka/index.ts';
import type { Delivery, IntakeOptions } from '../delivery/index.ts';
import type { MessageOwner } from '../delivery/ports.ts';
import type { DeadLetter, ErrorCode, Held, Outcome } from '../model/index.ts';
import type { Destinations } from './destinations.ts';
import type { Flow } from './flows.ts';
import { asMessage } from './letters.ts';
import type { DeadLetterSink, SyncObserver } from './ports.ts';

export interface DeadLetterWriterTools {
  /** The own state. */
  readonly store: DeadLetterSink;
  readonly destinations: Destinations;
  readonly observer: SyncObserver;
  readonly clock: Clock;
  /** As they are now. */
  flows(): ReadonlyMap<string, Flow>;
}

/** Well within what the sender of an event waits. */
const WRITTEN_WITHIN_MS = 3_000;
/** What is in a send by then may be written all the same: its answer is worth a moment. */
const ANSWERED_WITHIN_MS = 500;
/** How long a topic that failed is left alone. */
const REST_MS = 10_000;

/** Faults of one letter: the topic takes others. */
const OF_THE_LETTER: ReadonlySet<ErrorCode> = new Set([
  'too_large',
  'record_refused',
  'timestamp_invalid',
  'partition_invalid',
]);

interface Place {
  readonly destination: string;
  readonly topic: string;
  readonly delivery: Delivery;
}

interface Failure {
  readonly code: ErrorCode;
  readonly reason: string;
}

export class DeadLetterWriter implements DeadLetterSink {
  readonly #tools: DeadLetterWriterTools;
  /** By destination and topic: until when it is left alone. */
  readonly #resting = new Map<string, number>();
  /** What was warned of last. */
  readonly #warned = new Map<string, ErrorCode>();

  constructor(tools: DeadLetterWriterTools) {
    this.#tools = tools;
  }

  async add(letters: readonly DeadLetter[]): Promise<void> {
    const bySync = Map.groupBy(letters, (letter) => letter.sync);
    const kept = await Promise.all(
      [...bySync].map(async ([sync, some]) => {
        const place = this.#place(sync);
        return place === null ? some : this.#write(some, place);
      }),
    );
    const rest = kept.flat();
    if (rest.length > 0) await this.#tools.store.add(rest);
  }

  /** The topic for the dead letters of a sync, unless there is none or it failed a moment ago. */
  #place(sync: string): Place | null {
    const { destinations, clock } = this.#tools;
    const flow = this.#tools.flows().get(sync);
    const open = flow === undefined ? null : destinations.get(flow.sync.destination);
    const topic = open?.config.deadLetters?.topic;
    // Without acks nobody says that a letter is written.
    if (open === null || topic === undefined || open.config.producer.acks === 0) return null;
    const place = { destination: open.config.name, topic, delivery: open.delivery };
    return (this.#resting.get(nameOf(place)) ?? -Infinity) > clock.monotonic() ? null : place;
  }

  /** Those that did not get into the topic. */
  async #write(letters: readonly DeadLetter[], place: Place): Promise<readonly DeadLetter[]> {
    const { clock } = this.#tools;
    const batch = new LetterBatch(letters, place, clock);
    const { left, failure } = await batch.write();
    const name = nameOf(place);
    if (failure === null) {
      this.#warned.delete(name);
      return left;
    }
    if (!OF_THE_LETTER.has(failure.code)) this.#resting.set(name, clock.monotonic() + REST_MS);
    if (this.#warned.get(name) !== failure.code) {
      this.#warned.set(name, failure.code);
      this.#tools.observer.warned(
        `dead letters of destination ${place.destination} are kept in the own state: topic ${place.topic}: ${failure.reason}`,
      );
    }
    return left;
  }
}

function nameOf({ destination, topic }: Place): string {
  return `${destination}/${topic}`;
}

const options: IntakeOptions = {
  assign: assignerOf('murmur2'),
  // Neither a missing topic nor a held one is worth waiting for: there is another place.
  computedTopic: true,
  heldIsRejected: true,
  batchBytes: Infinity,
  batchMessages: Infinity,
};

/** Some letters on their way to the topic. */
class LetterBatch implements MessageOwner {
  readonly #letters: readonly DeadLetter[];
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #left = new Set<number>();
  #failure: Failure | null = null;
  #open: number;
  #end: () => void = () => undefined;

  constructor(letters: readonly DeadLetter[], place: Place, clock: Clock) {
    this.#letters = letters;
    this.#place = place;
    this.#clock = clock;
    this.#open = letters.length;
    for (const index of letters.keys()) this.#left.add(index);
  }

  async write(): Promise<{ left: readonly DeadLetter[]; failure: Failure | null }> {
    const { delivery, topic } = this.#place;
    const ended = new Promise<void>((resolve) => (this.#end = resolve));
    const nowMs = this.#clock.now();
    for (const [index, letter] of this.#letters.entries())
      delivery.accept(asMessage(letter, topic, nowMs), this, index, options);
    const cancelAnswer = this.#clock.after(WRITTEN_WITHIN_MS + ANSWERED_WITHIN_MS, () => this.#end());
    const cancelWrite = this.#clock.after(WRITTEN_WITHIN_MS, () =>
      this.#giveUp({ code: 'delivery_timeout', reason: 'Kafka did not take them in time' }),
    );
    await ended;
    cancelWrite();
    cancelAnswer();
    // A copy: what a late answer says of letters that are kept elsewhere by now changes nothing.
    return { left: [...this.#left].map((index) => this.#letters[index]!), failure: this.#failure };
  }

  settled(index: number, outcome: Outcome): void {
    if (outcome.state === 'delivered') this.#left.delete(index);
    if (outcome.state === 'rejected') this.#fail(outcome);
    this.#open--;
    if (this.#open === 0) this.#end();
  }

  held(held: Held | null): void {
    if (held !== null && held.action !== 'wait') this.#giveUp(held);
  }

  #giveUp(failure: Failure): void {
    this.#fail(failure);
    this.#place.delivery.withdraw((owner) => owner === this);
  }

  /** A fault of the topic tells more than one of a letter. */
  #fail({ code, reason }: Failure): void {
    if (this.#failure === null || OF_THE_LETTER.has(this.#failure.code)) this.#failure = { code, reason };
  }
}
