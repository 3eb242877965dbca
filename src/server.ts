/** The server: state, configuration, syncs, collector and API on one port, from start to orderly end. A front door. */
import { join } from 'node:path';
import { createApi } from './api/api.ts';
import { applyFile } from './api/apply-file.ts';
import { HttpFront } from './api/http.ts';
import type { HeadraceService } from './api/contract/service.ts';
import { systemClock } from './base/clock.ts';
import { failpoint } from './base/failpoint.ts';
import { randomHex } from './base/random.ts';
import { Secret } from './base/secret.ts';
import { readFile, type Environment } from './config/index.ts';
import { problemText } from './model/index.ts';
import { openService, version, type OpenedService } from './service.ts';
import { WriteKeys, createCollector, maxConnections, serverOptions } from './sources/events/index.ts';
import { acquireDataLock, removeServerFile, writeServerFile, type DataLock } from './store/index.ts';
import { drainSyncs, pendingMessages, type Syncs } from './syncs/index.ts';
import { createTelemetry, type Telemetry } from './telemetry/index.ts';

export interface ServerOptions {
  /** Absolute. */
  readonly dataFolder: string;
  /** Null: 8080. 0: a free one. */
  readonly port: number | null;
  /** Null: 127.0.0.1. */
  readonly host: string | null;
  /** A configuration file to apply first. */
  readonly config: string | null;
  readonly log: {
    readonly stream: 'stdout' | 'stderr';
    /** Lines for people instead of JSON. */
    readonly pretty: boolean;
    /** Instead of LOG_LEVEL, for who prints things of his own. */
    readonly level?: string;
  };
  /** Taken already by the caller; it is released with the server. */
  readonly lock?: DataLock;
  /** How long what was taken may take to be delivered at the end. */
  readonly graceMs?: number;
}

export interface RunningServer {
  readonly address: string;
  readonly service: HeadraceService;
  readonly syncs: Syncs;
  readonly telemetry: Telemetry;
  /** Takes nothing new, delivers what was taken, closes. `why`: the signal. */
  stop(why: string): Promise<void>;
}

const DEFAULT_PORT = 8080;
const DEFAULT_GRACE_MS = 25_000;
const LAST_ANSWERS_MS = 500;

/** Resolves when `/readyz` answers 200. Throws HeadraceError; then nothing of it is left. */
export async function startServer(environment: Environment, options: ServerOptions): Promise<RunningServer> {
  const { dataFolder } = options;
  const clock = systemClock;
  const { stream, pretty, level = environment.logLevel } = options.log;
  const colour = process[stream].isTTY === true && !environment.noColor;
  const telemetry = createTelemetry({ stream, level, pretty, colour, version, clock });
  const lock = options.lock ?? acquireDataLock(dataFolder, { role: 'server' });
  const closers: (() => unknown)[] = [() => lock.release()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const opened = await openService({
      environment,
      dataFolder,
      spoolFolder: join(dataFolder, 'spool'),
      lock,
      observer: telemetry.syncObserver,
    });
    closers.push(() => opened.close());
    const { service, syncs } = opened;
    const host = options.host ?? environment.host ?? '127.0.0.1';
    const port = options.port ?? environment.port ?? DEFAULT_PORT;
    const http = new HttpFront({ host, port, settings: serverOptions, maxConnections, clock });
    const address = await http.listen();
    closers.push(() => http.close(0));
    const warnings = options.config === null ? [] : await applyFile(service, readFile(options.config));
    for (const message of warnings) telemetry.emit({ kind: 'warned', message });
    for (const one of opened.problems()) telemetry.emit({ kind: 'left_out', problem: problemText(one) });

    await syncs.spools?.opened();
    const token = environment.token ?? new Secret(randomHex(32));
    const state = { ready: false, draining: false };
    const collector = createCollector({
      intake: syncs.intake,
      sources: writeKeysOf(syncs),
      clock,
      observer: telemetry.collectorObserver,
    });
    const health = {
      get ready() {
        return state.ready;
      },
      get draining() {
        return state.draining;
      },
      address,
      metricsText: (status: Parameters<Telemetry['metricsText']>[0]) => telemetry.metricsText(status),
    };
    const api = await createApi({ service, token, health, emit: telemetry.emit });
    closers.push(() => api.close());
    http.serve((request, response) => {
      if (!collector.handle(request, response)) api.handle(request, response);
    });
    failpoint('ready.before');
    state.ready = true;
    writeServerFile(dataFolder, { pid: process.pid, address, token });
    closers.push(() => removeServerFile(dataFolder));
    tellStart(opened, telemetry, { address, version, dataFolder });

    const stop = async (why: string): Promise<void> => {
      const startedMs = clock.monotonic();
      state.draining = true;
      telemetry.emit({ kind: 'draining', signal: why, pendingMessages: pendingMessages(syncs) });
      failpoint('drain.before');
      const left = await drainSyncs(syncs, clock, options.graceMs ?? DEFAULT_GRACE_MS);
      // What was delivered last is answered before the connections end.
      await http.close(LAST_ANSWERS_MS);
      await closeAll();
      telemetry.emit({ kind: 'stopped', tookMs: clock.monotonic() - startedMs, leftMessages: left });
      telemetry.flush();
    };
    return { address, service, syncs, telemetry, stop };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Made anew when the configuration is another one. */
function writeKeysOf(syncs: Syncs): () => WriteKeys {
  let of = syncs.configuration;
  const make = (): WriteKeys => new WriteKeys([...of.sources.values()].filter((source) => source.type === 'events'));
  let keys = make();
  return () => {
    if (of === syncs.configuration) return keys;
    of = syncs.configuration;
    return (keys = make());
  };
}

function tellStart(
  { syncs }: OpenedService,
  { emit }: Telemetry,
  facts: { address: string; version: string; dataFolder: string },
): void {
  emit({ kind: 'started', ...facts });
  const { destinations, sources, syncs: all } = syncs.configuration;
  emit({ kind: 'configured', destinations: destinations.size, sources: sources.size, syncs: all.size });
}
