/**
 * Finds the fields of events in the bytes of a body, without parsing it: several times as fast as parsing and printing.
 * It knows only JSON as machines print it, without white space and needless escapes, and gives up on any other: then
 * the body is parsed. What it accepts, `JSON.parse` would accept, and `JSON.stringify` would print the same again.
 */
import { maxDepth } from './depth.ts';

/** The fields that completing an event looks at or writes; the numbers are slots in the tape. */
export const slots = {
  type: 0,
  userId: 1,
  anonymousId: 2,
  event: 3,
  groupId: 4,
  previousId: 5,
  messageId: 6,
  timestamp: 7,
  originalTimestamp: 8,
  sentAt: 9,
  receivedAt: 10,
  context: 11,
  integrations: 12,
  writeKey: 13,
  /** `context.ip` */
  ip: 14,
} as const;

/** A longer time is padded or none; it is left to the slow way, which has room for it. */
export const maxTimeBytes = 64;

/** Numbers of one event on the tape: where it begins and ends, whether it is odd, and begin and end of each slot. */
const HEAD = 3;
const STRIDE = HEAD + 2 * 15;

/** The scan of one body. Reused for the next one: what it found must be used before. */
export class EventScan {
  /** How many events were found. */
  count = 0;
  #tape = new Int32Array(128 * STRIDE);
  /** Of a batch, not of its events; with quotes. */
  #sentAtBegin = 0;
  #sentAtEnd = 0;
  #writeKeyBegin = 0;
  #writeKeyEnd = 0;

  /** Scans a body that is one event. False: not in the simple form; parse it. */
  scanSingle(bytes: Buffer): boolean {
    this.count = 0;
    return bytes[0] === OPEN_BRACE && this.#event(bytes, 0, bytes.length, 0) === bytes.length;
  }

  /** Scans a body that is a batch of at most `maxEvents`. False: not in the simple form, or no batch; parse it. */
  scanBatch(bytes: Buffer, maxEvents: number): boolean {
    this.count = 0;
    this.#sentAtBegin = 0;
    this.#writeKeyBegin = 0;
    if (bytes[0] !== OPEN_BRACE) return false;
    return this.#envelope(bytes, bytes.length, maxEvents) === bytes.length;
  }

  begin(event: number): number {
    return this.#tape[event * STRIDE]!;
  }

  end(event: number): number {
    return this.#tape[event * STRIDE + 1]!;
  }

  /** The event has something that only parsing it can judge: a field of another kind, twice, escaped or too deep. */
  isOdd(event: number): boolean {
    return this.#tape[event * STRIDE + 2] !== 0;
  }

  /** Where the value of a slot begins, its quote or brace included; 0: the field is not there. */
  beginOf(event: number, slot: number): number {
    return this.#tape[event * STRIDE + HEAD + 2 * slot]!;
  }

  endOf(event: number, slot: number): number {
    return this.#tape[event * STRIDE + HEAD + 2 * slot + 1]!;
  }

  /** The text of the batch's own `sentAt`, or null. */
  sentAtOfBatch(bytes: Buffer): Buffer | null {
    return this.#sentAtBegin === 0 ? null : bytes.subarray(this.#sentAtBegin + 1, this.#sentAtEnd - 1);
  }

