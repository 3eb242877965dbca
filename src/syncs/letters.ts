/** Dead letters as they are made, and the messages that carry them to a topic and back. */
import { createHash } from 'node:crypto';
import { isoTime } from '../base/clock.ts';
import type { DeadLetter, ErrorCode, Header, JsonValue, Message, Rejection, SourceRecord } from '../model/index.ts';

/** The dead letter of a record: byte for byte what would have been sent, or the record where there is no message. */
export function letterOf(
  sync: string,
  run: string | null,
  record: Pick<SourceRecord, 'position' | 'bytes'> & { readonly data?: JsonValue },
  message: Message | null,
  rejection: Rejection,
): DeadLetter {
  const letter = {
    sync,
    run,
    code: rejection.code,
    reason: rejection.reason,
    field: rejection.field ?? null,
    position: record.position,
    topic: message?.topic ?? null,
    partition: message?.partition ?? null,
    key: message?.key ?? null,
    value: message?.value ?? null,
    headers: message?.headers ?? [],
    timestampMs: message?.timestampMs ?? null,
    raw: record.bytes ?? (message === null ? printed(record) : null),
    partitionKey: otherThanKey(message),
    attempts: rejection.attempts ?? 0,
    ...(rejection.partition === undefined ? {} : { triedPartition: rejection.partition }),
  };
  return { ...letter, identity: identityOf(letter) };
}

/** The names of the headers that a dead letter has in its topic, after those of the message itself. */
export const letterHeaders = {
  /** By it readers drop doubles: a redriven message has it as `headrace.redriven`. */
  id: 'headrace.id',
  sync: 'headrace.sync',
  run: 'headrace.run',
  code: 'headrace.reason.code',
  reason: 'headrace.reason',
  field: 'headrace.field',
  position: 'headrace.position',
  /** `message`: key, value and headers are those that were rejected. `record`: it never became one; the value is the record. */
  content: 'headrace.content',
  topic: 'headrace.topic',
  partition: 'headrace.partition',
  /** `true`: its mapping chose that partition; else it is where it was tried. */
  chosen: 'headrace.partition.chosen',
  /** The bytes whose hash chooses the partition, where it is not the key. */
  partitionKey: 'headrace.partition.key',
  timestamp: 'headrace.timestamp',
  time: 'headrace.time',
  attempts: 'headrace.attempts',
} as const;

/** On a message that was a dead letter and is sent again. */
export const REDRIVEN = 'headrace.redriven';

/** The dead letter as a message: key, value and headers byte for byte, then why and whence (the timestamp is that of the rejection). */
export function asMessage(letter: DeadLetter, topic: string, nowMs: number): Message {
  const content = letter.topic === null ? 'record' : 'message';
  const partition = letter.partition ?? letter.triedPartition ?? null;
  const told: readonly (readonly [name: string, text: string | null])[] = [
    [letterHeaders.id, letter.identity ?? identityOf(letter)],
    [letterHeaders.sync, letter.sync],
    [letterHeaders.run, letter.run],
    [letterHeaders.code, letter.code],
    [letterHeaders.reason, letter.reason],
    [letterHeaders.field, letter.field],
    [letterHeaders.position, letter.position],
    [letterHeaders.content, content],
    [letterHeaders.topic, letter.topic],
    [letterHeaders.partition, partition === null ? null : String(partition)],
    [letterHeaders.timestamp, letter.timestampMs === null ? null : String(letter.timestampMs)],
    [letterHeaders.time, isoTime(nowMs)],
    [letterHeaders.attempts, String(letter.attempts ?? 0)],
  ];
  const context = told.flatMap(([name, text]): Header[] => (text === null ? [] : [[name, Buffer.from(text)]]));
  if (letter.partition !== null) context.push([letterHeaders.chosen, Buffer.from('true')]);
  if (letter.partitionKey) context.push([letterHeaders.partitionKey, letter.partitionKey]);
  return {
    topic,
    partition: null,
    partitionKey: letter.key,
    key: letter.key,
    value: content === 'message' ? letter.value : letter.raw,
    headers: [...letter.headers, ...context],
    timestampMs: nowMs,
  };
}

