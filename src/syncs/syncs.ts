/** Everything that runs: destinations, event syncs and runs under one configuration, changed without loss. */
import type { Clock } from '../base/clock.ts';
import type { OpenFiles } from '../sources/ports.ts';
import type { Configuration } from '../model/index.ts';
import { DeadLetterWriter } from './dead-letter-writer.ts';
import { DeadLetters } from './dead-letters.ts';
import { Destinations } from './destinations.ts';
import { SyncsIntake } from './event-intake.ts';
import { buildFlows, type Flow } from './flows.ts';
import type { DeadLetterStore, RunStore, SyncObserver } from './ports.ts';
import type { Redriven } from './redrive.ts';
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
  readonly deadLetters: DeadLetters;
  /** Null where events are not spooled. */
  readonly spools: Spools | null;
  #configuration: Configuration = NOTHING;
  #flows: ReadonlyMap<string, Flow> = new Map();

  constructor(tools: SyncsTools) {
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
            known: (sync) =>
              this.#configuration.syncs.has(sync) ||
              (this.#configuration.unusable ?? []).some((one) => one.sync === sync),
            release: (sync, events) => this.intake.release(sync, events),
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
    this.deadLetters = new DeadLetters({
      store: tools.deadLetters,
      sink: deadLetters,
      destinations: this.destinations,
      clock,
      configuration: () => this.#configuration,
      flows: () => this.#flows,
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
  redrive(sync: string): Promise<Redriven> {
    return this.deadLetters.redrive(sync);
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
