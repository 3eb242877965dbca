/** Dead letters: kept byte for byte, many in one commit. */
import { createHash } from 'node:crypto';
import type { Insertable, Kysely, Selectable } from 'kysely';
import { isoTime, type Clock } from '../base/clock.ts';
import type { DeadLetter, DeadLetterGroup, ErrorCode, Header, StoredDeadLetter } from '../model/index.ts';
import { onState } from './failure.ts';
import { letterPositionStore, type LetterPositionStore } from './letter-positions.ts';
import type { Tables } from './tables.ts';

export interface DeadLetterStore extends LetterPositionStore {
  /**
   * Resolves when all are durable. Calls that come while a commit is under way share the next one. The same record
   * of the same run has one dead letter, so that a run may be taken up again.
   */
  add(letters: readonly DeadLetter[]): Promise<void>;
  /** Newest first; `limit` 100 unless told; `before`: only ids below it (for the next page). */
  list(filter: { sync?: string; run?: string; limit?: number; before?: number }): Promise<StoredDeadLetter[]>;
  /** What there is of each code, most first. */
  count(filter?: { sync?: string; run?: string }): Promise<DeadLetterGroup[]>;
  /** Oldest first, those after an id: to go through all of a sync. */
  page(sync: string, after: number, limit: number): Promise<StoredDeadLetter[]>;
  /** Durable when it resolves; ids that are gone already do no harm. */
  remove(ids: readonly number[]): Promise<void>;
  /** The reason of its newest rejection, in the place of the one before. */
  rejectedAgain(id: number, why: Pick<DeadLetter, 'code' | 'reason' | 'field'>): Promise<void>;
  /** Forgets all of a sync, or those of one code. How many they were. */
  clear(sync: string, code?: ErrorCode): Promise<number>;
}

/** Rows in one statement: 19 values each stay far below both databases' limits of parameters. */
const ROWS_PER_STATEMENT = 100;
const IDS_PER_STATEMENT = 500;
/** Dead letters in one commit, so that a flood of them does not hold the event loop for long. */
const LETTERS_PER_COMMIT = 1000;

export function deadLetterStore(db: Kysely<Tables>, place: string, clock: Clock): DeadLetterStore {
  const commit = (letters: readonly DeadLetter[]): Promise<void> =>
    onState(place, () =>
      db.transaction().execute(async (transaction) => {
        const createdAt = isoTime(clock.now());
        for (let from = 0; from < letters.length; from += ROWS_PER_STATEMENT) {
          const rows = letters.slice(from, from + ROWS_PER_STATEMENT).map((letter) => toRow(letter, createdAt));
          await transaction
            .insertInto('dead_letters')
            .values(rows)
            .onConflict((conflict) => conflict.columns(['run', 'digest']).where('run', 'is not', null).doNothing())
            .execute();
        }
      }),
    );

  return {
    ...letterPositionStore(db, place, clock),

    add: groupCommit(commit),

    list: ({ sync, run, limit = 100, before }) =>
      onState(place, async () => {
        let query = db.selectFrom('dead_letters').selectAll().orderBy('id', 'desc').limit(limit);
        if (sync !== undefined) query = query.where('sync', '=', sync);
        if (run !== undefined) query = query.where('run', '=', run);
        if (before !== undefined) query = query.where('id', '<', before);
        return (await query.execute()).map(fromRow);
      }),

    count: ({ sync, run } = {}) =>
      onState(place, async () => {
        let query = db
          .selectFrom('dead_letters')
          .select(({ fn }) => [
            'code',
            fn.countAll<number | string>().as('count'),
            fn.min('created_at').as('first_at'),
            fn.max('created_at').as('last_at'),
            fn.max('id').as('last_id'),
          ])
          .groupBy('code');
        if (sync !== undefined) query = query.where('sync', '=', sync);
        if (run !== undefined) query = query.where('run', '=', run);
        const rows = await query.execute();
        if (rows.length === 0) return [];
        const ids = rows.map((row) => Number(row.last_id));
        const reasons = await db.selectFrom('dead_letters').select(['id', 'reason']).where('id', 'in', ids).execute();
        const groups = rows.map((row) => ({
          code: row.code as ErrorCode,
          count: Number(row.count),
          firstAt: row.first_at,
          lastAt: row.last_at,
          example: reasons.find(({ id }) => Number(id) === Number(row.last_id))?.reason ?? '',
        }));
        return groups.sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
      }),

    page: (sync, after, limit) =>
      onState(place, async () => {
        const query = db.selectFrom('dead_letters').selectAll().where('sync', '=', sync).where('id', '>', after);
        return (await query.orderBy('id').limit(limit).execute()).map(fromRow);
      }),

    remove: (ids) =>
      onState(place, async () => {
        for (let from = 0; from < ids.length; from += IDS_PER_STATEMENT) {
          const some = ids.slice(from, from + IDS_PER_STATEMENT);
          await db.deleteFrom('dead_letters').where('id', 'in', some).execute();
        }
      }),

    rejectedAgain: (id, { code, reason, field }) =>
      onState(place, async () => {
        const why = { code, reason: storable(reason), field: field === null ? null : storable(field) };
        await db.updateTable('dead_letters').set(why).where('id', '=', id).execute();
      }),

    clear: (sync, code) =>
      onState(place, async () => {
        let query = db.deleteFrom('dead_letters').where('sync', '=', sync);
        if (code !== undefined) query = query.where('code', '=', code);
        return Number((await query.executeTakeFirst()).numDeletedRows);
      }),
  };
}