/** What `asMessage` made, read back with the time of its rejection (ISO 8601); null: the message is no dead letter. */
export function fromMessage({
  key,
  value,
  headers,
  timestampMs,
}: Pick<Message, 'key' | 'value' | 'headers' | 'timestampMs'>): (DeadLetter & { readonly time: string }) | null {
  // A message may have headers of these names as its own: what Headrace added comes last.
  const from = headers.findLastIndex(([name]) => name === letterHeaders.id);
  if (from < 0) return null;
  const context = new Map(headers.slice(from));
  const text = (name: string): string | null => context.get(name)?.toString() ?? null;
  const number = (name: string): number | null => {
    const written = text(name);
    return written !== null && /^\d{1,15}$/.test(written) ? Number(written) : null;
  };
  const [identity, sync, code] = [text(letterHeaders.id), text(letterHeaders.sync), text(letterHeaders.code)];
  if (identity === null || sync === null || code === null) return null;
  const isMessage = text(letterHeaders.content) === 'message';
  const timeMs = Date.parse(text(letterHeaders.time) ?? '');
  return {
    sync,
    run: text(letterHeaders.run),
    code: code as ErrorCode,
    reason: text(letterHeaders.reason) ?? '',
    field: text(letterHeaders.field),
    position: text(letterHeaders.position),
    topic: isMessage ? text(letterHeaders.topic) : null,
    partition: text(letterHeaders.chosen) === 'true' ? number(letterHeaders.partition) : null,
    key: isMessage ? key : null,
    value: isMessage ? value : null,
    headers: isMessage ? headers.slice(0, from) : [],
    timestampMs: isMessage ? number(letterHeaders.timestamp) : null,
    raw: isMessage ? null : value,
    partitionKey: context.get(letterHeaders.partitionKey) ?? null,
    identity,
    attempts: number(letterHeaders.attempts) ?? 0,
    time: isoTime(Number.isNaN(timeMs) ? Math.max(0, timestampMs) : timeMs),
  };
}

/** The message that a dead letter holds, to be sent again; null where it never was one. */
export function messageOf(letter: DeadLetter): Message | null {
  if (letter.topic === null || letter.timestampMs === null) return null;
  const redriven: Header = [REDRIVEN, Buffer.from(letter.identity ?? identityOf(letter))];
  return {
    topic: letter.topic,
    partition: letter.partition,
    partitionKey: letter.partitionKey ?? letter.key,
    key: letter.key,
    value: letter.value,
    headers: [...letter.headers.filter(([name]) => name !== REDRIVEN), redriven],
    timestampMs: letter.timestampMs,
  };
}

function otherThanKey(message: Message | null): Buffer | null {
  if (message === null || message.partitionKey === null || message.partitionKey === message.key) return null;
  return message.key !== null && message.partitionKey.equals(message.key) ? null : message.partitionKey;
}

/** The same for the same record of the same sync and run, whatever becomes of it. */
function identityOf(letter: DeadLetter): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([letter.sync, letter.run, letter.position, letter.topic, letter.timestampMs]));
  for (const bytes of [letter.key, letter.value, letter.raw]) {
    hash.update(bytes === null ? '-' : `${bytes.length}:`);
    if (bytes !== null) hash.update(bytes);
  }
  return hash.digest('base64url').slice(0, 27);
}

/** A record without bytes of its own, such as a CSV row, is kept as JSON: where nothing became of it, it is nowhere else. */
export function printed(record: { readonly data?: JsonValue }): Buffer | null {
  try {
    return record.data === undefined ? null : Buffer.from(JSON.stringify(record.data));
  } catch {
    return null; // nested too deep to be printed
  }
}
