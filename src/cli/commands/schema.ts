/** `headrace schema`: the JSON Schema of the configuration file. */
import type { Command } from 'commander';
import { examples, type Context } from '../context.ts';

export function addSchema(program: Command, context: Context): void {
  const command = program
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .action(async () => {
      context.output.line(JSON.stringify(await context.doors.schema(), null, 2));
    });
  examples(command, ['schema > headrace.schema.json']);
}