/** One commit at a time; what comes meanwhile waits together and goes in the next. */
function groupCommit(
  commit: (letters: readonly DeadLetter[]) => Promise<void>,
): (letters: readonly DeadLetter[]) => Promise<void> {
  interface Waiting {
    readonly letters: readonly DeadLetter[];
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let committing = false;

  const take = (): Waiting[] => {
    let count = 0;
    let calls = 0;
    while (calls < waiting.length && (calls === 0 || count + waiting[calls]!.letters.length <= LETTERS_PER_COMMIT)) {
      count += waiting[calls]!.letters.length;
      calls++;
    }
    const group = waiting.slice(0, calls);
    waiting = waiting.slice(calls);
    return group;
  };

  const drain = async (): Promise<void> => {
    committing = true;
    while (waiting.length > 0) {
      const group = take();
      try {
        await commit(group.flatMap((call) => call.letters));
        for (const call of group) call.resolve();
      } catch (error) {
        for (const call of group) call.reject(error);
      }
    }
    committing = false;
  };

  return (letters) => {
    if (letters.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      waiting.push({ letters, resolve, reject });
      if (!committing) void drain();
    });
  };
}

function toRow(letter: DeadLetter, createdAt: string): Insertable<Tables['dead_letters']> {
  const headers = JSON.stringify(letter.headers.map(([name, value]) => [name, value && value.toString('base64')]));
  return {
    sync: letter.sync,
    run: letter.run,
    code: letter.code,
    reason: storable(letter.reason),
    field: letter.field === null ? null : storable(letter.field),
    position: letter.position === null ? null : storable(letter.position),
    topic: letter.topic === null ? null : storable(letter.topic),
    partition: letter.partition,
    key: letter.key,
    value: letter.value,
    headers,
    timestamp_ms: letter.timestampMs,
    raw: letter.raw,
    partition_key: letter.partitionKey ?? null,
    identity: letter.identity ?? null,
    attempts: letter.attempts ?? null,
    created_at: createdAt,
    digest: letter.run === null ? null : digest(letter, headers),
  };
}

/** PostgreSQL's text cannot hold the NUL character, and one such reason must not fail everyone's commit. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

function digest(letter: DeadLetter, headers: string): string {
  const hash = createHash('sha256');
  // A record has one outcome in a run: read again after an interruption, perhaps under a changed mapping, it has one letter.
  if (letter.position !== null) return hash.update(letter.position).digest('base64url');
  hash.update(JSON.stringify([letter.position, letter.code, letter.reason, letter.field, letter.topic, headers]));
  for (const bytes of [letter.key, letter.value, letter.raw]) {
    hash.update(bytes === null ? '-' : `${bytes.length}:`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest('base64url');
}

function fromRow(row: Selectable<Tables['dead_letters']>): StoredDeadLetter {
  const headers = JSON.parse(row.headers) as [string, string | null][];
  return {
    id: Number(row.id),
    createdAt: row.created_at,
    sync: row.sync,
    run: row.run,
    code: row.code as ErrorCode,
    reason: row.reason,
    field: row.field,
    position: row.position,
    topic: row.topic,
    partition: row.partition === null ? null : Number(row.partition),
    key: bytesOf(row.key),
    value: bytesOf(row.value),
    headers: headers.map(([name, value]): Header => [name, value === null ? null : Buffer.from(value, 'base64')]),
    timestampMs: row.timestamp_ms === null ? null : Number(row.timestamp_ms),
    raw: bytesOf(row.raw),
    partitionKey: bytesOf(row.partition_key),
    identity: row.identity ?? `${row.sync}/${row.id}`,
    ...(row.attempts === null ? {} : { attempts: Number(row.attempts) }),
  };
}

/** node:sqlite gives Uint8Array, pg gives Buffer. */
function bytesOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
