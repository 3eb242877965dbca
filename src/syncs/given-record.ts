/** A record that did not just come from its source: one that a person gave, or that lay among the dead letters. */
import { parseJson } from '../base/json.ts';
import type { DeadLetter, FileRead, JsonValue, SourceRecord } from '../model/index.ts';
import type { Flow } from './flows.ts';

/** Whether rows of that file are forwarded as the bytes that they are. */
export function keepsBytes(read: FileRead | null): boolean {
  const { file, format } = read ?? { file: '', format: null };
  return format === 'jsonl' || format === 'json' || /\.(jsonl?|ndjson)(\.gz)?$/i.test(file);
}

/** The record of a dead letter as its source gave it; null where what was kept is no record (a line that cannot be read). */
export function recordOfLetter(letter: DeadLetter, flow: Flow, nowMs: number): SourceRecord | null {
  const { raw } = letter;
  const data = raw === null ? null : parsed(raw);
  if (raw === null || data === null) return null;
  const position = letter.position ?? '';
  if (flow.kind === 'table') {
    const stream = position.replace(/:\d+$/, '') || (flow.sync.read?.file ?? '');
    const bytes = keepsBytes(flow.sync.read) ? raw : null;
    return {
      operation: 'created',
      stream,
      namespace: null,
      position,
      data,
      bytes,
      receivedAtMs: null,
      messageId: null,
    };
  }
  return eventOf(data, raw, position, nowMs);
}

/** An event of a parked sync, kept as bytes; null: they are none. */
export function eventOfBytes(bytes: Buffer, position: string, nowMs: number): SourceRecord | null {
  const data = parsed(bytes);
  return data === null ? null : eventOf(data, bytes, position, nowMs);
}

function eventOf(data: { [name: string]: JsonValue }, raw: Buffer, position: string, nowMs: number): SourceRecord {
  const { type, receivedAt, messageId } = data;
  const receivedAtMs = typeof receivedAt === 'string' ? Date.parse(receivedAt) : NaN;
  return {
    operation: 'none',
    stream: typeof type === 'string' ? type : 'track',
    namespace: null,
    position,
    data,
    bytes: raw,
    receivedAtMs: Number.isNaN(receivedAtMs) ? nowMs : receivedAtMs,
    messageId: typeof messageId === 'string' ? messageId : position,
  };
}

function parsed(bytes: Buffer): { [name: string]: JsonValue } | null {
  try {
    const value = parseJson(bytes.toString()) as JsonValue;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
