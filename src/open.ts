/** Where a command's work is done: in the running server of the data folder, or here. A front door. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from './api/contract/client.ts';
import { systemClock } from './base/clock.ts';
import type { Opened, Target } from './cli/doors.ts';
import { dataFolderOf } from './config/data-folder.ts';
import { readEnvironment, type Environment } from './config/environment.ts';
import { HeadraceError } from './model/index.ts';
import { acquireDataLock } from './store/data-lock.ts';
import { readServerFile, type ServerFacts } from './store/server-file.ts';

const ANSWERS_WITHIN_MS = 2_000;

/** Throws HeadraceError; `conflict` names the process that works on the folder. */
export async function openTarget(target: Target): Promise<Opened> {
  const environment = readEnvironment();
  const dataFolder = dataFolderOf(target.data, environment);
  const facts = readServerFile(dataFolder);
  if (target.server !== null) return namedServer(target.server, environment, facts);
  if (facts !== null && (await answers(facts.address))) return serverAt(facts.address, facts.token);
  return openHere(target, environment, dataFolder);
}

function namedServer(url: string, environment: Environment, facts: ServerFacts | null): Opened {
  const address = /^https?:\/\//.test(url) ? url : `http://${url}`;
  if (!URL.canParse(address)) {
    throw new HeadraceError('config_invalid', `${url} is no address of a server.`, {
      path: '--server',
      remedy: 'For example: --server http://127.0.0.1:8080',
    });
  }
  const token = environment.token ?? (facts?.address === address.replace(/\/+$/, '') ? facts.token : null);
  if (token !== null) return serverAt(address, token);
  throw new HeadraceError('unauthorized', `The server at ${address} asks for its token.`, {
    path: 'HEADRACE_TOKEN',
    remedy: 'Set HEADRACE_TOKEN to the token of that server.',
  });
}

function serverAt(address: string, token: ServerFacts['token']): Opened {
  return { service: createClient(address, token), server: address, close: () => Promise.resolve() };
}

/** A server that was killed leaves its file behind, and its pid may be another's by now. */
async function answers(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/healthz`, { signal: AbortSignal.timeout(ANSWERS_WITHIN_MS) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function openHere(target: Target, environment: Environment, dataFolder: string): Promise<Opened> {
  // Loaded here: a command that asks a server needs none of it.
  const [{ openService }, { createQuietTelemetry }] = await Promise.all([
    import('./service.ts'),
    import('./telemetry/quiet.ts'),
  ]);
  const level = environment.variables['LOG_LEVEL'] === undefined ? 'warn' : environment.logLevel;
  const colour = process.stderr.isTTY && !environment.noColor;
  const { syncObserver: observer } = createQuietTelemetry({
    stream: 'stderr',
    level,
    pretty: true,
    colour,
    overProgress: process.stderr.isTTY === true,
    clock: systemClock,
  });
  const lock = target.use === 'work' ? acquireDataLock(dataFolder, { role: target.role }) : null;
  const stateless = lock === null && environment.databaseUrl === null && !existsSync(join(dataFolder, 'headrace.db'));
  // Who only looks leaves no folder behind where there was none.
  const stateFolder = stateless ? await mkdtemp(join(tmpdir(), 'headrace-')) : dataFolder;
  const cleanUp = async (): Promise<void> => {
    lock?.release();
    if (stateless) await rm(stateFolder, { recursive: true, force: true });
  };
  try {
    const over = target.over === undefined ? {} : { over: target.over };
    const opened = await openService({ environment, dataFolder, stateFolder, lock, observer, ...over });
    return {
      service: opened.service,
      server: null,
      async close() {
        await opened.close();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
