/** The spool of each destination: opened, given what it needs, kept when its destination goes. */
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import {
  Spool,
  isParked,
  systemFiles,
  type Delivery,
  type IntakeOptions,
  type Released,
  type SpooledMessage,
  type SpoolStatus,
} from '../delivery/index.ts';
import type { RejectedMessage } from '../delivery/spool/ports.ts';
import { assignerOf } from '../kafka/index.ts';
import {
  DEFAULT_SPOOL_BYTES,
  HeadraceError,
  type DestinationConfig,
  type Held,
  type Partitioner,
  type Rejection,
  type SourceRecord,
} from '../model/index.ts';
import { isTripped, judge, type Flow } from './flows.ts';
import { eventOfBytes } from './given-record.ts';
import { letterOf } from './letters.ts';
import type { DeadLetterSink, SyncObserver } from './ports.ts';
import { lookIntoSpools, spoolFolder } from './spool-folders.ts';

export interface SpoolTools {
  /** Holds one folder for each destination. */
  readonly folder: string;
  readonly clock: Clock;
  readonly observer: SyncObserver;
  readonly deadLetters: () => DeadLetterSink;
  readonly flows: () => ReadonlyMap<string, Flow>;
  /** Whether a sync is configured, if only as one that cannot work. */
  readonly known: (sync: string) => boolean;
  /** Events of a sync that were parked go on; whether they are safe. */
  readonly release: (sync: string, events: readonly SourceRecord[]) => Promise<Released>;
  /** A spool is open and has messages: its destination is needed. */
  readonly wanted: (destination: string) => void;
}

/** The spool of one destination, which outlives changes of its settings. */
export interface OpenSpool {
  /** Null until it is open, or when it cannot be opened. */
  spool: Spool | null;
  /** Resolves when it is open or has failed for the first time; null: it is. */
  opening: Promise<void> | null;
  /** Why it cannot be used; null: it can. It is tried again by itself. */
  problem: string | null;
}

/** What is told of a destination's spool. */
export interface ToldSpool extends SpoolStatus {
  /** Why it cannot be used, so that events are 429; null: it can. */
  readonly problem: string | null;
}

interface KeptSpool extends OpenSpool {
  delivery: Delivery | null;
  /** It is being opened once more. */
  retrying: Promise<void> | null;
  /** Until then it is not opened once more. */
  cancelRetry: () => void;
  failures: number;
  /** Its destination is gone or switched off. */
  closing: Promise<void> | null;
  maxBytes: number;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const RESERVE_BYTES = 4 * 1024 * 1024;
/** Until a spool that could not be opened is tried again. */
const OPEN_AGAIN = { firstMs: 1_000, maxMs: 30_000 };
/** Routes of configurations long gone are not remembered for ever. */
const MAX_ROUTES = 1_000;

/** How a sync's messages are to be handled, as it stands with them on the disk. */
interface Route {
  readonly sync: string;
  readonly partitioner: Partitioner;
  readonly computedTopic: boolean;
  readonly batchBytes: number;
  readonly batchMessages: number;
  readonly ordering?: IntakeOptions['ordering'];
}

interface KnownRoute {
  readonly route: Route;
  /** The sync as it is configured now, where there is one: it says what may be left out of a message that is too large. */
  readonly flow: Flow | undefined;
  readonly options: IntakeOptions;
}

/** The same text for all messages of a sync under one configuration. */
export function routeText({ sync, options }: Flow): string {
  const { computedTopic, batchBytes, batchMessages, ordering } = options;
  const route: Route = {
    sync: sync.name,
    partitioner: sync.partitioner,
    computedTopic,
    batchBytes,
    batchMessages,
    ...(ordering === undefined ? {} : { ordering }),
  };
  return JSON.stringify(route);
}

export class Spools {
  readonly #tools: SpoolTools;
  readonly #open = new Map<string, KeptSpool>();
  readonly #routes = new Map<string, KnownRoute>();
  readonly #told = new Set<string>();

  constructor(tools: SpoolTools) {
    this.#tools = tools;
  }

