/** The SQLite adapter by itself. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Kysely, sql } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import { sqliteDialect } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

function open(): Kysely<{ t: { a: unknown } }> {
  return new Kysely({ dialect: sqliteDialect(join(folder, `${count++}.db`)) });
}

test('a migration that fails half-way leaves nothing of itself', async () => {
  const db = open();
  const half: Migration = {
    async up(inside) {
      await sql`create table t (a)`.execute(inside);
      throw new Error('half-way');
    },
  };
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ half }) } });
  const { error } = await migrator.migrateToLatest();
  assert.match(String(error), /half-way/);
  assert.deepEqual((await sql`select name from sqlite_master where name = 't'`.execute(db)).rows, []);
  await db.destroy();
});

test('a transaction is undone when it throws, and holds up what comes beside it', async () => {
  const db = open();
  await sql`create table t (a)`.execute(db);
  const failing = db.transaction().execute(async (inside) => {
    await inside.insertInto('t').values({ a: 1 }).execute();
    throw new Error('undo');
  });
  const beside = db.insertInto('t').values({ a: 2 }).execute();
  await assert.rejects(failing, /undo/);
  await beside;
  assert.deepEqual(
    await db.selectFrom('t').selectAll().execute(),
    [{ a: 2 }].map((row) => Object.assign(Object.create(null), row)),
  );
  await db.destroy();
});

test('every commit is flushed to disk', async () => {
  const db = open();
  const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(db);
  assert.equal(rows[0]?.synchronous, 2);
  const { rows: modes } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(db);
  assert.equal(modes[0]?.journal_mode, 'wal');
  await db.destroy();
});

test('a statement is prepared once and its changes are counted', async () => {
  const db = open();
  await sql`create table t (a)`.execute(db);
  for (let a = 0; a < 300; a++) await db.insertInto('t').values({ a }).execute();
  // More statements than are kept.
  for (let a = 0; a < 300; a++) await sql.raw(`select ${a} as a`).execute(db);
  const deleted = await db.deleteFrom('t').where('a', '<', 100).executeTakeFirst();
  assert.equal(deleted.numDeletedRows, 100n);
  await db.destroy();
});
