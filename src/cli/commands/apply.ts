/** `headrace apply`: configuration as code. */
import type { Command } from 'commander';
import type { PlanAnswer } from '../../api/contract/service.ts';
import { examples, tellWhoReads, withData, withJson, withService, type Context, type DataOptions } from '../context.ts';
import { exitCodes } from '../exit.ts';
import { printable } from '../text.ts';

interface ApplyOptions extends DataOptions {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
}

export function addApply(program: Command, context: Context): void {
  const command = program
    .command('apply')
    .description('apply a configuration file: show what changes, check it, store it')
    .requiredOption('-f, --file <file>', 'the file, YAML or JSON; - reads standard input')
    .option('--dry-run', 'only show what would change')
    .option('--prune', 'remove what is stored and not in the file');
  withJson(withData(command)).action((options: ApplyOptions) => apply(context, options));
  examples(command, ['apply -f headrace.yaml --dry-run', 'apply -f headrace.yaml', 'apply -f - < headrace.yaml']);
  command.addHelpText('after', '\nEnvironment: what `${NAME}` in the file names must be set.');
}

async function apply(context: Context, options: ApplyOptions): Promise<void> {
  const { output, doors, exit } = context;
  const { objects, locate } = await doors.readConfiguration(options.file);
  const dryRun = options.dryRun === true;
  const change = { prune: options.prune === true };
  const target = { use: dryRun ? 'look' : 'work', role: 'apply' } as const;
  await withService(context, options, target, async (opened) => {
    const { service } = opened;
    const plan = await service.plan(objects, change);
    if (plan.problems.length > 0) {
      // A name that is not known may be why another is missing.
      for (const warning of plan.warnings) output.warn(warning);
      output.problems(locate(plan.problems));
      tellWhoReads(output, opened, plan.problems);
      if (options.json === true) output.result(true, { ...plan, problems: locate(plan.problems) }, '');
      return exit(exitCodes.failed);
    }
    const answer = dryRun ? plan : await service.apply(objects, change);
    for (const warning of answer.warnings) output.warn(warning);
    output.result(options.json === true, answer, planText(answer, dryRun));
  });
}

const signs = { create: '+', update: '~', delete: '-', unchanged: ' ' } as const;

function planText({ changes }: PlanAnswer, dryRun: boolean): string {
  const lines = changes.map(({ kind, name, change, fields }) => {
    const what = change === 'update' ? `update ${fields.join(', ')}` : change;
    return printable(`${signs[change]} ${kind} ${name} (${what})`);
  });
  const count = changes.filter(({ change }) => change !== 'unchanged').length;
  const what = count === 1 ? 'one change' : `${count} changes`;
  const end = count === 0 ? 'Nothing to change.' : dryRun ? `${what}, nothing applied.` : `${what} applied.`;
  return [...lines, `${end.charAt(0).toUpperCase()}${end.slice(1)}`].join('\n');
}
