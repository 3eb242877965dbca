/**
 * Completes events in their bytes: what is filled in is written between them, and nothing is parsed or printed. Does
 * exactly what `completeEvent` does, byte for byte (a test compares them), or leaves it to that.
 */
import { eventTypes } from '../../model/index.ts';
import type { EventType, JsonValue } from '../../model/index.ts';
import { EventRecord } from './record.ts';
import { maxTimeBytes, slots } from './scan.ts';
import type { EventScan } from './scan.ts';
import { isoBytes, writeTime } from './time-bytes.ts';
import { correctedTime, isUsableSentAt, readTimeBytes } from './times.ts';

export interface SpliceFacts {
  readonly receivedAtMs: number;
  readonly ip: string | null;
  newMessageId(): string;
  /** The type that the path names; null: the event's own. */
  readonly type: EventType | null;
  /** The text of the batch's `sentAt`; null: it has none. */
  readonly sentAt: Buffer | null;
}

/** Completes the events of one scanned body after the other. */
export class Splicer {
  readonly #scan: EventScan;
  readonly #body: Buffer;
  readonly #facts: SpliceFacts;
  readonly #batchSentAtMs: number;

  /** `body` is what was scanned. */
  constructor(scan: EventScan, body: Buffer, facts: SpliceFacts) {
    this.#scan = scan;
    this.#body = body;
    this.#facts = facts;
    this.#batchSentAtMs = facts.sentAt === null ? NaN : readTimeBytes(facts.sentAt, 0, facts.sentAt.length);
  }

  /** The record of an event; null where it must be parsed to be judged. */
  complete(index: number): EventRecord | null {
    const scan = this.#scan;
    if (scan.isOdd(index)) return null;
    const type = this.#typeOf(index);
    if (type === null || !isSimple(scan, index, type) || !this.#readTimes(index)) return null;
    const { ip } = this.#facts;
    const hasContext = scan.beginOf(index, slots.context) > 0;
    const needsIp = ip !== null && scan.beginOf(index, slots.ip) === 0;
    const newMessageId = scan.beginOf(index, slots.messageId) > 0 ? null : this.#facts.newMessageId();
    this.#writeTail(index, type, newMessageId, needsIp && !hasContext);
    const bytes = this.#splice(index, needsIp && hasContext ? ip : null);
    return new EventRecord(type, this.#facts.receivedAtMs, bytes, newMessageId, this.#integrationsOf(index));
  }

  #typeOf(index: number): EventType | null {
    const { type } = this.#facts;
    const begin = this.#scan.beginOf(index, slots.type);
    if (begin === 0) return type;
    const end = this.#scan.endOf(index, slots.type);
    for (let known = 0; known < eventTypes.length; known++) {
      if (!isSame(this.#body, begin + 1, end - 1, typeBytes[known]!)) continue;
      return type === null || type === eventTypes[known] ? eventTypes[known]! : null;
    }
    return null;
  }

  /** As `eventTimes` has it. False where the event's own time cannot be read. */
  #readTimes(index: number): boolean {
    const scan = this.#scan;
    const originalBegin = scan.beginOf(index, slots.originalTimestamp);
    const client = originalBegin > 0 ? slots.originalTimestamp : slots.timestamp;
    const hasClient = scan.beginOf(index, client) > 0;
    const ownSentAt = scan.beginOf(index, slots.sentAt) > 0;
    const sentAtMs = ownSentAt ? this.#readTime(index, slots.sentAt) : this.#batchSentAtMs;
    const isUsable = isUsableSentAt(sentAtMs);
    const { receivedAtMs } = this.#facts;
    correctedMs = receivedAtMs;
    originalSource = null;
    timestampSource = null;
    if (!hasClient) {
      if (ownSentAt && this.#lengthOf(index, slots.sentAt) > maxTimeBytes) return false;
      if (isUsable) originalSource = ownSentAt ? slots.sentAt : 'batch';
      else originalSource = 'received';
      return true;
    }
    if (this.#lengthOf(index, client) > maxTimeBytes) return false;
    const clientMs = this.#readTime(index, client);
    if (Number.isNaN(clientMs)) return false;
    if (originalBegin === 0) originalSource = slots.timestamp;
    if (isUsable) correctedMs = correctedTime(clientMs, sentAtMs, receivedAtMs);
    else timestampSource = client;
    return true;
  }

  #readTime(index: number, slot: number): number {
    return readTimeBytes(this.#body, this.#scan.beginOf(index, slot) + 1, this.#scan.endOf(index, slot) - 1);
  }

  // The order of the fields is that in which completeEvent adds them.
  #writeTail(index: number, type: EventType, newMessageId: string | null, withContext: boolean): void {
    const scan = this.#scan;
    const { ip, sentAt, receivedAtMs } = this.#facts;
    tailLength = 0;
    if (scan.beginOf(index, slots.type) === 0) putText(`,"type":"${type}"`);
    if (newMessageId !== null) {
      putText(',"messageId":"');
      putText(newMessageId);
      tail[tailLength++] = QUOTE;
    }
    if (sentAt !== null && scan.beginOf(index, slots.sentAt) === 0) {
      putText(',"sentAt":"');
      putBytes(sentAt, 0, sentAt.length);
      tail[tailLength++] = QUOTE;
    }
    if (withContext) putText(`,"context":{"ip":"${ip}"}`);
    if (originalSource !== null) {
      putText(',"originalTimestamp":"');
      this.#putOriginal(index, originalSource);
      tail[tailLength++] = QUOTE;
    }
    if (scan.beginOf(index, slots.timestamp) === 0) {
      putText(',"timestamp":"');
      if (timestampSource === null) tailLength = writeTime(tail, tailLength, correctedMs);
      else this.#putSlot(index, timestampSource);
      tail[tailLength++] = QUOTE;
    }
    putText(',"receivedAt":"');
    tailLength = writeTime(tail, tailLength, receivedAtMs);
    putText('"}');
  }

  #putOriginal(index: number, source: number | 'batch' | 'received'): void {
    const { sentAt, receivedAtMs } = this.#facts;
    if (source === 'received') tailLength = writeTime(tail, tailLength, receivedAtMs);
    else if (source === 'batch') putBytes(sentAt!, 0, sentAt!.length);
    else this.#putSlot(index, source);
  }

  #putSlot(index: number, slot: number): void {
    putBytes(this.#body, this.#scan.beginOf(index, slot) + 1, this.#scan.endOf(index, slot) - 1);
  }

  /** The event's bytes with the right timestamp, with `ip` in its context, and with the tail for its last brace. */
  #splice(index: number, ip: string | null): Buffer {
    const scan = this.#scan;
    const begin = scan.begin(index);
    const end = scan.end(index) - 1;
    const oldBegin = scan.beginOf(index, slots.timestamp) + 1;
    const oldEnd = scan.endOf(index, slots.timestamp) - 1;
    const keepsTimestamp = oldBegin === 1 || timestampSource === slots.timestamp;
    const contextBegin = scan.beginOf(index, slots.context);
    const contextEnd = scan.endOf(index, slots.context) - 1;
    const comma = contextEnd - contextBegin === 1 ? '' : ',';
    const ipText = ip === null ? '' : `${comma}"ip":"${ip}"`;
    const newBytes = timestampSource === null ? isoBytes : this.#lengthOf(index, timestampSource);
    const target = Buffer.allocUnsafe(
      end - begin + ipText.length + tailLength + (keepsTimestamp ? 0 : newBytes - (oldEnd - oldBegin)),
    );
    let to = 0;
    let from = begin;
    const isContextFirst = contextEnd < oldBegin;
    if (ip !== null && isContextFirst) {
      to += this.#body.copy(target, to, from, contextEnd);
      to = writeText(target, to, ipText);
      from = contextEnd;
    }
    if (!keepsTimestamp) {
      to += this.#body.copy(target, to, from, oldBegin);
      if (timestampSource === null) to = writeTime(target, to, correctedMs);
      else to += this.#copySlot(index, timestampSource, target, to);
      from = oldEnd;
    }
    if (ip !== null && !isContextFirst) {
      to += this.#body.copy(target, to, from, contextEnd);
      to = writeText(target, to, ipText);
      from = contextEnd;
    }
    to += this.#body.copy(target, to, from, end);
    tail.copy(target, to, 0, tailLength);
    return target;
  }

  #lengthOf(index: number, slot: number): number {
    return this.#scan.endOf(index, slot) - this.#scan.beginOf(index, slot) - 2;
  }

