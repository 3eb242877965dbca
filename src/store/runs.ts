/** Runs: their facts, counts and checkpoints. */
import type { Kysely, Selectable, Updateable } from 'kysely';
import { isoTime, type Clock } from '../base/clock.ts';
import { parseJson } from '../base/json.ts';
import {
  emptyCounts,
  HeadraceError,
  type Counts,
  type JsonValue,
  type RunFacts,
  type RunState,
} from '../model/index.ts';
import { isUniqueViolation, onState, stateError } from './failure.ts';
import type { Tables } from './tables.ts';

/** Who writes: the data folder (`node`) and this process with its lock on it (`owner`). */
export interface Holder {
  readonly node: string;
  readonly owner: string;
}

export interface RunStore {
  /** HeadraceError `conflict` while another run of the sync is running. */
  create(run: Pick<RunFacts, 'id' | 'sync' | 'cause' | 'startedAt'>): Promise<RunFacts>;
  /** Takes up a run that is neither running nor succeeded, from its checkpoint and counts. `conflict` as `create`. */
  resume(id: string): Promise<RunFacts>;
  get(id: string): Promise<RunFacts | null>;
  /** The run of the sync that was created last. */
  latest(sync: string): Promise<RunFacts | null>;
  /** Newest first; `limit` 100 unless told. */
  list(filter?: { sync?: string; limit?: number }): Promise<RunFacts[]>;
  /** Forgets the checkpoints of a sync's ended runs: none of them is taken up again. */
  forget(sync: string): Promise<void>;
  /**
   * Checkpoint and counts together, durable when it resolves: after a crash both are of the same moment. HeadraceError
   * `conflict` when the run is no longer running under this process.
   */
  saveCheckpoint(id: string, checkpoint: JsonValue, counts: Counts): Promise<void>;
  /** The run's end. `checkpoint` absent: what was saved last stays. `conflict` as `saveCheckpoint`. */
  finish(id: string, end: RunEnd): Promise<RunFacts>;
  /**
   * Runs that are running under another process of this data folder become `interrupted`. Only for who holds the data
   * lock: then that process is gone. Answers how many.
   */
  interruptAbandoned(): Promise<number>;
}

export interface RunEnd {
  readonly state: Exclude<RunState, 'running'>;
  readonly counts: Counts;
  readonly error: RunFacts['error'];
  readonly checkpoint?: JsonValue;
}

export function runStore(db: Kysely<Tables>, place: string, holder: Holder, clock: Clock): RunStore {
  const find = async (id: string): Promise<RunFacts | null> => {
    const row = await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  };

  /** Changes a run that is running under this process, in one statement. */
  const change = async (id: string, values: Updateable<Tables['runs']>): Promise<RunFacts> => {
    const row = await db
      .updateTable('runs')
      .set(values)
      .where('id', '=', id)
      .where('state', '=', 'running')
      .where('owner', '=', holder.owner)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw notOurs(id);
    return fromRow(row);
  };

  return {
    async create({ id, sync, cause, startedAt }) {
      const row = {
        id,
        sync,
        cause,
        state: 'running',
        counts: JSON.stringify(emptyCounts()),
        started_at: startedAt,
        resumed: 0,
        ...holder,
      };
      try {
        return fromRow(await db.insertInto('runs').values(row).returningAll().executeTakeFirstOrThrow());
      } catch (error) {
        throw isUniqueViolation(error) ? alreadyRunning(sync) : stateError(place, error);
      }
    },

    async resume(id) {
      const update = db
        .updateTable('runs')
        .set((column) => ({
          state: 'running',
          resumed: column('resumed', '+', 1),
          ended_at: null,
          error: null,
          ...holder,
        }))
        .where('id', '=', id)
        .where('state', 'not in', ['running', 'succeeded'])
        .returningAll();
      try {
        const row = await update.executeTakeFirst();
        if (row !== undefined) return fromRow(row);
      } catch (error) {
        throw isUniqueViolation(error) ? alreadyRunning(`of run ${id}`) : stateError(place, error);
      }
      throw cannotResume(id, await onState(place, () => find(id)));
    },

    get: (id) => onState(place, () => find(id)),

    async latest(sync) {
      const [run] = await this.list({ sync, limit: 1 });
      return run ?? null;
    },

    list: ({ sync, limit = 100 } = {}) =>
      onState(place, async () => {
        let query = db.selectFrom('runs').selectAll().orderBy('seq', 'desc').limit(limit);
        if (sync !== undefined) query = query.where('sync', '=', sync);
        return (await query.execute()).map(fromRow);
      }),

    forget: (sync) =>
      onState(place, async () => {
        await db
          .updateTable('runs')
          .set({ checkpoint: null })
          .where('sync', '=', sync)
          .where('state', '<>', 'running')
          .execute();
      }),

    saveCheckpoint: (id, checkpoint, counts) =>
      onState(place, async () => {
        // Promise 2: one statement, so that neither a crash nor a reader sees one without the other.
        await change(id, { checkpoint: JSON.stringify(checkpoint), counts: JSON.stringify(counts) });
      }),

    finish: (id, { state, counts, error, checkpoint }) =>
      onState(place, () =>
        change(id, {
          state,
          counts: JSON.stringify(counts),
          error: error === null ? null : JSON.stringify(error),
          ended_at: isoTime(clock.now()),
          ...(checkpoint === undefined ? {} : { checkpoint: JSON.stringify(checkpoint) }),
        }),
      ),

    interruptAbandoned: () =>
      onState(place, async () => {
        const result = await db
          .updateTable('runs')
          .set({ state: 'interrupted', ended_at: isoTime(clock.now()) })
          .where('state', '=', 'running')
          .where('node', '=', holder.node)
          .where('owner', '<>', holder.owner)
          .executeTakeFirst();
        return Number(result.numUpdatedRows);
      }),
  };
}

function fromRow(row: Selectable<Tables['runs']>): RunFacts {
  return {
    id: row.id,
    sync: row.sync,
    state: row.state as RunState,
    cause: row.cause as RunFacts['cause'],
    counts: JSON.parse(row.counts) as Counts,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    resumed: row.resumed,
    error: row.error === null ? null : (JSON.parse(row.error) as RunFacts['error']),
    checkpoint: row.checkpoint === null ? null : (parseJson(row.checkpoint) as JsonValue),
  };
}

function alreadyRunning(sync: string): HeadraceError {
  return new HeadraceError('conflict', `A run of the sync ${sync} is running already.`, {
    remedy: 'Wait for its end, or cancel it.',
  });
}

function notOurs(id: string): HeadraceError {
  return new HeadraceError('conflict', `Run ${id} is not running in this process.`, {
    remedy: 'It was ended or taken up by another process: look at its state and start it again.',
  });
}

function cannotResume(id: string, run: RunFacts | null): HeadraceError {
  if (run === null) return new HeadraceError('not_found', `There is no run ${id}.`, { remedy: 'List the runs.' });
  return new HeadraceError('conflict', `Run ${id} is ${run.state} and cannot be taken up.`, {
    remedy: 'Start a new run.',
  });
}
