/** Where the collector's events go: through every event sync of their source. */
import type { Clock } from '../base/clock.ts';
import { integrationsAllow } from '../sources/events/index.ts';
import type { EventIntake, IntakeAnswer } from '../sources/ports.ts';
import type { Configuration, SourceRecord } from '../model/index.ts';
import type { Destinations, OpenDestination } from './destinations.ts';
import { ACCEPT_WITHIN_MS, EventBatch, type EventRoute } from './event-batch.ts';
import { isActive, type Flow } from './flows.ts';
import type { DeadLetterStore, SyncObserver } from './ports.ts';

interface PlannedRoute {
  readonly flow: Flow;
  readonly context: EventRoute['context'];
  readonly passes: EventRoute['passes'];
}

export interface IntakeTools {
  readonly destinations: Destinations;
  readonly deadLetters: DeadLetterStore;
  readonly observer: SyncObserver;
  readonly clock: Clock;
}

export class SyncsIntake implements EventIntake {
  readonly #tools: IntakeTools;
  #plans = new Map<string, readonly PlannedRoute[]>();
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
    this.#plans = new Map(
      [...Map.groupBy(active, (flow) => flow.sync.source)].map(([source, all]) => [source, all.map(plan)]),
    );
  }

  accept(source: string, events: readonly SourceRecord[]): Promise<IntakeAnswer> {
    const plans = this.#plans.get(source);
    if (plans === undefined) return Promise.resolve({ state: 'safe' });
    const open = plans.map((one) => this.#tools.destinations.get(one.flow.sync.destination));
    const waits = open.filter(
      (one) => one !== null && (one.predecessor !== null || one.delivery.full),
    ) as OpenDestination[];
    return waits.length === 0
      ? this.#hand(events, plans, open, ACCEPT_WITHIN_MS)
      : this.#handLater(source, events, waits);
  }

  #hand(
    events: readonly SourceRecord[],
    plans: readonly PlannedRoute[],
    open: readonly (OpenDestination | null)[],
    waitMs: number,
  ): Promise<IntakeAnswer> {
    const routes: EventRoute[] = [];
    for (let i = 0; i < plans.length; i++) {
      const destination = open[i];
      if (destination == null) continue;
      const { flow, context, passes } = plans[i]!;
      routes.push({ flow, context, passes, delivery: destination.delivery });
    }
    const { clock, deadLetters, observer } = this.#tools;
    return new Promise((resolve) => {
      new EventBatch(events, routes, { clock, deadLetters, observer, waitMs }, resolve).start();
    });
  }

  /** Waits for room, or for the last messages under old settings; the waiting counts against the same limit. */
  async #handLater(
    source: string,
    events: readonly SourceRecord[],
    waits: readonly OpenDestination[],
  ): Promise<IntakeAnswer> {
    const { clock } = this.#tools;
    const startedMs = clock.monotonic();
    const deadline = new AbortController();
    const ready = Promise.all(waits.map(async (one) => (await one.predecessor, one.delivery.whenRoom())));
    const inTime = await Promise.race([
      ready.then(() => true),
      clock.sleep(ACCEPT_WITHIN_MS, deadline.signal).then(() => false),
    ]);
    deadline.abort();
    if (!inTime) return { state: 'unavailable', retryAfterSeconds: 5, reason: 'the destination has no room for more' };
    const plans = this.#plans.get(source) ?? [];
    const open = plans.map((one) => this.#tools.destinations.get(one.flow.sync.destination));
    return this.#hand(events, plans, open, Math.max(1, ACCEPT_WITHIN_MS - (clock.monotonic() - startedMs)));
  }
}

function plan(flow: Flow): PlannedRoute {
  const { sync } = flow;
  return {
    flow,
    context: { sync: sync.name, source: sync.source, syncedAt: '', syncedAtMs: 0, run: null },
    passes: (event) => (flow.passes === null || flow.passes(event)) && integrationsAllow(event, sync.destination),
  };
}
