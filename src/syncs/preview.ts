/** What would be sent, without sending it: the same mapping, the same partitioner, the same bytes (Promise 6). */
import { assignPartition } from '../kafka/index.ts';
import type { MappingContext } from '../mapping/index.ts';
import type { Message, MessageConfig, Rejection, SourceRecord } from '../model/index.ts';
import type { Sender } from '../delivery/ports.ts';
import type { Flow } from './flows.ts';

export interface Previewed {
  readonly record: SourceRecord;
  readonly result: Message | Rejection | { readonly state: 'filtered'; readonly reason: string };
  /** Null where the message goes round robin, or the topic's partitions are not known. */
  readonly partition: number | null;
  readonly partitionBy: 'partition' | 'default_partition' | 'partition_key' | 'key' | 'round_robin' | null;
  readonly lints: readonly string[];
}

export async function previewRecord(
  record: SourceRecord,
  flow: Flow,
  context: MappingContext,
  sender: Pick<Sender, 'topic'>,
): Promise<Previewed> {
  const lints = [...flow.mapping.lints];
  const { types } = flow.sync;
  if (types !== null && !(types as readonly string[]).includes(record.stream)) {
    return {
      record,
      result: { state: 'filtered', reason: `type ${record.stream} is not among types` },
      partition: null,
      partitionBy: null,
      lints,
    };
  }
  const result = flow.mapping.map(record, context);
  if ('state' in result) return { record, result, partition: null, partitionBy: null, lints };
  const facts = await sender.topic(result.topic, false);
  const partitionBy = ruleOf(result, flow.sync.message);
  if (!('partitions' in facts)) {
    lints.push(`topic ${result.topic}: ${facts.held.reason}`);
    return { record, result, partition: result.partition, partitionBy, lints };
  }
  const partition = partitionBy === 'round_robin' ? null : assignPartition(result, facts.partitions, () => 0);
  if (partition !== -1) return { record, result, partition, partitionBy, lints };
  const reason = `partition ${result.partition} is not in topic ${result.topic}, which has ${facts.partitions}`;
  return {
    record,
    result: { state: 'rejected', code: 'partition_invalid', reason },
    partition: null,
    partitionBy,
    lints,
  };
}

function ruleOf(message: Message, config: MessageConfig): NonNullable<Previewed['partitionBy']> {
  if (message.partition !== null) return config.partition === undefined ? 'default_partition' : 'partition';
  if (message.partitionKey === null) return 'round_robin';
  return config.partition_key === undefined ? 'key' : 'partition_key';
}
