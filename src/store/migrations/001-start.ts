/** The first tables: meta, objects, runs and dead letters. */
import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { StoreKind } from '../tables.ts';

export function start(kind: StoreKind): Migration {
  const counter =
    kind === 'sqlite' ? sql`integer primary key autoincrement` : sql`bigint generated always as identity primary key`;
  const bytes = kind === 'sqlite' ? sql`blob` : sql`bytea`;

  return {
    async up(db) {
      await metaAndObjects(db);
      await runs(db, counter);
      await deadLetters(db, counter, bytes);
    },
  };
}

async function metaAndObjects(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('meta')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('objects')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('objects_key', ['kind', 'name'])
    .execute();
}

async function runs(db: Kysely<unknown>, counter: ColumnType): Promise<void> {
  await db.schema
    .createTable('runs')
    .addColumn('seq', counter)
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('sync', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('cause', 'text', (column) => column.notNull())
    .addColumn('counts', 'text', (column) => column.notNull())
    .addColumn('started_at', 'text', (column) => column.notNull())
    .addColumn('ended_at', 'text')
    .addColumn('resumed', 'integer', (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('checkpoint', 'text')
    .addColumn('node', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('runs_of_sync').on('runs').columns(['sync', 'seq']).execute();
  // The database itself holds that a sync has one run at a time, whoever starts it.
  await sql`create unique index runs_one_running on runs (sync) where state = 'running'`.execute(db);
}

async function deadLetters(db: Kysely<unknown>, counter: ColumnType, bytes: ColumnType): Promise<void> {
  await db.schema
    .createTable('dead_letters')
    .addColumn('id', counter)
    .addColumn('sync', 'text', (column) => column.notNull())
    .addColumn('run', 'text')
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('field', 'text')
    .addColumn('position', 'text')
    .addColumn('topic', 'text')
    .addColumn('partition', 'bigint')
    .addColumn('key', bytes)
    .addColumn('value', bytes)
    .addColumn('headers', 'text', (column) => column.notNull())
    .addColumn('timestamp_ms', 'bigint')
    .addColumn('raw', bytes)
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('digest', 'text')
    .execute();
  await db.schema.createIndex('dead_letters_of_sync').on('dead_letters').columns(['sync', 'id']).execute();
  // A run that died after its dead letters were kept and before its checkpoint was saved meets the same records again.
  await sql`create unique index dead_letters_once_a_run on dead_letters (run, digest) where run is not null`.execute(
    db,
  );
}

type ColumnType = ReturnType<typeof sql>;
