/** `headrace enable` and `headrace disable`. */
import type { Command } from 'commander';
import { examples, withData, withJson, withService, type Context, type DataOptions } from '../context.ts';

export function addSwitches(program: Command, context: Context): void {
  for (const [verb, enabled, does] of [
    ['enable', true, 'on'],
    ['disable', false, 'off'],
  ] as const) {
    const command = program
      .command(verb)
      .description(`switch a sync, source or destination ${does}`)
      .argument('<name>', 'its name');
    withJson(withData(command)).action((name: string, options: DataOptions) =>
      withService(context, options, { use: 'work', role: `${verb} ${name}` }, async ({ service }) => {
        await service.setEnabled(name, enabled);
        context.output.result(options.json === true, { name, enabled }, `${name} is ${does}.`);
      }),
    );
    examples(command, [`${verb} orders`]);
  }
}