  /** Opens what the configuration asks for; tells of spools that belong to nobody. */
  apply(
    configs: ReadonlyMap<string, DestinationConfig>,
    retiring: ReadonlyMap<string, Promise<void>> = new Map(),
  ): void {
    const { destinations: present, strays } = lookIntoSpools(this.#tools.folder);
    for (const path of strays) this.#tellOnce(path, `${path} is no spool of a destination: it is left alone.`);
    for (const config of configs.values())
      if (config.enabled && (config.spool !== false || present.includes(config.name))) this.#begin(config);
    for (const [name, one] of this.#open)
      if (configs.get(name)?.enabled !== true) this.#end(name, one, retiring.get(name));
    for (const name of present) if (configs.get(name)?.enabled !== true) this.#tellKept(name, configs.has(name));
  }

  /** Resolves when all that were begun are open. Throws HeadraceError with the first problem. */
  async opened(): Promise<void> {
    for (const [name, one] of this.#open) {
      await one.opening;
      if (one.problem === null) continue;
      throw new HeadraceError('state_failed', `The spool of the destination ${name} cannot be used: ${one.problem}`, {
        remedy: `Mend the folder ${spoolFolder(this.#tools.folder, name)}, or start the version that wrote it.`,
      });
    }
  }

  /** Null: events of this destination go to its lanes and nowhere else. */
  of(config: DestinationConfig): OpenSpool | null {
    const one = this.#open.get(config.name);
    if (one === undefined) return null;
    // Switched off: what it holds goes first, for order.
    return config.spool === false && one.spool !== null && one.spool.status.messages === 0 ? null : one;
  }

  /** Null: it has none, or it is being opened. */
  status(name: string): ToldSpool | null {
    const { spool = null, problem = null } = this.#open.get(name) ?? {};
    if (problem !== null) return { messages: 0, bytes: 0, oldestAgeSeconds: 0, problem };
    return spool === null ? null : { ...spool.status, problem };
  }

  /** What is in the lanes and on the disk too. */
  handedMessages(name: string): number {
    return this.#open.get(name)?.spool?.handedMessages ?? 0;
  }

  /** From now on it is emptied into this delivery. */
  attach(name: string, delivery: Delivery): void {
    const one = this.#open.get(name);
    if (one === undefined) return;
    one.delivery = delivery;
    one.spool?.attach(delivery);
  }

  /** The delivery is about to close. */
  detach(name: string): void {
    const one = this.#open.get(name);
    if (one === undefined) return;
    one.delivery = null;
    one.spool?.detach();
  }

  /** Nothing more is handed to Kafka; what comes in is taken still. */
  pause(): void {
    for (const { spool } of this.#open.values()) spool?.pause();
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map((one) => one.closing ?? close(one)));
  }

  #begin(config: DestinationConfig): void {
    const { name, spool } = config;
    const earlier = this.#open.get(name);
    const maxBytes = spool === false ? 0 : (spool?.maxBytes ?? DEFAULT_SPOOL_BYTES);
    if (earlier !== undefined && earlier.closing === null) {
      // Switched off, it takes what stands behind the rest as before.
      if (spool !== false) earlier.maxBytes = maxBytes;
      if (earlier.problem !== null) this.#openAgain(name, earlier);
      return;
    }
    const one: KeptSpool = {
      spool: null,
      opening: null,
      problem: null,
      delivery: null,
      retrying: null,
      cancelRetry: () => undefined,
      failures: 0,
      closing: null,
      maxBytes,
    };
    this.#open.set(name, one);
    one.opening = this.#tryOpen(name, one, earlier?.closing ?? null).then(() => void (one.opening = null));
  }

  /** Never rejects. */
  async #tryOpen(name: string, one: KeptSpool, before: Promise<void> | null): Promise<void> {
    try {
      const opened = await this.#openOne(name, one, before);
      if (one.problem !== null) this.#tools.observer.warned(`The spool of the destination ${name} can be used again.`);
      one.spool = opened;
      one.problem = null;
      one.failures = 0;
      if (one.delivery !== null) opened.attach(one.delivery);
      if (opened.status.messages > 0 && one.closing === null) this.#tools.wanted(name);
    } catch (error) {
      const problem = (error as Error).message;
      if (one.problem !== problem)
        this.#tools.observer.warned(`The spool of the destination ${name} cannot be used: ${problem}`);
      one.problem = problem;
      const waitMs = backoffMs(OPEN_AGAIN, ++one.failures);
      one.cancelRetry = this.#tools.clock.after(waitMs, () => this.#openAgain(name, one), { unref: true });
    }
  }

  /** Promise 1: until it is open its events are refused, since what it holds stands before them. */
  #openAgain(name: string, one: KeptSpool): void {
    one.cancelRetry();
    if (one.closing !== null || one.retrying !== null || this.#open.get(name) !== one) return;
    one.retrying = this.#tryOpen(name, one, null).then(() => void (one.retrying = null));
  }

  async #openOne(name: string, one: KeptSpool, before: Promise<void> | null): Promise<Spool> {
    await before;
    const { maxBytes } = one;
    const { clock, observer } = this.#tools;
    return Spool.open({
      files: systemFiles,
      folder: spoolFolder(this.#tools.folder, name),
      clock,
      maxBytes: () => one.maxBytes,
      segmentBytes: Math.max(256 * 1024, Math.min(SEGMENT_BYTES, Math.floor(maxBytes / 8))),
      reserveBytes: Math.min(RESERVE_BYTES, Math.floor(maxBytes / 16)),
      route: (text) => this.#route(text).options,
      delivered: (text) => this.#count(text, 'delivered'),
      reject: (letters) => this.#reject(letters),
      held: (topic, held) => this.#mark(name, topic, held),
      parked: (sync) => this.#isParked(sync),
      release: (sync, items) => this.#release(sync, items),
      unusable: (sync, item) => this.#unusable(sync, item),
      warned: (message) => observer.warned(`Destination ${name}: ${message}`),
    });
  }