  /** The write key that the batch names, or null. */
  writeKeyOfBatch(bytes: Buffer): string | null {
    return keyText(bytes, this.#writeKeyBegin, this.#writeKeyEnd);
  }

  /** The write key that an event names, or null. */
  writeKeyOf(event: number, bytes: Buffer): string | null {
    return keyText(bytes, this.beginOf(event, slots.writeKey), this.endOf(event, slots.writeKey));
  }

  #envelope(bytes: Buffer, length: number, maxEvents: number): number {
    let at = 1;
    for (;;) {
      const name = at + 1;
      const colon = skipName(bytes, at, length);
      if (colon < 0 || bytes[colon] !== COLON) return -1;
      const value = colon + 1;
      if (is(bytes, name, colon - 1, BATCH)) {
        if (this.count > 0 || bytes[value] !== OPEN_BRACKET) return -1;
        at = this.#events(bytes, value + 1, length, maxEvents);
      } else {
        if (is(bytes, name, colon - 1, CONTEXT) || is(bytes, name, colon - 1, INTEGRATIONS)) return -1;
        at = skipValue(bytes, value, length, maxDepth);
        if (at > 0 && is(bytes, name, colon - 1, SENT_AT)) {
          if (this.#sentAtBegin > 0 || !isPlainText(bytes, value, at) || at - value - 2 > maxTimeBytes) return -1;
          this.#sentAtBegin = value;
          this.#sentAtEnd = at;
        } else if (at > 0 && is(bytes, name, colon - 1, WRITE_KEY)) {
          if (this.#writeKeyBegin > 0 || !isPlainText(bytes, value, at)) return -1;
          this.#writeKeyBegin = value;
          this.#writeKeyEnd = at;
        }
      }
      if (at < 0 || at >= length) return -1;
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at++;
    }
  }

  #events(bytes: Buffer, from: number, length: number, maxEvents: number): number {
    let at = from;
    for (;;) {
      if (at >= length || bytes[at] !== OPEN_BRACE || this.count >= maxEvents) return -1;
      at = this.#event(bytes, at, length, this.count);
      if (at < 0 || at >= length) return -1;
      if (bytes[at] === CLOSE_BRACKET) return at + 1;
      if (bytes[at] !== COMMA) return -1;
      at++;
    }
  }

  /** Notes one event on the tape; gives the index after it, or -1. */
  #event(bytes: Buffer, begin: number, length: number, event: number): number {
    const start = event * STRIDE;
    if (start + STRIDE > this.#tape.length) {
      const larger = new Int32Array(this.#tape.length * 4);
      larger.set(this.#tape);
      this.#tape = larger;
    }
    const tape = this.#tape;
    tape.fill(0, start, start + STRIDE);
    tape[start] = begin;
    const end = eventMembers(bytes, begin + 1, length, tape, start);
    tape[start + 1] = end;
    this.count = event + 1;
    return end;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const BATCH = Buffer.from('batch');
const CONTEXT = Buffer.from('context');
const INTEGRATIONS = Buffer.from('integrations');
const SENT_AT = Buffer.from('sentAt');
const WRITE_KEY = Buffer.from('writeKey');

/** Names of slots by their length; `ip` is not among them: it stands in the context. */
const namesByLength: readonly (readonly { readonly name: Buffer; readonly slot: number }[] | undefined)[] = (() => {
  const table: { name: Buffer; slot: number }[][] = [];
  for (const [name, slot] of Object.entries(slots))
    if (slot !== slots.ip) (table[name.length] ??= []).push({ name: Buffer.from(name), slot });
  return table;
})();

function slotOf(bytes: Buffer, begin: number, end: number): number {
  const candidates = namesByLength[end - begin];
  if (candidates === undefined) return -1;
  for (let index = 0; index < candidates.length; index++) {
    const { name, slot } = candidates[index]!;
    if (is(bytes, begin, end, name)) return slot;
  }
  return -1;
}

function is(bytes: Buffer, begin: number, end: number, name: Buffer): boolean {
  if (end - begin !== name.length) return false;
  for (let index = 0; index < name.length; index++) if (bytes[begin + index] !== name[index]) return false;
  return true;
}

function keyText(bytes: Buffer, begin: number, end: number): string | null {
  return begin > 0 && end - begin > 2 ? bytes.toString('utf8', begin + 1, end - 1) : null;
}

// All of these give the index after what they skipped, or -1.

function eventMembers(bytes: Buffer, from: number, length: number, tape: Int32Array, start: number): number {
  let at = from;
  if (at < length && bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    const colon = skipName(bytes, at, length);
    if (colon < 0 || bytes[colon] !== COLON) return -1;
    const value = colon + 1;
    const slot = slotOf(bytes, at + 1, colon - 1);
    if (slot < 0) {
      at = skipValue(bytes, value, length, maxDepth - 1);
    } else {
      sawEscape = false;
      at =
        slot === slots.context
          ? contextOf(bytes, value, length, tape, start)
          : skipValue(bytes, value, length, maxDepth - 1);
      if (at < 0) return -1;
      note(bytes, value, at, slot, tape, start);
    }
    if (at < 0 || at >= length) return -1;
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
  }
}

function contextOf(bytes: Buffer, value: number, length: number, tape: Int32Array, start: number): number {
  if (bytes[value] !== OPEN_BRACE) return skipValue(bytes, value, length, maxDepth - 1);
  let at = value + 1;
  if (at < length && bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    const colon = skipName(bytes, at, length);
    if (colon < 0 || bytes[colon] !== COLON) return -1;
    const member = colon + 1;
    const isIp = colon - at === 4 && bytes[at + 1] === 0x69 && bytes[at + 2] === 0x70;
    if (isIp) sawEscape = false;
    at = skipValue(bytes, member, length, maxDepth - 2);
    if (at < 0 || at >= length) return -1;
    if (isIp) note(bytes, member, at, slots.ip, tape, start);
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
  }
}

function note(bytes: Buffer, begin: number, end: number, slot: number, tape: Int32Array, start: number): void {
  const place = start + HEAD + 2 * slot;
  const isExpected =
    slot === slots.context
      ? bytes[begin] === OPEN_BRACE
      : slot === slots.integrations || (bytes[begin] === QUOTE && !sawEscape);
  if (!isExpected || tape[place] !== 0) tape[start + 2] = 1;
  tape[place] = begin;
  tape[place + 1] = end;
}

/** Whether the value is text without escapes, so that its bytes can be used as they are. */
function isPlainText(bytes: Buffer, begin: number, end: number): boolean {
  if (bytes[begin] !== QUOTE) return false;
  for (let at = begin + 1; at < end - 1; at++) if (bytes[at] === BACKSLASH) return false;
  return true;
}

// A name that begins with a digit may be printed at another place than it was written.
function skipName(bytes: Buffer, at: number, length: number): number {
  if (at + 1 >= length || bytes[at] !== QUOTE) return -1;
  const first = bytes[at + 1]!;
  if (first >= 0x30 && first <= 0x39) return -1;
  const end = skipString(bytes, at + 1, length);
  return end < length ? end : -1;
}

function skipString(bytes: Buffer, from: number, length: number): number {
  for (let at = from; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) return -1;
    if (byte === BACKSLASH) {
      sawEscape = true;
      at++;
      if (at >= length || !isPlainEscape(bytes[at]!)) return -1;
    }
  }
  return -1;
}

/** Set by `skipString`; a scan is synchronous. */
let sawEscape = false;

/** The escapes that a printer uses too: not `\/` and not `\u…`. */
function isPlainEscape(byte: number): boolean {
  return (
    byte === QUOTE ||
    byte === BACKSLASH ||
    byte === 0x6e ||
    byte === 0x72 ||
    byte === 0x74 ||
    byte === 0x62 ||
    byte === 0x66
  );
}

/** `levels`: how many levels of arrays and objects the value may have. */
function skipValue(bytes: Buffer, at: number, length: number, levels: number): number {
  if (at >= length) return -1;
  switch (bytes[at]!) {
    case QUOTE:
      return skipString(bytes, at + 1, length);
    case OPEN_BRACE:
      return levels === 0 ? -1 : skipMembers(bytes, at + 1, length, levels - 1);
    case OPEN_BRACKET:
      return levels === 0 ? -1 : skipItems(bytes, at + 1, length, levels - 1);
    case 0x74:
      return skipWord(bytes, at, length, TRUE);
    case 0x66:
      return skipWord(bytes, at, length, FALSE);
    case 0x6e:
      return skipWord(bytes, at, length, NULL);
    default:
      return skipNumber(bytes, at, length);
  }
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

function skipWord(bytes: Buffer, at: number, length: number, word: Buffer): number {
  const end = at + word.length;
  return end <= length && is(bytes, at, end, word) ? end : -1;
}

function skipMembers(bytes: Buffer, from: number, length: number, levels: number): number {
  let at = from;
  if (at < length && bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    at = skipName(bytes, at, length);
    if (at < 0 || bytes[at] !== COLON) return -1;
    at = skipValue(bytes, at + 1, length, levels);
    if (at < 0 || at >= length) return -1;
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
  }
}

function skipItems(bytes: Buffer, from: number, length: number, levels: number): number {
  let at = from;
  if (at < length && bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipValue(bytes, at, length, levels);
    if (at < 0 || at >= length) return -1;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
  }
}

function skipNumber(bytes: Buffer, from: number, length: number): number {
  let at = from;
  if (bytes[at] === 0x2d) at++;
  if (at < length && bytes[at] === 0x30) at++;
  else if ((at = skipDigits(bytes, at, length)) < 0) return -1;
  if (at < length && bytes[at] === 0x2e && (at = skipDigits(bytes, at + 1, length)) < 0) return -1;
  if (at < length && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++;
    if (at < length && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
    return skipDigits(bytes, at, length);
  }
  return at;
}

/** At least one digit. */
function skipDigits(bytes: Buffer, from: number, length: number): number {
  let at = from;
  while (at < length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
  return at === from ? -1 : at;
}
