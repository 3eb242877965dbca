/** The events of one request on their way to Kafka: one answer when every one has its outcome (Promise 1). */
import type { Clock } from '../base/clock.ts';
import { failpoint } from '../base/failpoint.ts';
import type { MappingContext } from '../mapping/index.ts';
import type { DeadLetter, Held, Message, Outcome, Rejection, SourceRecord } from '../model/index.ts';
import { parkedTopic, type Delivery, type Spool, type SpooledMessage } from '../delivery/index.ts';
import type { MessageOwner } from '../delivery/ports.ts';
import type { IntakeAnswer } from '../sources/ports.ts';
import { isTripped, judge, type Flow } from './flows.ts';
import { letterOf, printed } from './letters.ts';
import type { DeadLetterSink, SyncObserver } from './ports.ts';
import { SpoolPart, type SpoolingRequest } from './spool-part.ts';

/** How long a request waits for Kafka before it is told to come again. */
export const ACCEPT_WITHIN_MS = 8_000;
/** How long it waits for a Kafka that takes nothing before its events go to the disk. */
const SPOOL_AFTER_MS = 300;
/** The same where Kafka takes messages, only slowly: the disk would be more work for a machine that is busy already. */
const SPOOL_SLOW_AFTER_MS = 2_000;
/** It takes messages when one was delivered so short a time ago. */
const FLOWING_MS = 1_000;
const RETRY_AFTER_SECONDS = 5;
const SAFE: IntakeAnswer = Object.freeze({ state: 'safe' });

/** One event sync with the delivery its messages go through now. */
export interface EventRoute {
  readonly flow: Flow;
  readonly delivery: Delivery;
  /** Takes what Kafka does not take in time; null: the destination has none. */
  readonly spool: Spool | null;
  /** The sync as it stands on the disk with its messages. */
  readonly routeText: string;
  readonly context: MappingContext;
  /** These are events that were parked: they go on now. */
  readonly released?: boolean;
  /** Whether the event's type and its `integrations` let it go this way. */
  passes(event: SourceRecord): boolean;
}

export class EventBatch implements MessageOwner, SpoolingRequest {
  readonly #events: readonly SourceRecord[];
  readonly #routes: readonly EventRoute[];
  readonly #deadLetters: DeadLetterSink;
  readonly #observer: SyncObserver;
  readonly #answer: (answer: IntakeAnswer) => void;
  readonly #clock: Clock;
  #cancelTimer: () => void;
  /** One for each spool. */
  readonly #parts = new Map<Spool, SpoolPart>();
  #open = 1;
  #withdrawn = 0;
  #answered = false;
  #letters: DeadLetter[] = [];
  /** Of events that were parked: those of the letters, and those that are not safe. */
  #lettersOf: number[] | null = null;
  #left: Set<number> | null = null;

  constructor(
    events: readonly SourceRecord[],
    routes: readonly EventRoute[],
    tools: { deadLetters: DeadLetterSink; observer: SyncObserver; clock: Clock; waitMs: number },
    answer: (answer: IntakeAnswer) => void,
  ) {
    this.#events = events;
    this.#routes = routes;
    this.#deadLetters = tools.deadLetters;
    this.#observer = tools.observer;
    this.#answer = answer;
    this.#clock = tools.clock;
    const spools = routes.some(({ spool }) => spool !== null);
    this.#cancelTimer = spools ? this.#lookAfter(0, tools.waitMs) : this.#giveUpAfter(tools.waitMs);
  }

