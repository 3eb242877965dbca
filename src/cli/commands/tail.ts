/** `headrace tail`: messages of a topic as they arrive. */
import type { Command } from 'commander';
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
import { messageText } from '../message.ts';

interface TailOptions extends DataOptions {
  readonly destination?: string;
  readonly fromStart?: boolean;
  readonly limit?: number;
}

export function addTail(program: Command, context: Context): void {
  const command = program
    .command('tail')
    .description('show the messages of a topic as they arrive: partition, offset, key, headers, value')
    .argument('<topic>', 'its name')
    .option('--destination <name>', 'whose cluster; may be left out when there is one destination')
    .option('--from-start', 'begin with the oldest message instead of the next one')
    .option('--limit <count>', 'end after so many messages', wholeNumber('--limit', 1));
  withJson(withConfig(withData(command))).action((topic: string, options: TailOptions) =>
    tail(context, topic, options),
  );
  examples(command, ['tail orders', 'tail orders --from-start --limit 10 --json', 'tail orders --destination main']);
}

async function tail(context: Context, topic: string, options: TailOptions): Promise<void> {
  const { output, doors } = context;
  const over = await overlay(context, options);
  const target = { use: 'look', role: `tail ${topic}`, ...(over === undefined ? {} : { over }) } as const;
  await withService(context, options, target, async ({ service }) => {
    const enough = new AbortController();
    const signal = AbortSignal.any([doors.interruption(), enough.signal]);
    const question = {
      destination: options.destination ?? null,
      fromStart: options.fromStart === true,
      ...(over === undefined ? {} : { over }),
    };
    if (output.interactive) output.note(`Messages of ${topic}; Ctrl-C ends.`);
    let left = options.limit ?? Infinity;
    for await (const message of service.tail(topic, question, signal)) {
      output.result(options.json === true, message, messageText(message, output));
      if (--left === 0) enough.abort();
      if (left <= 0) break;
    }
  });
}
