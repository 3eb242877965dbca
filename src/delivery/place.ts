/** Where a message goes in a topic as it is now, or why it cannot: asked by delivery and by preview alike (Promise 6). */
import { messageBytes, type Message, type Rejection } from '../model/index.ts';
import type { Shrink } from './entry.ts';
import type { AssignPartition, Excess, TopicFacts } from './ports.ts';

/** The partition, or the rejection. */
export function placeOf(
  message: Message,
  { partitions }: TopicFacts,
  assign: AssignPartition,
  nextTurn: () => number,
): number | Rejection {
  const partition = assign(message, partitions, nextTurn);
  if (partition >= 0) return partition;
  const reason = `partition ${message.partition} is not in topic ${message.topic}, which has ${partitions}`;
  return { state: 'rejected', code: 'partition_invalid', reason };
}

/**
 * P6: what is too large is known before it is sent, so that its neighbours need no second try. The message itself when it
 * fits, a smaller one where its sync says what may be cut, else the rejection.
 */
export function fitting(
  message: Message,
  { sizes }: TopicFacts,
  shrink: Shrink | undefined,
  bytes: number = messageBytes(message),
): Message | Rejection {
  if (sizes === undefined || certainlyFits(message, bytes, sizes.safeBytes)) return message;
  const excess = sizes.excess(message);
  if (excess === null) return message;
  // Cut until it fits uncompressed, so that the same bytes come out whatever a compression makes of them.
  const smaller = shrink?.(message, (candidate) => sizes.plainBytes(candidate) - excess.limitBytes) ?? null;
  if (smaller === null)
    return tooLarge(excess, shrink === undefined ? '' : '; none of the fields to truncate is in it');
  const left = sizes.excess(smaller);
  return left === null ? smaller : tooLarge(excess, `; with its fields truncated it still has ${left.bytes}`);
}

function tooLarge({ bytes, limit }: Excess, more: string): Rejection {
  return { state: 'rejected', code: 'too_large', reason: `the message has ${bytes} bytes; ${limit}${more}` };
}

const BATCH_HEADER_BYTES = 61;

/** By the estimate alone, which is too low only for headers: names beyond ASCII, long values. */
function certainlyFits(message: Message, bytes: number, safeBytes: number): boolean {
  return (message.headers.length === 0 ? bytes : bytes * 3) + BATCH_HEADER_BYTES <= safeBytes;
}