  #copySlot(index: number, slot: number, target: Buffer, to: number): number {
    return this.#body.copy(target, to, this.#scan.beginOf(index, slot) + 1, this.#scan.endOf(index, slot) - 1);
  }

  #integrationsOf(index: number): JsonValue {
    const begin = this.#scan.beginOf(index, slots.integrations);
    const end = this.#scan.endOf(index, slots.integrations);
    return end - begin <= 2 ? null : (JSON.parse(this.#body.toString('utf8', begin, end)) as JsonValue);
  }
}

const QUOTE = 0x22;
const typeBytes = eventTypes.map((type) => Buffer.from(type));

// What one event's completion needs between its steps; it is synchronous.

/** What comes after the event's own last member: ids, addresses and times, all short. */
const tail = Buffer.alloc(1024);
let tailLength = 0;
/** Where `originalTimestamp` comes from; null: the event has it. */
let originalSource: number | 'batch' | 'received' | null = null;
/** The slot whose text `timestamp` must be; null: `correctedMs`. */
let timestampSource: number | null = null;
let correctedMs = 0;

/** Whether the fields that must be there are, and none that has to be taken out or replaced. */
function isSimple(scan: EventScan, index: number, type: EventType): boolean {
  const hasUser = isFilled(scan, index, slots.userId);
  if (!hasUser && !isFilled(scan, index, slots.anonymousId)) return false;
  if (type === 'track' && !isFilled(scan, index, slots.event)) return false;
  if (type === 'group' && !isFilled(scan, index, slots.groupId)) return false;
  if (type === 'alias' && !(hasUser && isFilled(scan, index, slots.previousId))) return false;
  if (scan.beginOf(index, slots.writeKey) > 0 || scan.beginOf(index, slots.receivedAt) > 0) return false;
  const messageIdBegin = scan.beginOf(index, slots.messageId);
  const messageIdBytes = scan.endOf(index, slots.messageId) - messageIdBegin - 2;
  if (messageIdBegin > 0 && (messageIdBytes === 0 || messageIdBytes >= 100)) return false;
  return scan.beginOf(index, slots.ip) === 0 || isFilled(scan, index, slots.ip);
}

/** Whether the text is there and not empty. */
function isFilled(scan: EventScan, index: number, slot: number): boolean {
  return scan.endOf(index, slot) - scan.beginOf(index, slot) > 2;
}

function isSame(bytes: Buffer, begin: number, end: number, text: Buffer): boolean {
  if (end - begin !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[begin + index] !== text[index]) return false;
  return true;
}

// Short pieces are written byte by byte: that costs less than a call into the runtime.

function putText(text: string): void {
  tailLength = writeText(tail, tailLength, text);
}

function putBytes(bytes: Buffer, begin: number, end: number): void {
  for (let from = begin; from < end; from++) tail[tailLength++] = bytes[from]!;
}

/** ASCII only. */
function writeText(target: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}
