/** Everything that runs: destinations, event syncs and runs under one configuration, changed without loss. */
import type { Clock } from '../base/clock.ts';
import type { OpenFiles } from '../sources/ports.ts';
import type { Configuration } from '../model/index.ts';
import { DeadLetterWriter } from './dead-letter-writer.ts';
import { Destinations } from './destinations.ts';
import { SyncsIntake } from './event-intake.ts';
import { buildFlows, type Flow } from './flows.ts';
import type { DeadLetterStore, RunStore, SyncObserver } from './ports.ts';
import { Runs } from './runs.ts';

export interface SyncsTools {
  readonly runs: RunStore;
  readonly deadLetters: DeadLetterStore;
  readonly observer: SyncObserver;
  readonly clock: Clock;
  readonly openFiles: OpenFiles;
}

const NOTHING: Configuration = { destinations: new Map(), sources: new Map(), syncs: new Map() };

export class Syncs {
  readonly destinations: Destinations;
  readonly intake: SyncsIntake;
  readonly runs: Runs;
  #configuration: Configuration = NOTHING;
  #flows: ReadonlyMap<string, Flow> = new Map();

  constructor(tools: SyncsTools) {
    this.destinations = new Destinations(tools.clock, tools.observer);
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

  /** No new events; runs stop at their next safe position. */
  async drain(): Promise<void> {
    this.intake.drain();
    await this.runs.stop();
  }

  /** Waits up to the grace for what is under way, then closes. Returns how many messages were left without an answer. */
  close(graceMs: number): Promise<number> {
    return this.destinations.close(graceMs);
  }
}
