/** The four times of an event, and the correction of a client's wrong clock. */
import { isRawNumber } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import { isoBytes, readPlainTime, writeTime } from './time-bytes.ts';

export interface EventTimes {
  /** When it happened by the client's clock, exactly as the client wrote it; else the best that is known. */
  readonly originalTimestamp: JsonValue;
  /** When it happened by our clock: always a time that can be read. */
  readonly timestamp: JsonValue;
}

/**
 * `timestamp = receivedAt - (sentAt - originalTimestamp)`: the client's clock may be wrong, but not the time that
 * passed on it. Without a readable `sentAt` the client's own time stands; without a readable own time, `receivedAt`.
 * A time is ISO 8601 text (without zone: UTC) or epoch seconds or milliseconds.
 */
export function eventTimes(
  client: JsonValue | undefined,
  sentAt: JsonValue | undefined,
  receivedAtMs: number,
): EventTimes {
  const sentAtMs = readTime(sentAt);
  if (client === undefined || client === null || client === '') {
    const receivedAt = printTime(receivedAtMs);
    return { originalTimestamp: isUsableSentAt(sentAtMs) ? sentAt! : receivedAt, timestamp: receivedAt };
  }
  const clientMs = readTime(client);
  if (Number.isNaN(clientMs)) return { originalTimestamp: client, timestamp: printTime(receivedAtMs) };
  if (!isUsableSentAt(sentAtMs)) return { originalTimestamp: client, timestamp: client };
  return { originalTimestamp: client, timestamp: printTime(correctedTime(clientMs, sentAtMs, receivedAtMs)) };
}

/** Not NaN, and not what senders write for "not set": 0 and the year 1. */
export function isUsableSentAt(sentAtMs: number): boolean {
  return sentAtMs > 0;
}

/** The client's time by our clock; `receivedAt` where that would be no time that can be printed. */
export function correctedTime(clientMs: number, sentAtMs: number, receivedAtMs: number): number {
  const correctedMs = receivedAtMs - (sentAtMs - clientMs);
  return correctedMs >= firstMs && correctedMs <= lastMs ? correctedMs : receivedAtMs;
}

/** Epoch milliseconds of a time as clients write it, or NaN. */
export function readTime(value: JsonValue | undefined): number {
  if (typeof value === 'string') return readText(value);
  if (typeof value === 'number') return readEpoch(value);
  return isRawNumber(value) ? readEpoch(Number(value.rawJSON)) : NaN;
}

/** `readTime` of the text that the bytes from `begin` up to `end` are. */
export function readTimeBytes(bytes: Buffer, begin: number, end: number): number {
  const plainMs = end - begin === isoBytes ? readPlainTime(bytes, begin) : NaN;
  return Number.isNaN(plainMs) ? readText(bytes.toString('latin1', begin, end)) : plainMs;
}

/** What `isoTime` prints, in a fraction of the time. The year must have four digits. */
export function printTime(epochMs: number): string {
  writeTime(scratch, 0, epochMs);
  return scratch.toString('latin1', 0, isoBytes);
}

/** Room for any text of as many characters, of which each may take three bytes. */
const scratch = Buffer.alloc(3 * isoBytes);

const firstMs = Date.parse('0000-01-01T00:00:00.000Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');
/** Below this a number means seconds (until the year 5138), from it on milliseconds (from 1973 on). */
const firstMilliseconds = 100_000_000_000;

function readEpoch(value: number): number {
  const epochMs = Math.abs(value) < firstMilliseconds ? value * 1000 : value;
  return epochMs >= firstMs && epochMs <= lastMs ? Math.round(epochMs) : NaN;
}

const general =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]| ?([+-])(\d\d):?(\d\d)?)?)?$/;

function readText(text: string): number {
  if (text.length === isoBytes) {
    scratch.write(text);
    const plainMs = readPlainTime(scratch, 0);
    if (!Number.isNaN(plainMs)) return plainMs;
  }
  const parts = general.exec(text.trim());
  if (parts === null) return NaN;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', sign] = parts;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const utcMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  if (sign === undefined) return utcMs;
  const offsetMs = (Number(parts[9]) * 60 + Number(parts[10] ?? '0')) * 60_000;
  return sign === '+' ? utcMs - offsetMs : utcMs + offsetMs;
}
