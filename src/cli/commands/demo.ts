/** `headrace demo`: what `npm start` runs. */
import type { Command } from 'commander';
import { examples, wholeNumber, type Context } from '../context.ts';
import type { StartOptions } from '../doors.ts';
import { startOptions } from './start.ts';

export function addDemo(program: Command, context: Context): void {
  const command = program
    .command('demo')
    .description('start a local Apache Kafka, send the example rows and events, show them as they arrive')
    .option('--data <folder>', 'the data folder (HEADRACE_DATA, else ./data)')
    .option('--port <number>', 'the port (PORT, else 8080); 0 takes a free one', wholeNumber('--port', 0, 65_535))
    .option('--host <address>', 'the address to listen on (HEADRACE_HOST, else 127.0.0.1)')
    .action(async (options: Partial<StartOptions>) => {
      context.exit(await context.doors.demo(startOptions(options)));
    });
  examples(command, ['demo', 'demo --port 9000']);
  command.addHelpText(
    'after',
    '\nEnvironment: KAFKA_BROKERS (a cluster of your own instead of the local Kafka), PORT.',
  );
}
