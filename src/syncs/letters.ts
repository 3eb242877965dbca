/** Dead letters as they are made, and the messages that carry them to a topic. */
import { createHash } from 'node:crypto';
import { isoTime } from '../base/clock.ts';
import type { DeadLetter, Header, JsonValue, Message, Rejection, SourceRecord } from '../model/index.ts';

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
function printed(record: { readonly data?: JsonValue }): Buffer | null {
  try {
    return record.data === undefined ? null : Buffer.from(JSON.stringify(record.data));
  } catch {
    return null; // nested too deep to be printed
  }
}
