/** `headrace reset`: forget what was sent. */
import type { Command } from 'commander';
import {
  examples,
  withConfig,
  withData,
  withJson,
  withService,
  overlay,
  type Context,
  type DataOptions,
} from '../context.ts';

export function addReset(program: Command, context: Context): void {
  const command = program
    .command('reset')
    .description('forget what a sync sent: its next run begins anew')
    .argument('<sync>', 'its name');
  withJson(withConfig(withData(command))).action(async (sync: string, options: DataOptions) => {
    const over = await overlay(context, options);
    const target = { use: 'work', role: `reset ${sync}`, ...(over === undefined ? {} : { over }) } as const;
    await withService(context, options, target, async ({ service }) => {
      await service.reset(sync);
      context.output.result(options.json === true, { sync, reset: true }, `${sync}: the next run begins anew.`);
    });
  });
  examples(command, ['reset orders']);
}
