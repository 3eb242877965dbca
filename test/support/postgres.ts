/** A real PostgreSQL for tests: npm's binaries or the machine's own, on loopback, in a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { randomHex } from '../../src/base/random.ts';
import { freePorts } from '../../src/local/ports.ts';
import { npmPostgres } from './postgres-binaries.ts';
import { until } from './until.ts';

export interface TestPostgres {
  /** e.g. `18.4` */
  readonly version: string;
  readonly port: number;
  /** Makes a fresh, empty database and answers its URL. */
  createDatabase(): Promise<string>;
  /** Stops the server and takes its files away. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** `npm`: the pinned binaries; `machine`: what is installed; absent: npm's, else the machine's. */
  readonly binaries?: 'npm' | 'machine';
  /** More `-c name=value` settings. */
  readonly settings?: Readonly<Record<string, string>>;
}

const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 15_000;
/** `nobody`: PostgreSQL refuses to run as root. */
const NOBODY = 65_534;

/** Whether there are binaries to start; tests that need PostgreSQL skip with one line where there are none. */
export function hasPostgres(binaries?: PostgresOptions['binaries']): boolean {
  return (binaries !== 'machine' && npmPostgres.exists()) || (binaries !== 'npm' && machineBinaries() !== null);
}

/** Starts a server that does not flush to disk, with logical replication on. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  // The temporary folder, since the user that the server runs as may not be able to enter the project's.
  const folder = mkdtempSync(join(tmpdir(), 'headrace-postgres-'));
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  let server: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (server !== undefined) await end(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    chmodSync(folder, 0o700);
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
    const bin = binariesFor(options.binaries, folder);
    const running = { ...user, cwd: folder, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
    initialise(bin, folder, running);
    const [port] = (await freePorts(1)) as [number];
    server = launch(bin, folder, port, { ...options.settings }, running);
    const version = await ready(port, server);
    return { version, port, stop, createDatabase: () => createDatabase(port) };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Running {
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd: string;
  readonly env: Record<string, string>;
}

function binariesFor(wanted: PostgresOptions['binaries'], folder: string): string {
  if (wanted !== 'machine' && npmPostgres.exists()) return npmPostgres.prepare(folder);
  const machine = wanted === 'npm' ? null : machineBinaries();
  if (machine === null) throw new Error(`There are no PostgreSQL binaries (${wanted ?? 'npm or machine'}).`);
  return machine;
}

function machineBinaries(): string | null {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...(process.env['PATH'] ?? '').split(':')];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)))) ?? null;
}

function initialise(bin: string, folder: string, running: Running): void {
  const flags = ['-D', join(folder, 'data'), '-U', 'app', '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  const made = spawnSync(join(bin, 'initdb'), flags, { ...running, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`);
}

function launch(
  bin: string,
  folder: string,
  port: number,
  more: Record<string, string>,
  running: Running,
): ChildProcess {
  const settings = { wal_level: 'logical', fsync: 'off', max_replication_slots: '8', max_wal_senders: '8', ...more };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const place = ['-D', join(folder, 'data'), '-h', '127.0.0.1', '-p', String(port), '-k', ''];
  const server = spawn(join(bin, 'postgres'), [...place, ...flags], { ...running, stdio: 'ignore' });
  const kill = (): void => void server.kill('SIGQUIT');
  process.once('exit', kill);
  server.once('exit', () => process.removeListener('exit', kill));
  return server;
}

async function ready(port: number, server: ChildProcess): Promise<string> {
  const answer = async (): Promise<string | undefined> =>
    server.exitCode === null ? query(port, 'show server_version') : 'ended';
  const version = await until('PostgreSQL answers', answer, { deadlineMs: READY_WITHIN_MS });
  if (version === 'ended') throw new Error(`postgres ended at once with code ${server.exitCode}`);
  return version;
}

async function createDatabase(port: number): Promise<string> {
  const name = `test_${randomHex(6)}`;
  await query(port, `create database ${name}`);
  return `postgres://app@127.0.0.1:${port}/${name}`;
}

async function query(port: number, sql: string): Promise<string> {
  const client = new Client({ host: '127.0.0.1', port, user: 'app', database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return String(Object.values(rows[0] ?? {})[0]);
  } finally {
    await client.end().catch(() => {});
  }
}

/** SIGINT: ends the sessions and stops. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  server.kill('SIGINT');
  const late = setTimeout(() => server.kill('SIGQUIT'), STOPPED_WITHIN_MS);
  await ended;
  clearTimeout(late);
}
