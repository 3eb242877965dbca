/** `headrace dead-letters`: rejected messages, byte for byte, with their reasons; sent again or forgotten. */
import type { Command } from 'commander';
import type { DeadLetterAnswer, RedriveAnswer } from '../../api/contract/service.ts';
import {
  examples,
  overlay,
  UsageError,
  wholeNumber,
  withConfig,
  withData,
  withJson,
  withService,
  type Context,
  type DataOptions,
} from '../context.ts';
import { exitCodes } from '../exit.ts';
import { bytesText, countText, table, timeText } from '../text.ts';

interface DeadLetterOptions extends DataOptions {
  readonly limit: number;
  readonly redrive?: boolean;
  readonly clear?: boolean;
  readonly code?: string;
  readonly yes?: boolean;
}

export function addDeadLetters(program: Command, context: Context): void {
  const command = program
    .command('dead-letters')
    .description('list the rejected messages of a sync and why; send them again, or forget them')
    .argument('<sync>', 'its name')
    .option('--limit <count>', 'how many to list', wholeNumber('--limit', 1), 20)
    .option('--redrive', 'send them again, each once; those that arrive are forgotten, the others stay')
    .option('--clear', 'forget them for good (those in a topic are passed over); asks for --yes')
    .option('--code <code>', 'with --clear: only those of this code, and none in a topic')
    .option('--yes', 'with --clear: do it');
  withJson(withConfig(withData(command), 'with --redrive: apply this configuration first (nothing is removed)')).action(
    (sync: string, options: DeadLetterOptions) => {
      if (options.redrive === true && options.clear === true) throw new UsageError('--redrive or --clear, not both.');
      if (options.clear !== true && (options.code !== undefined || options.yes === true))
        throw new UsageError('--code and --yes belong to --clear.');
      if (options.redrive === true) return redrive(context, sync, options);
      return options.clear === true ? clear(context, sync, options) : list(context, sync, options);
    },
  );
  examples(command, [
    'dead-letters orders',
    'dead-letters orders --limit 1000 --json',
    'dead-letters orders --redrive',
    'dead-letters orders --clear --code row_invalid --yes',
  ]);
  command.addHelpText(
    'after',
    '\nExit codes of --redrive: 0 all were delivered, 2 some are left, 1 it could not go on.',
  );
}

function list(context: Context, sync: string, options: DeadLetterOptions): Promise<void> {
  return withService(context, options, { use: 'look', role: `dead-letters ${sync}` }, async ({ service }) => {
    const answer = await service.deadLetters(sync, options.limit);
    context.output.result(options.json === true, answer, answerText(answer));
    if (answer.topic !== null)
      context.output.note(
        `New ones go to the topic ${answer.topic}: headrace tail ${answer.topic} --destination ${answer.destination} --from-start`,
      );
    tell(context, answer.notes);
  });
}

async function redrive(context: Context, sync: string, options: DeadLetterOptions): Promise<void> {
  const { output, exit } = context;
  const objects = await overlay(context, options);
  await withService(context, options, { use: 'work', role: `dead-letters ${sync} --redrive` }, async ({ service }) => {
    if (objects !== undefined) {
      const { warnings } = await service.apply(objects, { prune: false });
      for (const warning of warnings) output.warn(warning);
    }
    const answer = await service.redrive(sync);
    output.result(options.json === true, answer, redriveText(answer));
    tell(context, answer.notes);
    if (answer.stopped !== null) {
      output.note(`It ended before its time: ${answer.stopped.reason}. ${answer.stopped.remedy}`.trimEnd());
      exit(exitCodes.failed);
    } else if (answer.rejected + answer.unreadable > 0) exit(exitCodes.rejected);
  });
}

function clear(context: Context, sync: string, options: DeadLetterOptions): Promise<void> {
  const { output, exit } = context;
  return withService(context, options, { use: 'work', role: `dead-letters ${sync} --clear` }, async ({ service }) => {
    if (options.yes !== true) {
      const { byCode, notes } = await service.deadLetters(sync, 1);
      // Those in a topic are passed over all together.
      const count = byCode
        .filter(({ code }) => options.code === undefined || code === options.code)
        .reduce((sum, one) => sum + one.count - (options.code === undefined ? 0 : (one.inTopic ?? 0)), 0);
      tell(context, notes);
      output.note(`${countText(count)} dead letters would be forgotten for good. Add --yes to do it.`);
      exit(exitCodes.usage);
      return;
    }
    const answer = await service.clearDeadLetters(sync, options.code ?? null);
    output.result(options.json === true, answer, `${countText(answer.removed)} dead letters are forgotten.`);
    tell(context, answer.notes);
  });
}

function tell({ output }: Context, notes: readonly string[] = []): void {
  for (const note of notes) output.note(note);
}

function redriveText({ delivered, rejected, filtered, unreadable, stopped }: RedriveAnswer): string {
  const parts: [count: number, what: string][] = [
    [delivered, 'delivered'],
    [rejected, 'rejected again and kept'],
    [filtered, 'let pass no longer and forgotten'],
    [unreadable, 'kept, for what there is of them is no record: mend them in their source and run the sync again'],
  ];
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${countText(count)} ${what}`);
  if (told.length > 0) return `${told.join('; ')}.`;
  return stopped === null ? 'There are no dead letters.' : 'Nothing was sent.';
}

function answerText({ total, byCode, letters }: DeadLetterAnswer): string {
  if (total === 0) return 'There are no dead letters.';
  const codes = table(
    ['code', 'count', 'first (UTC)', 'last (UTC)', 'example'],
    byCode.map((one) => [one.code, one.count, timeText(one.firstAt), timeText(one.lastAt), one.example]),
    '',
  );
  const remedies = byCode.flatMap(({ code, remedy }) => (remedy === null ? [] : [`${code}: ${remedy}`]));
  const rows = letters.map((letter) => [
    letter.id,
    timeText(letter.createdAt),
    letter.position,
    letter.topic,
    letter.reason,
    bytesText(letter.value).slice(0, 60),
  ]);
  const heads = ['id', 'created (UTC)', 'position', 'topic', 'reason', 'value'];
  const listed = letters.length < total ? `\nThe newest ${countText(letters.length)} of ${countText(total)}:` : '';
  return [codes, '', ...remedies, listed, table(heads, rows, '')].join('\n');
}
