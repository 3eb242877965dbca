/** `headrace start`: the server until a signal ends it. A front door. */
import { isatty } from 'node:tty';
import type { StartOptions } from './cli/doors.ts';
import { readEnvironment } from './config/index.ts';
import { dataFolderOf } from './open.ts';
import { startServer, type RunningServer } from './server.ts';

/** Resolves with the exit code. Throws HeadraceError when it cannot start. */
export async function runServer(options: StartOptions): Promise<number> {
  const environment = readEnvironment();
  const dataFolder = dataFolderOf(options.data, environment);
  const { port, host, config } = options;
  const log = { stream: 'stdout', pretty: isatty(1) } as const;
  const signal = firstSignal();
  const server = await startServer(environment, { dataFolder, port, host, config, log });
  endOnCrash(server);
  await server.stop(await signal);
  return 0;
}

/** Resolves with the first SIGINT or SIGTERM; the second ends the process at once. */
export function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signalled = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (signalled) process.exit(1);
        signalled = true;
        resolve(signal);
      });
    }
  });
}

/** Crash-only: after a fault nobody foresaw nothing in memory is to be trusted; what was answered is safe already. */
export function endOnCrash({ telemetry }: Pick<RunningServer, 'telemetry'>): void {
  process.on('uncaughtException', (error) => {
    telemetry.emit({ kind: 'crashed', error });
    telemetry.flush();
    process.exit(1);
  });
}