  /** Maps and hands in everything. The first open place is its own, so that no answer leaves half-way. */
  start(): void {
    for (let eventIndex = 0; eventIndex < this.#events.length; eventIndex++) {
      for (let routeIndex = 0; routeIndex < this.#routes.length; routeIndex++) this.#hand(eventIndex, routeIndex);
    }
    for (const part of this.#parts.values()) part.commit();
    this.#close();
  }

  /** Once events that were parked are answered: whether this one is not safe. */
  isLeft(eventIndex: number): boolean {
    return this.#left?.has(eventIndex) === true;
  }

  /** On the disk: their outcome is the spool's to tell. */
  safe(count: number): void {
    for (let i = 0; i < count; i++) this.#close();
  }

  unavailable(reason: string, indexes: readonly number[]): void {
    this.#giveUp(reason);
    for (const index of indexes) this.#withdraw(index);
    this.safe(indexes.length);
  }

  settled(index: number, outcome: Outcome): void {
    const route = this.#routes[index % this.#routes.length]!;
    const { counts } = route.flow;
    if (outcome.state === 'withdrawn') {
      this.#withdraw(index);
    } else {
      counts.read++;
      route.flow.meter.read(1);
      if (outcome.state === 'delivered') {
        counts.delivered++;
        if (route.flow.held !== null && !isTripped(route.flow)) this.#mark(route.flow, null);
      }
      if (outcome.state === 'rejected') {
        counts.rejected++;
        this.#judge(route.flow);
        this.#keep(Math.floor(index / this.#routes.length), route, outcome);
      }
    }
    this.#close();
  }

  held(held: Held | null): void {
    if (held === null) return;
    this.waits(held);
    if (held.action === 'wait') return;
    // Nothing will change within the seconds a request may wait: the caller learns why at once.
    this.#giveUp(held.topic === null ? held.reason : `topic ${held.topic}: ${held.reason}`);
  }

  waits(held: Held): void {
    for (const { flow } of this.#routes) if (concerns(held, flow) && !isTripped(flow)) this.#mark(flow, held);
  }

  #withdraw(index: number): void {
    this.#withdrawn++;
    if (this.#released) this.#leave(Math.floor(index / this.#routes.length));
  }

  #leave(eventIndex: number): void {
    (this.#left ??= new Set()).add(eventIndex);
  }

  /** A sync that rejects too much takes no more until a person has looked. */
  #judge(flow: Flow): void {
    const held = judge(flow);
    if (held !== null) this.#mark(flow, held);
  }

  /** What a person sees of it: told once for each change. */
  #mark(flow: Flow, held: Held | null): void {
    if (flow.held?.reason === held?.reason) return;
    flow.held = held;
    this.#observer.held(flow.sync.name, held?.reason ?? null, held?.remedy ?? null);
  }

  #hand(eventIndex: number, routeIndex: number): void {
    const event = this.#events[eventIndex]!;
    const route = this.#routes[routeIndex]!;
    const { flow } = route;
    if (!route.passes(event)) {
      flow.counts.read++;
      flow.meter.read(1);
      flow.counts.filtered++;
      return;
    }
    const index = eventIndex * this.#routes.length + routeIndex;
    this.#open++;
    if (route.spool !== null && this.#park(event, route, index)) return;
    const mapped = flow.mapping.map(event, route.context);
    if ('state' in mapped) this.settled(index, mapped);
    else if (route.spool === null) route.delivery.accept(mapped, this, index, flow.options);
    else {
      const item = spoolable(mapped, route.routeText, event);
      this.#part(route.spool, route.delivery).hand(index, item, flow.options);
    }
  }

  /** A sync that waits for a person takes its events when it goes on, mapped as it is then; nobody else waits for it. */
  #park(event: SourceRecord, { flow, spool, delivery, routeText, released }: EventRoute, index: number): boolean {
    if (spool === null || released === true) return false;
    const topic = parkedTopic(flow.sync.name);
    const value = isTripped(flow) || spool.holds(topic) ? (event.bytes ?? printed(event)) : null;
    if (value === null) return false;
    const timestampMs = event.receivedAtMs ?? this.#clock.now();
    const message: Message = { topic, partition: null, partitionKey: null, key: null, value, headers: [], timestampMs };
    this.#part(spool, delivery).park(index, { message, route: routeText, position: event.position });
    return true;
  }

