/** `headrace dead-letters`: rejected messages, byte for byte, with their reasons. */
import type { Command } from 'commander';
import type { DeadLetterAnswer } from '../../api/contract/service.ts';
import { HeadraceError } from '../../model/index.ts';
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
import { bytesText, countText, table, timeText } from '../text.ts';

interface DeadLetterOptions extends DataOptions {
  readonly limit: number;
  readonly redrive?: boolean;
}

export function addDeadLetters(program: Command, context: Context): void {
  const command = program
    .command('dead-letters')
    .description('list the rejected messages of a sync and why')
    .argument('<sync>', 'its name')
    .option('--limit <count>', 'how many to list', wholeNumber('--limit', 1), 20)
    .option('--redrive', 'send them again (not yet)');
  withJson(withConfig(withData(command))).action(async (sync: string, options: DeadLetterOptions) => {
    if (options.redrive === true) {
      throw new HeadraceError('not_yet', 'Sending dead letters again does not exist yet.', {
        path: '--redrive',
        remedy: 'Mend the cause, and run the sync again: its rows are read anew.',
      });
    }
    await withService(context, options, { use: 'look', role: `dead-letters ${sync}` }, async ({ service }) => {
      const answer = await service.deadLetters(sync, options.limit);
      context.output.result(options.json === true, answer, answerText(answer));
    });
  });
  examples(command, ['dead-letters orders', 'dead-letters orders --limit 1000 --json']);
}

function answerText({ total, byCode, letters }: DeadLetterAnswer): string {
  if (total === 0) return 'There are no dead letters.';
  const codes = table(
    ['code', 'count', 'example'],
    byCode.map((one) => [one.code, one.count, one.example]),
    '',
  );
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
  return `${codes}\n${listed}\n${table(heads, rows, '')}`;
}
