/** Small facts by key. */
import type { Kysely } from 'kysely';
import { onState } from './failure.ts';
import type { Tables } from './tables.ts';

export interface MetaStore {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
}

export function metaStore(db: Kysely<Tables>, place: string): MetaStore {
  return {
    get: (key) =>
      onState(place, async () => {
        const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
        return row?.value ?? null;
      }),
    set: (key, value) =>
      onState(place, async () => {
        await db
          .insertInto('meta')
          .values({ key, value })
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
          .execute();
      }),
    remove: (key) =>
      onState(place, async () => {
        await db.deleteFrom('meta').where('key', '=', key).execute();
      }),
  };
}
