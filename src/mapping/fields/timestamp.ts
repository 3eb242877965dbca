/** The message's timestamp: ISO 8601 text, an epoch in seconds, milliseconds or microseconds, or a database's text. */
import type { SourceRecord } from '../../model/index.ts';
import type { Expression } from '../expression.ts';
import type { MappingContext } from '../ports.ts';
import { Refusal, shown } from '../refusal.ts';
import { readTime, type TimeUnit } from '../times.ts';

/** Gives epoch milliseconds; absent and null give the record's own time. Throws Refusal (`timestamp_invalid`). */
export function compileTimestamp(
  expression: Expression | null,
  unit: TimeUnit | undefined,
): (root: unknown, record: SourceRecord, context: MappingContext) => number {
  if (expression === null) return (_root, record, context) => record.receivedAtMs ?? context.syncedAtMs;
  const evaluate = expression.evaluate;
  return (root, record, context) => {
    const value = evaluate(root, record, context);
    if (value === undefined || value === null) return record.receivedAtMs ?? context.syncedAtMs;
    const read = readTimestamp(value, unit);
    if (typeof read === 'number') return read;
    throw new Refusal('timestamp_invalid', 'timestamp', `timestamp: ${shown(value)} ${read}`);
  };
}

/** Epoch milliseconds, or what is wrong with the value. */
export function readTimestamp(value: unknown, unit: TimeUnit | undefined): number | string {
  const epochMs = readTime(value, unit);
  if (Number.isNaN(epochMs)) return 'cannot be read as a time';
  if (epochMs < 0) return 'is before 1970, and Kafka has no negative timestamps';
  return epochMs;
}
