/** `headrace start`: the server until a signal ends it. A front door. */
import { isatty } from 'node:tty';
import { endOnCrash, firstSignal } from './base/signals.ts';
import type { StartOptions } from './cli/doors.ts';
import { dataFolderOf } from './config/data-folder.ts';
import { readEnvironment } from './config/index.ts';
import { startServer } from './server.ts';

/** Resolves with the exit code. Throws HeadraceError when it cannot start. */
export async function runServer(options: StartOptions): Promise<number> {
  const environment = readEnvironment();
  const dataFolder = dataFolderOf(options.data, environment);
  const { port, host, config } = options;
  const log = { stream: 'stdout', pretty: isatty(1) } as const;
  const signal = firstSignal();
  const server = await startServer(environment, { dataFolder, port, host, config, log });
  endOnCrash((error) => {
    server.telemetry.emit({ kind: 'crashed', error });
    server.telemetry.flush();
  });
  await server.stop(await signal);
  return 0;
}