  /** Promise 5: what is in a send still has its outcome noted, so that it is not sent again when it is switched on. */
  #end(name: string, one: KeptSpool, retired: Promise<void> = Promise.resolve()): void {
    if (one.closing !== null) return;
    const closed = retired.then(() => close(one));
    one.closing = closed.then(() => {
      if (this.#open.get(name) === one) this.#open.delete(name);
    });
  }

  #route(text: string): KnownRoute {
    const known = this.#routes.get(text);
    const route = known?.route ?? (JSON.parse(text) as Route);
    const flow = this.#tools.flows().get(route.sync);
    if (known !== undefined && known.flow === flow) return known;
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    const { partitioner, ...options } = route;
    const { shrink } = flow?.options ?? {};
    const made: KnownRoute = {
      route,
      flow,
      options: { ...options, assign: assignerOf(partitioner), ...(shrink === undefined ? {} : { shrink }) },
    };
    this.#routes.set(text, made);
    return made;
  }

  #count(text: string, outcome: 'delivered' | 'rejected'): void {
    const { flow } = this.#route(text);
    if (flow === undefined) return;
    flow.counts.read++;
    flow.counts[outcome]++;
    flow.meter.read(1);
    if (outcome === 'delivered') {
      if (flow.held !== null && !isTripped(flow)) this.#hold(flow, null);
      return;
    }
    const held = judge(flow);
    if (held !== null) this.#hold(flow, held);
  }

  async #reject(letters: readonly RejectedMessage[]): Promise<void> {
    await this.#tools.deadLetters().add(
      letters.map(({ message, route, position, rejection }) => {
        const { sync } = this.#route(route).route;
        // A record that was parked: its value is what its source gave.
        if (isParked(message.topic)) return letterOf(sync, null, { position, bytes: message.value }, null, rejection);
        return letterOf(sync, null, { position, bytes: null }, message, rejection);
      }),
    );
    for (const { route } of letters) this.#count(route, 'rejected');
  }

  /** What a person sees: every event sync that names the topic. */
  #mark(name: string, topic: string, held: Held | null): void {
    for (const flow of this.#tools.flows().values()) {
      if (flow.kind !== 'events' || flow.sync.destination !== name) continue;
      const literal = flow.mapping.literalTopic;
      if (literal !== null && literal !== topic) continue;
      // That it rejects too much is for a person to lift.
      if (flow.held?.reason !== held?.reason && !isTripped(flow)) this.#hold(flow, held);
    }
  }

  #hold(flow: Flow, held: Held | null): void {
    flow.held = held;
    this.#tools.observer.held(flow.sync.name, held?.reason ?? null, held?.remedy ?? null);
  }

  #isParked(sync: string): boolean {
    const flow = this.#tools.flows().get(sync);
    return flow === undefined ? this.#tools.known(sync) : isTripped(flow);
  }

  #release(sync: string, items: readonly SpooledMessage[]): Promise<Released> {
    const nowMs = this.#tools.clock.now();
    // None is null: `#unusable` has taken those out.
    const events = items.map(({ message, position }) => eventOfBytes(message.value!, position, nowMs)!);
    return this.#tools.release(sync, events);
  }

  /** Nobody is left to map it, or it cannot be read: kept among the dead letters, and no longer in the way of others. */
  #unusable(sync: string, { message, position }: SpooledMessage): Rejection | null {
    if (!this.#tools.known(sync))
      return { state: 'rejected', code: 'not_found', reason: `there is no sync ${sync} any more` };
    if (this.#tools.flows().get(sync)?.kind === 'table')
      return { state: 'rejected', code: 'not_found', reason: `the sync ${sync} takes no events any more` };
    if (eventOfBytes(message.value!, position, 0) !== null) return null;
    const reason = `the event that was kept while the sync ${sync} waited cannot be read`;
    return { state: 'rejected', code: 'event_invalid', reason };
  }

  #tellKept(name: string, configured: boolean): void {
    const why = configured ? 'is switched off' : 'is not configured any more';
    this.#tellOnce(
      name,
      `The spool holds messages for the destination ${name}, which ${why}: they are kept in ${spoolFolder(this.#tools.folder, name)} and sent when it is there again.`,
    );
  }

  #tellOnce(what: string, message: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#tools.observer.warned(message);
  }
}

async function close(one: KeptSpool): Promise<void> {
  one.cancelRetry();
  await one.opening;
  await one.retrying;
  one.cancelRetry();
  one.spool?.detach();
  await one.spool?.close();
}
