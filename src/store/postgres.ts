/** PostgreSQL for the own state. */
import { Pool } from 'pg';
import { PostgresDialect, type Dialect } from 'kysely';
import type { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';

/** The state's queries are short; one connection is for the migrator, which holds its lock on a second one. */
const MAX_CONNECTIONS = 5;

/** Connects at first use. Throws HeadraceError `config_invalid` when the URL is none (its text is never shown). */
export function postgresDialect(url: Secret): Dialect {
  checkUrl(url);
  const pool = new Pool({
    connectionString: url.reveal(),
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: 5000,
    query_timeout: 60_000,
    application_name: 'headrace',
    keepAlive: true,
  });
  // An idle connection that the server closes is replaced at the next query; without a listener it would end the process.
  pool.on('error', () => {});
  return new PostgresDialect({ pool });
}

/** Where the state is, without user and password: `PostgreSQL at db.example:5432/headrace`. */
export function postgresPlace(url: Secret): string {
  const parsed = new URL(url.reveal());
  return `PostgreSQL at ${parsed.host}${parsed.pathname}`;
}

function checkUrl(url: Secret): void {
  const remedy = 'Write postgres://user:password@host:5432/database, with special characters percent-encoded.';
  if (!URL.canParse(url.reveal())) {
    throw new HeadraceError('config_invalid', 'DATABASE_URL is not a URL.', { path: 'DATABASE_URL', remedy });
  }
  const scheme = new URL(url.reveal()).protocol;
  if (scheme === 'postgres:' || scheme === 'postgresql:') return;
  throw new HeadraceError('config_invalid', `DATABASE_URL names no PostgreSQL: its scheme is ${scheme}//.`, {
    path: 'DATABASE_URL',
    remedy,
  });
}
