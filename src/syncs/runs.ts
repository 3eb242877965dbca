/** The runs of table syncs: starts them, takes up interrupted ones, reports progress, cancels. */
import type { Clock } from '../base/clock.ts';
import { isoTime } from '../base/clock.ts';
import { randomId } from '../base/random.ts';
import { checkColumns } from '../mapping/index.ts';
import { HeadraceError, type Configuration, type RunFacts } from '../model/index.ts';
import type { OpenFiles, TableReader } from '../sources/ports.ts';
import type { Destinations } from './destinations.ts';
import { isActive, unknownSync, type Flow } from './flows.ts';
import { openTable } from './open-table.ts';
import type { DeadLetterSink, RunStore, SyncObserver } from './ports.ts';
import { TableRun } from './table-run.ts';

export interface RunTools {
  readonly runs: RunStore;
  readonly deadLetters: DeadLetterSink;
  readonly observer: SyncObserver;
  readonly clock: Clock;
  readonly openFiles: OpenFiles;
  readonly destinations: Destinations;
  /** As they are now. */
  flows(): ReadonlyMap<string, Flow>;
  configuration(): Configuration;
}

export interface ActiveRun {
  readonly id: string;
  readonly sync: string;
  /** As of the last safe position. */
  facts(): RunFacts;
  /** How far the source is read safely, in the reader's unit. */
  progress(): { done: number; total: number | null; unit: 'bytes' | 'rows' };
  /** Why its messages wait, while they do. */
  waits(): string | null;
  /** Stops after what is under way; the run is then `cancelled` and can be taken up. */
  cancel(): void;
  readonly ended: Promise<RunFacts>;
}

export class Runs {
  readonly #tools: RunTools;
  readonly #active = new Map<string, ActiveRun>();
  readonly #starting = new Set<string>();

  constructor(tools: RunTools) {
    this.#tools = tools;
  }

  active(): readonly ActiveRun[] {
    return [...this.#active.values()];
  }

  /** Starts a run, or takes up the last one where it stopped. Throws HeadraceError. */
  async start(sync: string, cause: RunFacts['cause']): Promise<ActiveRun> {
    if (this.#active.has(sync) || this.#starting.has(sync)) {
      throw new HeadraceError('conflict', `A run of ${sync} is under way already.`, {
        remedy: 'Wait for its end, or cancel it.',
      });
    }
    this.#starting.add(sync);
    try {
      return await this.#start(this.#flow(sync), cause);
    } finally {
      this.#starting.delete(sync);
    }
  }

  /** Cancels every run and waits for their ends. */
  async stop(): Promise<void> {
    const active = this.active();
    for (const run of active) run.cancel();
    await Promise.all(active.map((run) => run.ended));
  }

  /** The table sync of that name, ready to run. Throws HeadraceError saying why not. */
  #flow(sync: string): Flow {
    const flow = this.#tools.flows().get(sync);
    if (flow === undefined) throw unknownSync(sync, this.#tools.configuration());
    if (flow.kind === 'events') {
      throw new HeadraceError('conflict', `${sync} is an event sync: it has no runs.`, {
        remedy: 'It works as long as the server runs: `headrace start`.',
      });
    }
    if (!isActive(flow, this.#tools.configuration())) {
      throw new HeadraceError('conflict', `${sync}, its source or its destination is switched off.`, {
        remedy: 'Switch it on with `headrace enable`.',
      });
    }
    return flow;
  }

  async #start(flow: Flow, cause: RunFacts['cause']): Promise<ActiveRun> {
    const reader = await this.#open(flow);
    try {
      const run = await this.#takeUpOrCreate(flow.sync.name, reader, cause);
      return this.#execute(run, reader);
    } catch (error) {
      await reader.close();
      throw error;
    }
  }

  async #open(flow: Flow): Promise<TableReader> {
    const { sync } = flow;
    const reader = await openTable(this.#tools.openFiles, this.#tools.configuration(), sync);
    const [problem] =
      reader.columns === null ? [] : checkColumns(sync.message, reader.columns, `syncs.${sync.name}.message`);
    if (problem === undefined) return reader;
    await reader.close();
    throw new HeadraceError('config_invalid', problem.reason, { path: problem.path, remedy: problem.remedy });
  }

  async #takeUpOrCreate(sync: string, reader: TableReader, cause: RunFacts['cause']): Promise<RunFacts> {
    const { runs, clock, observer } = this.#tools;
    const last = await runs.latest(sync);
    if (last !== null && last.state !== 'succeeded' && last.checkpoint !== null) {
      if (reader.fits(last.checkpoint)) return runs.resume(last.id);
      observer.warned(`the files of ${sync} changed since its last run stopped: it begins anew`);
    }
    return runs.create({ id: randomId(), sync, cause, startedAt: isoTime(clock.now()) });
  }

  #execute(run: RunFacts, reader: TableReader): ActiveRun {
    const { runs, deadLetters, observer, clock, destinations } = this.#tools;
    const stop = new AbortController();
    const current = (): ReturnType<ConstructorParameters<typeof TableRun>[3]['current']> => {
      const flow = this.#flow(run.sync);
      const destination = destinations.get(flow.sync.destination);
      if (destination === null)
        throw new HeadraceError('not_found', `There is no destination ${flow.sync.destination}.`);
      return { flow, destination };
    };
    const tableRun = new TableRun(run, reader, stop.signal, { runs, deadLetters, observer, clock, current });
    const ended = tableRun.execute().then(async (facts) => {
      this.#active.delete(run.sync);
      await reader.close();
      return facts;
    });
    const active: ActiveRun = {
      id: run.id,
      sync: run.sync,
      facts: () => tableRun.facts,
      progress() {
        const { checkpoint } = tableRun.facts;
        return {
          done: checkpoint === null ? 0 : reader.extent.done(checkpoint),
          total: reader.extent.total,
          unit: reader.extent.unit,
        };
      },
      waits: () => tableRun.waits,
      cancel: () => stop.abort(),
      ended,
    };
    this.#active.set(run.sync, active);
    return active;
  }
}
