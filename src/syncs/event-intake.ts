/** Where the collector's events go: through every event sync of their source. */
import type { Clock } from '../base/clock.ts';
import type { EventIntake, IntakeAnswer } from '../sources/ports.ts';
import type { Configuration, SourceRecord } from '../model/index.ts';
import type { Released } from '../delivery/index.ts';
import type { Destinations } from './destinations.ts';
import { ACCEPT_WITHIN_MS, EventBatch, type EventRoute } from './event-batch.ts';
import { isActive, isTripped, type Flow } from './flows.ts';
import type { DeadLetterSink, SyncObserver } from './ports.ts';
import { routeText } from './spools.ts';
import { WaitingLine } from './waiting-line.ts';

type Unusable = NonNullable<Configuration['unusable']>[number];

interface PlannedRoute {
  readonly flow: Flow;
  readonly context: EventRoute['context'];
  readonly passes: EventRoute['passes'];
  readonly routeText: string;
}

const CLOSED = unavailable('the destination is being closed');
const NO_ROOM = unavailable('the destination has no room for more');

export interface IntakeTools {
  readonly destinations: Destinations;
  readonly deadLetters: DeadLetterSink;
  readonly observer: SyncObserver;
  readonly clock: Clock;
}

export class SyncsIntake implements EventIntake {
  readonly #tools: IntakeTools;
  #plans = new Map<string, readonly PlannedRoute[]>();
  /** Sources with a sync that is switched on and cannot work. */
  #unusable = new Map<string, IntakeAnswer>();
  readonly #lines = new Map<string, WaitingLine>();
  #draining = false;

  constructor(tools: IntakeTools) {
    this.#tools = tools;
  }

  get draining(): boolean {
    return this.#draining;
  }

  drain(): void {
    this.#draining = true;
  }

