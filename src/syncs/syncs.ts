/** Everything that runs: destinations, event syncs and runs under one configuration, changed without loss. */
import type { Clock } from '../base/clock.ts';
import type { OpenFiles } from '../sources/ports.ts';
import { HeadraceError, type Configuration } from '../model/index.ts';
import { DeadLetterWriter } from './dead-letter-writer.ts';
import { Destinations } from './destinations.ts';
import { SyncsIntake } from './event-intake.ts';
import { buildFlows, isActive, unknownSync, type Flow } from './flows.ts';
import type { DeadLetterStore, RunStore, SyncObserver } from './ports.ts';
import { redriveStored, type Redriven } from './redrive.ts';
import { Runs } from './runs.ts';
import { Spools } from './spools.ts';

export interface SyncsTools {
  readonly runs: RunStore;
  readonly deadLetters: DeadLetterStore;
  readonly observer: SyncObserver;
  readonly clock: Clock;
  readonly openFiles: OpenFiles;
  /** Where events wait while Kafka cannot take them; absent: nowhere (commands). */
  readonly spoolFolder?: string;
}

const NOTHING: Configuration = { destinations: new Map(), sources: new Map(), syncs: new Map() };

export class Syncs {
  readonly destinations: Destinations;
  readonly intake: SyncsIntake;
  readonly runs: Runs;
  /** Null where events are not spooled. */
  readonly spools: Spools | null;
  #configuration: Configuration = NOTHING;
  #flows: ReadonlyMap<string, Flow> = new Map();
  readonly #tools: SyncsTools;
  readonly #redriving = new Set<string>();

  constructor(tools: SyncsTools) {
    this.#tools = tools;
    const { clock, observer, spoolFolder } = tools;
    this.spools =
      spoolFolder === undefined
        ? null
        : new Spools({
            folder: spoolFolder,
            clock,
            observer,
            deadLetters: () => deadLetters,
            flows: () => this.#flows,
            wanted: (name) => void this.destinations.get(name),
          });
    this.destinations = new Destinations(clock, observer, this.spools);
    const deadLetters = new DeadLetterWriter({
      ...tools,
      store: tools.deadLetters,
      destinations: this.destinations,
      flows: () => this.#flows,
    });
    this.intake = new SyncsIntake({ ...tools, deadLetters, destinations: this.destinations });
    this.runs = new Runs({
      ...tools,
      deadLetters,
      destinations: this.destinations,
      flows: () => this.#flows,
      configuration: () => this.#configuration,
    });
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  get flows(): ReadonlyMap<string, Flow> {
    return this.#flows;
  }

  /**
   * Takes a checked configuration: what is in flight ends under the old one, the next record starts under the new one.
   * Throws HeadraceError and changes nothing when a mapping does not compile.
   */
  apply(configuration: Configuration): void {
    const flows = buildFlows(configuration, this.#flows);
    this.#configuration = configuration;
    this.#flows = flows;
    this.destinations.apply(configuration.destinations);
    this.intake.use(flows, configuration);
  }

  /** Sends the dead letters of a sync again, each once. Throws HeadraceError. */
  async redrive(sync: string): Promise<Redriven> {
    if (this.#redriving.has(sync)) {
      throw new HeadraceError('conflict', `The dead letters of ${sync} are being sent again already.`, {
        remedy: 'Wait for its end.',
      });
    }
    this.#redriving.add(sync);
    try {
      const { deadLetters: store, clock } = this.#tools;
      return await redriveStored(sync, { store, clock, destinations: this.destinations, flow: () => this.#flow(sync) });
    } finally {
      this.#redriving.delete(sync);
    }
  }

  #flow(sync: string): Flow {
    const flow = this.#flows.get(sync);
    if (flow === undefined) throw unknownSync(sync, this.#configuration);
    if (isActive(flow, this.#configuration)) return flow;
    throw new HeadraceError('conflict', `${sync}, its source or its destination is switched off.`, {
      remedy: 'Switch it on with `headrace enable`.',
    });
  }

  /** No new events; runs stop at their next safe position. */
  async drain(): Promise<void> {
    this.intake.drain();
    this.spools?.pause();
    await this.runs.stop();
  }

  /** Messages in the lanes that are on the disk too. */
  handedMessages(): number {
    return [...this.#configuration.destinations.keys()].reduce(
      (sum, name) => sum + (this.spools?.handedMessages(name) ?? 0),
      0,
    );
  }

  /** Waits up to the grace for what is under way, then closes. Returns how many messages were left without an answer. */
  close(graceMs: number): Promise<number> {
    return this.destinations.close(graceMs);
  }
}
