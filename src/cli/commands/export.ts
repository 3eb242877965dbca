/** `headrace export`: the configuration as a file again. */
import type { Command } from 'commander';
import { examples, withData, withJson, withService, type Context, type DataOptions } from '../context.ts';

export function addExport(program: Command, context: Context): void {
  const command = program
    .command('export')
    .description("write the stored configuration as YAML, secrets' values left out");
  withJson(withData(command)).action((options: DataOptions) =>
    withService(context, options, { use: 'look', role: 'export' }, async ({ service }) => {
      const { yaml, json } = await context.doors.exported(await service.export());
      context.output.result(options.json === true, json, yaml);
    }),
  );
  examples(command, ['export > headrace.yaml', 'export --json']);
}