  #part(spool: Spool, delivery: Delivery): SpoolPart {
    let part = this.#parts.get(spool);
    if (part === undefined) this.#parts.set(spool, (part = new SpoolPart(spool, delivery, this)));
    return part;
  }

  #giveUpAfter(waitMs: number): () => void {
    return this.#clock.after(waitMs, () => this.#giveUp('Kafka did not answer in time'));
  }

  #lookAfter(waitedMs: number, waitMs: number): () => void {
    const afterMs = Math.max(1, Math.min(SPOOL_AFTER_MS, waitMs - waitedMs));
    return this.#clock.after(afterMs, () => this.#late(waitedMs + afterMs, waitMs));
  }

  /** Where Kafka is away, or slow for long, what it has not taken goes to the disk. */
  #late(waitedMs: number, waitMs: number): void {
    const flowingMs = waitedMs < SPOOL_SLOW_AFTER_MS && waitedMs < waitMs ? FLOWING_MS : 0;
    let waits = false;
    for (const part of this.#parts.values()) if (part.late(flowingMs)) waits = true;
    // The disk would not have them: nobody waits any more, and nothing of it is kept for seconds.
    if (this.#answered) return;
    this.#cancelTimer = waits ? this.#lookAfter(waitedMs, waitMs) : this.#giveUpAfter(Math.max(1, waitMs - waitedMs));
  }

  /** One place less is open; the last one answers. */
  #close(): void {
    this.#open--;
    if (this.#open > 0) return;
    this.#cancelTimer();
    this.#observer.eventsSettled(this.#events.length);
    const answer = this.#withdrawn > 0 ? this.#unavailable('Kafka did not answer in time') : SAFE;
    if (this.#letters.length === 0 || (this.#withdrawn > 0 && !this.#released)) {
      this.#tell(answer);
      return;
    }
    // Promise 1: a rejection is stored before the answer.
    const letters = this.#letters;
    this.#letters = [];
    this.#deadLetters.add(letters).then(
      () => this.#tell(answer),
      () => {
        for (const eventIndex of this.#lettersOf ?? []) this.#leave(eventIndex);
        this.#tell(this.#unavailable('the rejected events could not be stored'));
      },
    );
  }

  /** Takes back what is in no send yet and answers; what is under way ends by itself and is only counted. */
  #giveUp(reason: string): void {
    if (this.#answered) return;
    // Nobody is kept waiting for events that were parked: what is in a send is awaited, so that it does not go again.
    if (!this.#released) this.#tell(this.#unavailable(reason));
    const parts = new Set<MessageOwner>(this.#parts.values());
    for (const delivery of new Set(this.#routes.map((route) => route.delivery)))
      delivery.withdraw((owner) => owner === this || parts.has(owner));
  }

  #tell(answer: IntakeAnswer): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#cancelTimer();
    failpoint('answer.before');
    this.#answer(answer);
    failpoint('answer.after');
  }

  #unavailable(reason: string): IntakeAnswer {
    return { state: 'unavailable', retryAfterSeconds: RETRY_AFTER_SECONDS, reason };
  }

  /** These are events that were parked. */
  get #released(): boolean {
    return this.#routes[0]?.released === true;
  }

  #keep(eventIndex: number, route: EventRoute, rejection: Rejection): void {
    const event = this.#events[eventIndex]!;
    const mapped = route.flow.mapping.map(event, route.context);
    if (this.#released) (this.#lettersOf ??= []).push(eventIndex);
    this.#letters.push(letterOf(route.flow.sync.name, null, event, 'state' in mapped ? null : mapped, rejection));
  }
}

/** Its position is read from the event only where it goes to the disk: most never do. */
function spoolable(message: Message, route: string, event: SourceRecord): SpooledMessage {
  return {
    message,
    route,
    get position() {
      return event.position;
    },
  };
}

function concerns(held: Held, { mapping }: Flow): boolean {
  return held.topic === null || mapping.literalTopic === null || mapping.literalTopic === held.topic;
}
