/** `<data>/server.json`: how a command finds the running server of a data folder. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isProcessAlive } from '../base/process.ts';
import { Secret } from '../base/secret.ts';
import { openDataFolder, writePrivateFile } from './data-folder.ts';

export interface ServerFacts {
  readonly pid: number;
  /** e.g. `http://127.0.0.1:8080` */
  readonly address: string;
  readonly token: Secret;
}

/** Written by the server once it listens (mode 0600: the token opens the API). */
export function writeServerFile(dataFolder: string, facts: ServerFacts): void {
  openDataFolder(dataFolder);
  const { pid, address, token } = facts;
  writePrivateFile(fileIn(dataFolder), JSON.stringify({ pid, address, token: token.reveal() }));
}

/** The server of the data folder; null when there is none, or when what is written is of a process that is gone. */
export function readServerFile(dataFolder: string): ServerFacts | null {
  try {
    const { pid, address, token } = JSON.parse(readFileSync(fileIn(dataFolder), 'utf8')) as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof address !== 'string' || typeof token !== 'string') return null;
    return isProcessAlive(pid) ? { pid, address, token: new Secret(token) } : null;
  } catch {
    return null;
  }
}

/** Removes the file if it is this process's own. */
export function removeServerFile(dataFolder: string): void {
  if (readServerFile(dataFolder)?.pid === process.pid) rmSync(fileIn(dataFolder), { force: true });
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'server.json');
}
