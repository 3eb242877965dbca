/** `headrace topics`: the topics of a destination's cluster. */
import type { Command } from 'commander';
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
import { table } from '../text.ts';

export function addTopics(program: Command, context: Context): void {
  const command = program
    .command('topics')
    .description("list the topics of a destination's cluster with partitions and limits")
    .argument('<destination>', 'its name')
    .option('--all', 'internal topics too (`__…`)');
  withJson(withConfig(withData(command))).action((destination: string, options: TopicsOptions) =>
    topics(context, destination, options),
  );
  examples(command, ['topics main', 'topics main --all --json']);
}

type TopicsOptions = DataOptions & { readonly all?: boolean };

async function topics(context: Context, destination: string, options: TopicsOptions): Promise<void> {
  const over = await overlay(context, options);
  const target = { use: 'look', role: `topics ${destination}`, ...(over === undefined ? {} : { over }) } as const;
  await withService(context, options, target, async ({ service }) => {
    const found = await service.topics(destination, over, options.all === true);
    const rows = found.map((one) => [
      one.topic,
      one.partitions,
      one.replication,
      one.cleanupPolicy,
      one.maxMessageBytes,
    ]);
    const heads = ['topic', 'partitions', 'replication', 'cleanup', 'max message bytes'];
    context.output.result(options.json === true, found, table(heads, rows, 'There are no topics.'));
  });
}
