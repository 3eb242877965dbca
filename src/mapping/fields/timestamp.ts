/** The message's timestamp: ISO 8601 text, an epoch in seconds, milliseconds or microseconds, or a database's text. */
import { isRawNumber } from '../../base/json.ts';
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
  else if (typeof value === 'string')
    epochMs = epochText.test(value) ? fromEpoch(Number(value), unit) : parseTime(value);
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

const timeText =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?([Zz]|UTC|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))?)?$/;

/**
 * ISO 8601 and what databases print: `2024-05-01`, `2024-05-01 12:34`, `2024-05-01T12:34:56.123456+02:00`,
 * `2024-05-01 12:34:56+02`. Without a zone it is UTC, wherever the process runs. NaN when it does not read.
 */
export function parseTime(text: string): number {
  const parts = timeText.exec(text);
  if (parts === null) return Number.NaN;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] = parts;
  const dayMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(dayMs);
  if (Number(year) < 100) return Number.NaN;
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return Number.NaN;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return Number.NaN;
  const milliseconds = Math.floor(Number(fraction.padEnd(9, '0').slice(0, 9)) / 1e6);
  const timeMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + milliseconds;
  return dayMs + timeMs - zoneMs(zone);
}

/** `+02`, `+0200`, `+02:00`, `+02:00:30`; NaN when it is out of range. */
function zoneMs(zone: string): number {
  if (zone === 'UTC' || zone.length === 1) return 0;
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0');
  const [hours, minutes, seconds] = [digits.slice(0, 2), digits.slice(2, 4), digits.slice(4, 6)].map(Number);
  if (hours! > 18 || minutes! > 59 || seconds! > 59) return Number.NaN;
  return (zone[0] === '-' ? -1000 : 1000) * ((hours! * 60 + minutes!) * 60 + seconds!);
}
