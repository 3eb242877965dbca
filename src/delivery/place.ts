/** Where a message goes in a topic as it is now, or why it cannot: asked by delivery and by preview alike (Promise 6). */
import { messageBytes, type Message, type Rejection } from '../model/index.ts';
import type { AssignPartition, TopicFacts } from './ports.ts';

/** The partition, or the rejection. P6: what is too large is known before it is sent, so that its neighbours need no second try. */
export function placeOf(
  message: Message,
  facts: TopicFacts,
  assign: AssignPartition,
  nextTurn: () => number,
): number | Rejection {
  const { maxMessageBytes, partitions } = facts;
  if (maxMessageBytes !== null && (message.value?.length ?? 0) + (message.key?.length ?? 0) > maxMessageBytes) {
    const reason = `the message has ${messageBytes(message)} bytes; the topic takes ${maxMessageBytes} (max.message.bytes)`;
    return { state: 'rejected', code: 'too_large', reason };
  }
  const partition = assign(message, partitions, nextTurn);
  if (partition >= 0) return partition;
  const reason = `partition ${message.partition} is not in topic ${message.topic}, which has ${partitions}`;
  return { state: 'rejected', code: 'partition_invalid', reason };
}
