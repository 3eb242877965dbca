/** The spool of each destination: opened, given what it needs, kept when its destination goes. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import {
  Spool,
  isParked,
  systemFiles,
  type Delivery,
  type IntakeOptions,
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

export interface SpoolTools {
  /** Holds one folder for each destination. */
  readonly folder: string;
  readonly clock: Clock;
  readonly observer: SyncObserver;
  readonly deadLetters: () => DeadLetterSink;
  readonly flows: () => ReadonlyMap<string, Flow>;
  /** Whether a sync is configured, if only as one that cannot work. */
  readonly known: (sync: string) => boolean;
  /** Events of a sync that were parked go on; whether all are safe. */
  readonly release: (sync: string, events: readonly SourceRecord[]) => Promise<boolean>;
  /** A spool is open and has messages: its destination is needed. */
  readonly wanted: (destination: string) => void;
}

/** The spool of one destination, which outlives changes of its settings. */
export interface OpenSpool {
  /** Null until it is open, or when it cannot be opened. */
  spool: Spool | null;
  /** Resolves when it is open or has failed; null: it is. */
  opening: Promise<void> | null;
  /** Why it cannot be used; null: it can. */
  problem: string | null;
}

interface KeptSpool extends OpenSpool {
  delivery: Delivery | null;
  /** Its destination is gone or switched off. */
  closing: Promise<void> | null;
  maxBytes: number;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;
const RESERVE_BYTES = 4 * 1024 * 1024;
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
  readonly #routes = new Map<string, { readonly route: Route; readonly options: IntakeOptions }>();
  readonly #told = new Set<string>();

  constructor(tools: SpoolTools) {
    this.#tools = tools;
  }

  /** Opens what the configuration asks for; tells of spools that belong to nobody. */
  apply(
    configs: ReadonlyMap<string, DestinationConfig>,
    retiring: ReadonlyMap<string, Promise<void>> = new Map(),
  ): void {
    const present = this.#present();
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
        remedy: `Mend the folder ${join(this.#tools.folder, encodeURIComponent(name))}, or start the version that wrote it.`,
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

  status(name: string): SpoolStatus | null {
    return this.#open.get(name)?.spool?.status ?? null;
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
    if (earlier !== undefined && earlier.closing === null && earlier.problem === null) {
      // Switched off, it takes what stands behind the rest as before.
      if (spool !== false) earlier.maxBytes = maxBytes;
      return;
    }
    const one: KeptSpool = {
      spool: null,
      opening: null,
      problem: null,
      delivery: null,
      closing: null,
      maxBytes,
    };
    this.#open.set(name, one);
    one.opening = this.#openOne(name, one, earlier?.closing ?? null).then(
      (opened) => {
        one.spool = opened;
        one.opening = null;
        if (one.delivery !== null) opened.attach(one.delivery);
        if (opened.status.messages > 0 && one.closing === null) this.#tools.wanted(name);
      },
      (error: unknown) => {
        one.problem = (error as Error).message;
        one.opening = null;
        this.#tools.observer.warned(`The spool of the destination ${name} cannot be used: ${one.problem}`);
      },
    );
  }

  async #openOne(name: string, one: KeptSpool, before: Promise<void> | null): Promise<Spool> {
    await before;
    const { maxBytes } = one;
    const { clock, observer } = this.#tools;
    return Spool.open({
      files: systemFiles,
      folder: join(this.#tools.folder, encodeURIComponent(name)),
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

  #route(text: string): { readonly route: Route; readonly options: IntakeOptions } {
    let known = this.#routes.get(text);
    if (known === undefined) {
      if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
      const route = JSON.parse(text) as Route;
      const { sync, partitioner, ...options } = route;
      const { shrink } = this.#tools.flows().get(sync)?.options ?? {};
      known = {
        route,
        options: { ...options, assign: assignerOf(partitioner), ...(shrink === undefined ? {} : { shrink }) },
      };
      this.#routes.set(text, known);
    }
    return known;
  }

  #count(text: string, outcome: 'delivered' | 'rejected'): void {
    const flow = this.#tools.flows().get(this.#route(text).route.sync);
    if (flow === undefined) return;
    flow.counts.read++;
    flow.counts[outcome]++;
    flow.meter.read(1);
    if (outcome === 'delivered') return;
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

  #release(sync: string, items: readonly SpooledMessage[]): Promise<boolean> {
    const nowMs = this.#tools.clock.now();
    const events = items.map(({ message, position }) => eventOfBytes(message.value!, position, nowMs));
    return this.#tools.release(
      sync,
      events.filter((event) => event !== null),
    );
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

  /** Names of folders with messages. */
  #present(): string[] {
    try {
      return readdirSync(this.#tools.folder)
        .filter((name) => readdirSync(join(this.#tools.folder, name)).some((file) => file.endsWith('.seg')))
        .map(decodeURIComponent);
    } catch {
      return [];
    }
  }

  #tellKept(name: string, configured: boolean): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    const why = configured ? 'is switched off' : 'is not configured any more';
    this.#tools.observer.warned(
      `The spool holds messages for the destination ${name}, which ${why}: they are kept in ${join(this.#tools.folder, encodeURIComponent(name))} and sent when it is there again.`,
    );
  }
}

async function close({ opening, spool }: OpenSpool): Promise<void> {
  await opening;
  spool?.detach();
  await spool?.close();
}
