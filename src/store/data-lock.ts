/** The data lock: one process at a time works on a data folder. It frees itself when that process dies, however it dies. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isoTime, systemClock } from '../base/clock.ts';
import { isProcessAlive } from '../base/process.ts';
import { randomId } from '../base/random.ts';
import { HeadraceError } from '../model/index.ts';
import { createPrivateFile, openDataFolder, writePrivateFile } from './data-folder.ts';
import { stateError } from './failure.ts';
import type { Holder } from './runs.ts';

export interface DataLock extends Holder {
  /** May be called twice. */
  release(): void;
}

/**
 * Takes the lock at once or throws HeadraceError `conflict` that names the holder's pid. `role` says what the holder
 * does (`server`, `run orders`), for the message that another process then shows.
 *
 * Held as an exclusive lock of SQLite on `lock.db`, which the kernel drops with the process.
 */
export function acquireDataLock(dataFolder: string, options: { role: string }): DataLock {
  openDataFolder(dataFolder);
  const side = join(dataFolder, 'lock.json');
  let database: DatabaseSync | undefined;
  try {
    createPrivateFile(join(dataFolder, 'lock.db'));
    database = new DatabaseSync(join(dataFolder, 'lock.db'));
    const node = lockAndName(database);
    const facts = { pid: process.pid, role: options.role, since: isoTime(systemClock.now()) };
    writePrivateFile(side, JSON.stringify(facts));
    return heldLock(database, side, node);
  } catch (error) {
    database?.close();
    throw isBusy(error) ? heldByAnother(dataFolder, side) : stateError(join(dataFolder, 'lock.db'), error);
  }
}

/** Locks, and answers the data folder's own name, which is made at the first lock. */
function lockAndName(database: DatabaseSync): string {
  database.exec('pragma busy_timeout = 0; begin exclusive; create table if not exists node (id text)');
  const known = database.prepare('select id from node').get();
  if (known !== undefined) return String(known['id']);
  const node = randomId();
  database.prepare('insert into node (id) values (?)').run(node);
  // Between these two another process may take the lock; then this one is told so, and finds the name next time.
  database.exec('commit; begin exclusive');
  return node;
}

function heldLock(database: DatabaseSync, side: string, node: string): DataLock {
  let held = true;
  return {
    node,
    owner: randomId(),
    release() {
      if (!held) return;
      held = false;
      rmSync(side, { force: true });
      database.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return code === 5 || code === 6;
}

function heldByAnother(dataFolder: string, side: string): HeadraceError {
  const holder = readHolder(side);
  const who = holder === null ? 'Another process' : `The process ${holder.pid} (${holder.role})`;
  return new HeadraceError('conflict', `${who} is working on the data folder ${dataFolder}.`, {
    remedy: 'Wait until it is done or stop it, or name another folder with --data.',
  });
}

/** What the holder wrote about itself; null when that is missing or of a process that is gone. */
function readHolder(side: string): { pid: number; role: string } | null {
  try {
    const facts = JSON.parse(readFileSync(side, 'utf8')) as { pid: number; role: string };
    return typeof facts.pid === 'number' && isProcessAlive(facts.pid) ? facts : null;
  } catch {
    return null;
  }
}
