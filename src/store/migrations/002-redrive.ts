/** What redriving a dead letter needs beside the message: its partition key, its identity, how often it was sent. */
import type { Migration } from 'kysely/migration';
import { sql } from 'kysely';
import type { StoreKind } from '../tables.ts';

export function redrive(kind: StoreKind): Migration {
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;
  return {
    async up(db) {
      // One statement a column: SQLite adds no two at once.
      await db.schema.alterTable('dead_letters').addColumn('partition_key', bytes).execute();
      await db.schema.alterTable('dead_letters').addColumn('identity', 'text').execute();
      await db.schema.alterTable('dead_letters').addColumn('attempts', 'integer').execute();
    },
  };
}
