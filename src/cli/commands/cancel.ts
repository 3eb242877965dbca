/** `headrace cancel`: stops a run at its next safe position. */
import type { Command } from 'commander';
import { examples, withData, withJson, withService, type Context, type DataOptions } from '../context.ts';
import { runJson, runText } from '../runs.ts';

export function addCancel(program: Command, context: Context): void {
  const command = program
    .command('cancel')
    .description('cancel a run that is under way; the next run goes on where it stopped')
    .argument('<run>', 'its id, or the name of its sync');
  withJson(withData(command)).action((run: string, options: DataOptions) =>
    withService(context, options, { use: 'work', role: `cancel ${run}` }, async ({ service }) => {
      const facts = await service.cancel(run);
      context.output.result(options.json === true, runJson(facts), runText(facts));
    }),
  );
  examples(command, ['cancel orders']);
}
