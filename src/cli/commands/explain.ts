/** `headrace explain`: which clause of a trigger decided. */
import type { Command } from 'commander';
import { examples, withJson, type Context } from '../context.ts';
import { readRecord } from '../record.ts';

interface ExplainOptions {
  readonly record: string;
  readonly json?: boolean;
}

export function addExplain(program: Command, context: Context): void {
  const command = program
    .command('explain')
    .description('tell whether a record passes a trigger, and which clause decided')
    .argument('<trigger>', 'the trigger, as it stands in the configuration')
    .requiredOption('--record <file>', 'an event or a row as JSON; - reads standard input');
  withJson(command).action(async (trigger: string, options: ExplainOptions) => {
    const { text, json } = await context.doors.explain(trigger, readRecord(options.record).value);
    context.output.result(options.json === true, json, text);
  });
  examples(command, [`explain 'type = "track" and event != "Heartbeat"' --record event.json`]);
}