  /** From the next event on. Events handed in before end under the flows they began with. */
  use(flows: ReadonlyMap<string, Flow>, configuration: Configuration): void {
    const active = [...flows.values()].filter((flow) => flow.kind === 'events' && isActive(flow, configuration));
    this.#unusable = new Map(
      [...(configuration.unusable ?? []), ...switchedOff(flows, configuration)].map(({ source, sync, reason }) => [
        source,
        unavailable(`the sync ${sync} cannot work: ${reason}`),
      ]),
    );
    this.#plans = new Map(
      [...Map.groupBy(active, (flow) => flow.sync.source)].map(([source, all]) => [source, all.map(plan)]),
    );
  }

  accept(source: string, events: readonly SourceRecord[]): Promise<IntakeAnswer> {
    if (this.#draining) return Promise.resolve(CLOSED);
    const unusable = this.#unusable.get(source);
    if (unusable !== undefined) return Promise.resolve(unusable);
    if (!this.#plans.has(source)) return Promise.resolve({ state: 'safe' });
    const tripped = this.#plans.get(source)?.find(({ flow }) => isTripped(flow) && !this.#canPark(flow));
    if (tripped !== undefined) {
      const { sync, held } = tripped.flow;
      return Promise.resolve(unavailable(`the sync ${sync.name} waits for a person: ${held?.reason}`));
    }
    const line = this.#line(source);
    return new Promise((answer) => {
      if (line.empty && this.#obstacle(source) === null) {
        this.#hand(source, events, ACCEPT_WITHIN_MS, answer);
        return;
      }
      const waiter = {
        obstacle: () => this.#obstacle(source),
        go: (leftMs: number) => this.#hand(source, events, leftMs, answer),
        expire: () => answer(NO_ROOM),
      };
      line.join(waiter, ACCEPT_WITHIN_MS);
    });
  }

  /** Events of a sync that were parked, in their order; whether each is safe. False: not now. */
  release(sync: string, events: readonly SourceRecord[]): Promise<Released> {
    const planned = [...this.#plans.values()].flat().find(({ flow }) => flow.sync.name === sync);
    if (this.#draining || planned === undefined || isTripped(planned.flow)) return Promise.resolve(false);
    const { flow, ...rest } = planned;
    const open = this.#tools.destinations.get(flow.sync.destination);
    if (open === null || open.predecessor !== null) return Promise.resolve(false);
    const spool = this.#tools.destinations.spoolOf(open.config)?.spool ?? null;
    const route = { ...rest, flow, delivery: open.delivery, spool, released: true };
    const { clock, deadLetters, observer } = this.#tools;
    return new Promise((resolve) => {
      const tools = { clock, deadLetters, observer, waitMs: ACCEPT_WITHIN_MS };
      const batch = new EventBatch(events, [route], tools, ({ state }) =>
        resolve(state === 'safe' || events.map((_event, at) => !batch.isLeft(at))),
      );
      batch.start();
    });
  }

  /** Whether its events can wait on the disk, so that nobody else waits for it. */
  #canPark({ sync }: Flow): boolean {
    const open = this.#tools.destinations.get(sync.destination);
    return open !== null && this.#tools.destinations.spoolOf(open.config) !== null;
  }

  /** Room in every delivery that the source's events go to, and nothing under way there under older settings; or a spool. */
  #obstacle(source: string): Promise<unknown> | null {
    if (this.#draining) return null;
    for (const { flow } of this.#plans.get(source) ?? []) {
      const open = this.#tools.destinations.get(flow.sync.destination);
      if (open === null) continue;
      const spool = this.#tools.destinations.spoolOf(open.config);
      if (spool !== null && spool.opening !== null) return spool.opening;
      if (spool !== null) continue;
      if (open.predecessor !== null) return open.predecessor;
      if (open.delivery.full) return open.delivery.whenRoom();
    }
    return null;
  }

  #hand(source: string, events: readonly SourceRecord[], waitMs: number, answer: (answer: IntakeAnswer) => void): void {
    if (this.#draining) {
      answer(CLOSED);
      return;
    }
    const routes: EventRoute[] = [];
    for (const { flow, context, passes, routeText } of this.#plans.get(source) ?? []) {
      const destination = this.#tools.destinations.get(flow.sync.destination);
      // Promise 1: a way that is closed now is no way that the events passed.
      if (destination === null) {
        answer(CLOSED);
        return;
      }
      const opened = this.#tools.destinations.spoolOf(destination.config);
      if (opened !== null && opened.problem !== null) {
        answer(unavailable(`the spool of the destination cannot be used: ${opened.problem}`));
        return;
      }
      routes.push({ flow, context, passes, routeText, delivery: destination.delivery, spool: opened?.spool ?? null });
    }
    const { clock, deadLetters, observer } = this.#tools;
    new EventBatch(events, routes, { clock, deadLetters, observer, waitMs }, answer).start();
  }

  #line(source: string): WaitingLine {
    let line = this.#lines.get(source);
    if (line === undefined) {
      line = new WaitingLine(this.#tools.clock);
      this.#lines.set(source, line);
    }
    return line;
  }
}

const always = (): boolean => true;

function unavailable(reason: string): IntakeAnswer {
  return Object.freeze({ state: 'unavailable', retryAfterSeconds: 5, reason });
}

/** Promise 1: a sync that is on with a destination that is off delivers nothing, so its events are not taken as safe. */
function switchedOff(flows: ReadonlyMap<string, Flow>, { destinations }: Configuration): Unusable[] {
  const on = [...flows.values()].filter(({ kind, sync }) => kind === 'events' && sync.enabled);
  const idle = on.filter(({ sync }) => destinations.get(sync.destination)?.enabled === false);
  return idle.map(({ sync }) => ({
    sync: sync.name,
    source: sync.source,
    reason: `its destination ${sync.destination} is switched off`,
  }));
}

function plan(flow: Flow): PlannedRoute {
  const { sync } = flow;
  return {
    flow,
    context: { sync: sync.name, source: sync.source, syncedAt: '', syncedAtMs: 0, run: null },
    passes: flow.passes ?? always,
    routeText: routeText(flow),
  };
}
