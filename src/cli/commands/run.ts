/** `headrace run`: one run of a table sync now, with progress. */
import type { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import type { RunFacts } from '../../model/index.ts';
import {
  examples,
  overlay,
  withConfig,
  withData,
  withJson,
  withService,
  type Context,
  type DataOptions,
} from '../context.ts';
import type { Opened } from '../doors.ts';
import { exitCodes } from '../exit.ts';
import { ProgressPrinter } from '../progress.ts';
import { runJson, runText } from '../runs.ts';

interface RunOptions extends DataOptions {
  readonly allowDeletes?: boolean;
}

export function addRun(program: Command, context: Context): void {
  const command = program
    .command('run')
    .description('run a table sync now, with progress; an interrupted run goes on where it stopped')
    .argument('<sync>', 'its name')
    .option('--allow-deletes', 'let more deletions pass than the guard allows (mirror; not yet)');
  withJson(withConfig(withData(command), 'apply this configuration first (nothing is removed)')).action(
    (sync: string, options: RunOptions) => run(context, sync, options),
  );
  examples(command, ['run orders', 'run orders --config headrace.yaml', 'run orders --json']);
  command.addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed or cancelled, 2 done with rejected rows (headrace dead-letters lists them).',
  );
}

async function run(context: Context, sync: string, options: RunOptions): Promise<void> {
  const { output, exit } = context;
  const objects = await overlay(context, options);
  await withService(context, options, { use: 'work', role: `run ${sync}` }, async (opened) => {
    if (objects !== undefined) {
      const { warnings } = await opened.service.apply(objects, { prune: false });
      for (const warning of warnings) output.warn(warning);
    }
    const facts = await follow(context, opened, sync);
    output.clearProgress();
    output.result(options.json === true, runJson(facts), runText(facts));
    if (facts.state !== 'succeeded') {
      if (facts.error?.remedy !== undefined) output.note(facts.error.remedy);
      exit(exitCodes.failed);
    } else if (facts.counts.rejected > 0) {
      output.note(`Rejected rows are kept: headrace dead-letters ${sync}`);
      exit(exitCodes.rejected);
    }
  });
}

async function follow({ doors, output }: Context, { service, server }: Opened, sync: string): Promise<RunFacts> {
  const printer = new ProgressPrinter(output, systemClock, server !== null);
  let facts: RunFacts | null = null;
  for await (const progress of service.run(sync, 'manual', doors.interruption())) {
    facts = progress.run;
    printer.show(progress);
  }
  if (facts === null) throw new Error('the run told nothing');
  return facts;
}
