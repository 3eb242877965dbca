/** `headrace runs`: history. */
import type { Command } from 'commander';
import {
  examples,
  wholeNumber,
  withConfig,
  withData,
  withJson,
  withService,
  type Context,
  type DataOptions,
} from '../context.ts';
import { runJson, runTable } from '../runs.ts';

export function addRuns(program: Command, context: Context): void {
  const command = program
    .command('runs')
    .description('list runs, newest first')
    .argument('[sync]', 'only those of this sync')
    .option('--limit <count>', 'how many', wholeNumber('--limit', 1), 20);
  withJson(withConfig(withData(command))).action((sync: string | undefined, options: DataOptions & { limit: number }) =>
    withService(context, options, { use: 'look', role: 'runs' }, async ({ service }) => {
      const runs = await service.runs(sync ?? null, options.limit);
      context.output.result(options.json === true, runs.map(runJson), runTable(runs));
    }),
  );
  examples(command, ['runs', 'runs orders --limit 5']);
}
