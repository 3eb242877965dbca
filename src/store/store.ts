/** Our own state behind one handle: SQLite in the data folder, or PostgreSQL when a URL is given. */
import { join } from 'node:path';
import { Kysely, type Dialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { systemClock, type Clock } from '../base/clock.ts';
import { randomId } from '../base/random.ts';
import type { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';
import { openDataFolder } from './data-folder.ts';
import { deadLetterStore, type DeadLetterStore } from './dead-letters.ts';
import { onState, stateError } from './failure.ts';
import { metaStore, type MetaStore } from './meta.ts';
import { migrations } from './migrations/index.ts';
import { objectStore, type ObjectStore } from './objects.ts';
import { postgresDialect, postgresPlace } from './postgres.ts';
import { runStore, type Holder, type RunStore } from './runs.ts';
import { sqliteDialect } from './sqlite.ts';
import type { StoreKind, Tables } from './tables.ts';

export interface Store {
  readonly kind: StoreKind;
  /** Where the state is, for people: a path, or host and database. */
  readonly place: string;
  readonly objects: ObjectStore;
  readonly runs: RunStore;
  readonly deadLetters: DeadLetterStore;
  readonly meta: MetaStore;
  /** Ends what is under way, then closes. */
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dataFolder: string;
  /** null: SQLite in the data folder. */
  readonly databaseUrl: Secret | null;
  /**
   * The data lock that this process holds (`acquireDataLock`): runs that a dead process left running become
   * `interrupted`. Absent: nothing is marked, for who only looks.
   */
  readonly lock?: Holder;
  readonly clock?: Clock;
}

/** Opens the state and brings its tables up to date. Throws HeadraceError `state_failed` or `config_invalid`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl, clock = systemClock } = options;
  const kind: StoreKind = databaseUrl === null ? 'sqlite' : 'postgres';
  const file = join(options.dataFolder, 'headrace.db');
  if (kind === 'sqlite') openDataFolder(options.dataFolder);
  const dialect = databaseUrl === null ? openSqlite(file) : postgresDialect(databaseUrl);
  const place = databaseUrl === null ? file : postgresPlace(databaseUrl);
  const db = new Kysely<Tables>({ dialect });
  const holder: Holder = { node: options.lock?.node ?? 'none', owner: options.lock?.owner ?? randomId() };

  const store: Store = {
    kind,
    place,
    objects: objectStore(db, place, clock),
    runs: runStore(db, place, holder, clock),
    deadLetters: deadLetterStore(db, place, clock),
    meta: metaStore(db, place),
    close: () => onState(place, () => db.destroy()),
  };
  try {
    await migrate(db, kind, place);
    if (options.lock !== undefined) await store.runs.interruptAbandoned();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return store;
}

function openSqlite(file: string): Dialect {
  try {
    return sqliteDialect(file);
  } catch (error) {
    throw stateError(file, error);
  }
}

async function migrate(db: Kysely<Tables>, kind: StoreKind, place: string): Promise<void> {
  const known = migrations(kind);
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(known) } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && error.message.includes('corrupted migrations')) throw tooNew(place);
  throw stateError(place, error);
}

function tooNew(place: string): HeadraceError {
  return new HeadraceError('state_failed', `The state (${place}) was written by a newer version of Headrace.`, {
    remedy: 'Run that version or a newer one, or point to another data folder or database.',
  });
}
