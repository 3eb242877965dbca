/** The configuration objects as written, and their atomic change. */
import { sql, type Kysely } from 'kysely';
import { isoTime, type Clock } from '../base/clock.ts';
import { parseJson } from '../base/json.ts';
import {
  HeadraceError,
  objectKinds,
  type JsonObject,
  type ObjectKind,
  type StoredObject,
  type WrittenObject,
} from '../model/index.ts';
import { onState } from './failure.ts';
import type { Tables } from './tables.ts';

export interface ObjectChanges {
  readonly put: readonly WrittenObject[];
  readonly remove: readonly { readonly kind: ObjectKind; readonly name: string }[];
}

export interface ObjectStore {
  /** All of them, destinations first, then sources, then syncs, each by name. */
  list(): Promise<StoredObject[]>;
  /** Grows by one with each `apply`: tells a running server that something changed. */
  generation(): Promise<number>;
  /**
   * Changes all or nothing. `basedOn`: the generation that the plan was made from; HeadraceError `conflict` when someone
   * applied in between. Answers the new generation.
   */
  apply(changes: ObjectChanges, basedOn?: number): Promise<number>;
}

const GENERATION = 'objects.generation';

export function objectStore(db: Kysely<Tables>, place: string, clock: Clock): ObjectStore {
  return {
    list: () =>
      onState(place, async () => {
        const rows = await db.selectFrom('objects').selectAll().execute();
        return rows.map(fromRow).sort(inOrder);
      }),

    generation: () =>
      onState(place, async () => {
        const row = await db.selectFrom('meta').select('value').where('key', '=', GENERATION).executeTakeFirst();
        return Number(row?.value ?? 0);
      }),

    apply: (changes, basedOn) =>
      onState(place, () =>
        db.transaction().execute(async (transaction) => {
          const generation = await nextGeneration(transaction);
          if (basedOn !== undefined && generation !== basedOn + 1) throw changedMeanwhile();
          const updatedAt = isoTime(clock.now());
          for (const object of changes.put) await put(transaction, object, updatedAt);
          for (const { kind, name } of changes.remove) {
            await transaction.deleteFrom('objects').where('kind', '=', kind).where('name', '=', name).execute();
          }
          return generation;
        }),
      ),
  };
}

/** First statement of an apply: its row lock makes a second apply wait for the first. */
async function nextGeneration(db: Kysely<Tables>): Promise<number> {
  const row = await db
    .insertInto('meta')
    .values({ key: GENERATION, value: '1' })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({ value: sql<string>`cast(cast(meta.value as bigint) + 1 as text)` }),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return Number(row.value);
}

async function put(db: Kysely<Tables>, object: WrittenObject, updatedAt: string): Promise<void> {
  const body = JSON.stringify(object.body);
  await db
    .insertInto('objects')
    .values({ kind: object.kind, name: object.name, body, version: 1, updated_at: updatedAt })
    .onConflict((conflict) =>
      conflict
        .columns(['kind', 'name'])
        .doUpdateSet({ body, version: sql<number>`objects.version + 1`, updated_at: updatedAt }),
    )
    .execute();
}

function fromRow(row: { kind: string; name: string; body: string; version: number; updated_at: string }): StoredObject {
  return {
    kind: row.kind as ObjectKind,
    name: row.name,
    body: parseJson(row.body) as JsonObject,
    version: row.version,
    updatedAt: row.updated_at,
  };
}

function inOrder(a: StoredObject, b: StoredObject): number {
  return objectKinds.indexOf(a.kind) - objectKinds.indexOf(b.kind) || (a.name < b.name ? -1 : 1);
}

function changedMeanwhile(): HeadraceError {
  return new HeadraceError('conflict', 'The configuration was changed by someone else since the plan was made.', {
    remedy: 'Look at the new plan and apply again.',
  });
}
