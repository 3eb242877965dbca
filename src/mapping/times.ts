/** Times as records hold them: text, or an epoch in seconds, milliseconds or microseconds. */
import { isRawNumber } from '../base/json.ts';
import { parseTime } from '../base/time-text.ts';
import { fromLocal, zoneOffset } from '../base/time-zone.ts';

export type TimeUnit = 's' | 'ms' | 'us';
export const timeUnits: readonly TimeUnit[] = ['s', 'ms', 'us'];

/**
 * Epoch milliseconds; NaN when the value cannot be read as a time. Text without an offset is in `zone`. An epoch
 * without a unit is told apart by its size: seconds up to the year 5138, then milliseconds, then microseconds.
 */
export function readTime(value: unknown, unit?: TimeUnit, zone = 'UTC'): number {
  if (typeof value === 'number') return fromEpoch(value, unit);
  if (isRawNumber(value)) return fromEpoch(Number(value.rawJSON), unit);
  if (typeof value !== 'string') return Number.NaN;
  const epochMs = parseTime(value);
  if (Number.isNaN(epochMs)) return epochText.test(value) ? fromEpoch(Number(value), unit) : Number.NaN;
  if (zone === 'UTC' || hasOffset.test(value)) return epochMs;
  return fromLocal(epochMs, offsetOf(zone));
}

const epochText = /^-?\d+(?:\.\d+)?$/;
const hasOffset = /:.*(?:[Zz]|UTC|[+-]\d\d.*)$/;

function fromEpoch(epoch: number, unit: TimeUnit | undefined): number {
  const size = Math.abs(epoch);
  const scale = unit ?? (size < 1e11 ? 's' : size < 1e14 ? 'ms' : 'us');
  // Seconds go by whole microseconds, so that 1714564800.123 keeps its 123 ms.
  const epochMs = scale === 's' ? Math.round(epoch * 1e6) / 1e3 : scale === 'ms' ? epoch : epoch / 1e3;
  return Math.abs(epochMs) <= LATEST ? Math.floor(epochMs) : Number.NaN;
}

/** The last millisecond of the year 9999. */
const LATEST = 253_402_300_799_999;

const offsets = new Map<string, (epochMs: number) => number>();

function offsetOf(zone: string): (epochMs: number) => number {
  let offset = offsets.get(zone);
  if (offset === undefined) offsets.set(zone, (offset = zoneOffset(zone)));
  return offset;
}
