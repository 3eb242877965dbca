/** `headrace preview`: exactly what would be sent. */
import type { Command } from 'commander';
import type { PreviewLine } from '../../api/contract/service.ts';
import {
  examples,
  overlay,
  wholeNumber,
  withConfig,
  withData,
  withJson,
  withService,
  type Context,
  type DataOptions,
} from '../context.ts';
import { exitCodes } from '../exit.ts';
import type { Output } from '../output.ts';
import { readRecord } from '../record.ts';
import { bytesText, printable } from '../text.ts';

interface PreviewOptions extends DataOptions {
  readonly limit: number;
  readonly record?: string;
  readonly at?: string;
  readonly run?: string;
}

export function addPreview(program: Command, context: Context): void {
  const command = program
    .command('preview')
    .description('show exactly what a sync would send, and send nothing')
    .argument('<sync>', 'its name')
    .option('--limit <count>', 'how many records', wholeNumber('--limit', 1), 10)
    .option('--record <file>', "a raw event or a row as JSON, instead of the source's records; - reads standard input")
    .option('--at <time>', 'the time of the run, or the receipt of the event (ISO 8601)')
    .option('--run <id>', 'the run id that the mapping sees');
  withJson(withConfig(withData(command))).action((sync: string, options: PreviewOptions) =>
    preview(context, sync, options),
  );
  examples(command, [
    'preview orders --limit 3',
    'preview website-tracks --record event.json',
    'preview orders --config headrace.yaml --json',
  ]);
}

async function preview(context: Context, sync: string, options: PreviewOptions): Promise<void> {
  const over = await overlay(context, options);
  const given = options.record === undefined ? undefined : readRecord(options.record);
  const target = { use: 'look', role: `preview ${sync}`, ...(over === undefined ? {} : { over }) } as const;
  await withService(context, options, target, async ({ service }) => {
    const lines = await service.preview(sync, {
      limit: options.limit,
      record: given?.value,
      ...(given === undefined ? {} : { recordText: given.text }),
      at: options.at ?? null,
      run: options.run ?? null,
      ...(over === undefined ? {} : { over }),
    });
    for (const line of lines) context.output.result(options.json === true, line, lineText(line, context.output));
    if (lines.length === 0) context.output.note('The source has no records.');
    if (lines.some(({ passed, message }) => passed && message === null)) context.exit(exitCodes.rejected);
  });
}

function lineText({ passed, message, reason, position, partitionBy, lints }: PreviewLine, output: Output): string {
  const notes = lints.map((lint) => `  ${output.paint('yellow', 'note')} ${printable(lint)}`);
  if (message === null) {
    const what = passed ? output.paint('red', 'rejected') : output.paint('dim', 'filtered');
    return [`${printable(position)}: ${what}: ${printable(reason ?? '')}`, ...notes].join('\n');
  }
  const { topic, partition, key, headers, timestamp, value } = message;
  const rule = partitionBy === null ? '' : ` (by ${partitionBy.replaceAll('_', ' ')})`;
  const where = partitionBy === 'round_robin' ? 'round robin' : `${partition ?? 'not known yet'}${rule}`;
  return [
    `${printable(position)} -> ${printable(topic)}, partition ${where}`,
    `  key       ${bytesText(key)}`,
    ...headers.map(([name, content]) => `  header    ${printable(name)}: ${bytesText(content)}`),
    `  timestamp ${timestamp} (${new Date(timestamp).toISOString()})`,
    `  value     ${value === null ? 'null (a tombstone)' : bytesText(value)}`,
    ...notes,
  ].join('\n');
}
