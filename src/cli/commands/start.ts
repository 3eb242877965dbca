/** `headrace start`: the server. */
import type { Command } from 'commander';
import { HeadraceError } from '../../model/index.ts';
import { examples, wholeNumber, type Context } from '../context.ts';
import type { StartOptions } from '../doors.ts';

export function addStart(program: Command, context: Context): void {
  const command = program
    .command('start')
    .description('run the server: collector, runs, API and page on one port')
    .option('--config <file>', 'apply this configuration first (nothing is removed)')
    .option('--data <folder>', 'the data folder (HEADRACE_DATA, else ./data)')
    .option('--port <number>', 'the port (PORT, else 8080); 0 takes a free one', wholeNumber('--port', 0, 65_535))
    .option('--host <address>', 'the address to listen on (HEADRACE_HOST, else 127.0.0.1)')
    .option(
      '--workers <number>',
      'processes that take events; more than 1 does not exist yet',
      wholeNumber('--workers', 1),
    )
    .action(async (options: Partial<StartOptions> & { workers?: number }) => {
      if ((options.workers ?? 1) > 1) {
        throw new HeadraceError('not_yet', 'More than one worker does not exist yet.', {
          path: '--workers',
          remedy: 'Leave it out: one process does it all so far.',
        });
      }
      context.exit(await context.doors.start(startOptions(options)));
    });
  examples(command, ['start', 'start --config headrace.yaml --port 9000', 'start --data /var/lib/headrace --host ::']);
  command.addHelpText(
    'after',
    '\nEnvironment: HEADRACE_DATA, HEADRACE_HOST, PORT, HEADRACE_TOKEN (the token of the API; else a random one in\n' +
      'server.json of the data folder), HEADRACE_SECRET_KEY, DATABASE_URL (PostgreSQL instead of SQLite),\n' +
      'HEADRACE_ALLOWED_ADDRESSES (nothing else is connected to), LOG_LEVEL.\n' +
      'SIGTERM and SIGINT: takes nothing new, delivers what was taken, ends; a second one ends it at once.',
  );
}

export function startOptions(options: Partial<StartOptions>): StartOptions {
  const { config = null, data = null, port = null, host = null } = options;
  return { config, data, port, host };
}
