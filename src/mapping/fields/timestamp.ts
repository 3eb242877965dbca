/** The message's timestamp: ISO 8601 text, an epoch in seconds, milliseconds or microseconds, or a database's text. */
import { isRawNumber } from '../../base/json.ts';
import { parseTime } from '../../base/time-text.ts';
import type { SourceRecord } from '../../model/index.ts';
import type { Expression } from '../expression.ts';
import type { MappingContext } from '../ports.ts';
import { Refusal, shown } from '../refusal.ts';

export type TimestampUnit = 's' | 'ms' | 'us';
export const timestampUnits: readonly TimestampUnit[] = ['s', 'ms', 'us'];

/** Gives epoch milliseconds; absent and null give the record's own time. Throws Refusal (`timestamp_invalid`). */
export function compileTimestamp(
  expression: Expression | null,
  unit: TimestampUnit | undefined,
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
export function readTimestamp(value: unknown, unit: TimestampUnit | undefined): number | string {
  let epochMs: number | undefined;
  if (typeof value === 'number') epochMs = fromEpoch(value, unit);
  else if (isRawNumber(value)) epochMs = fromEpoch(Number(value.rawJSON), unit);
  else if (typeof value === 'string') {
    epochMs = parseTime(value);
    if (Number.isNaN(epochMs) && epochText.test(value)) epochMs = fromEpoch(Number(value), unit);
  }
  if (epochMs === undefined || Number.isNaN(epochMs)) return 'cannot be read as a time';
  if (epochMs < 0) return 'is before 1970, and Kafka has no negative timestamps';
  return epochMs;
}

const epochText = /^-?\d+(?:\.\d+)?$/;

/** Without a unit by size: seconds up to the year 5138, then milliseconds, then microseconds; beyond: undefined. */
function fromEpoch(epoch: number, unit: TimestampUnit | undefined): number | undefined {
  const size = Math.abs(epoch);
  const scale = unit ?? (size < 1e11 ? 's' : size < 1e14 ? 'ms' : 'us');
  // Seconds go by whole microseconds, so that 1714564800.123 keeps its 123 ms.
  const epochMs = scale === 's' ? Math.round(epoch * 1e6) / 1e3 : scale === 'ms' ? epoch : epoch / 1e3;
  return Math.abs(epochMs) <= LATEST ? Math.floor(epochMs) : undefined;
}

/** The last millisecond of the year 9999. */
const LATEST = 253_402_300_799_999;
