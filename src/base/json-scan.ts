/** Checks that bytes are JSON and finds top-level members in them, without parsing: several times as fast. */
import { isUtf8 } from 'node:buffer';

/** Deeper nesting is a fault: nothing downstream would print it safely. */
export const MAX_SCAN_DEPTH = 1000;

/**
 * Scans for the members named. It takes exactly what `JSON.parse` takes of the same text, but refuses bytes that are
 * not UTF-8 and nesting deeper than `MAX_SCAN_DEPTH`. Of a name that stands twice the last counts, as with JSON.parse.
 */
export class JsonScanner {
  /** Where each member's value begins and ends in the bytes of the last scan; begin -1: it is not there. */
  readonly begins: Int32Array;
  readonly ends: Int32Array;
  /** Whether the last scanned value was an object. */
  isObject = false;
  readonly #names: readonly string[];
  readonly #nameBytes: readonly Buffer[];

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#nameBytes = names.map((name) => Buffer.from(name));
    this.begins = new Int32Array(names.length);
    this.ends = new Int32Array(names.length);
  }

  /** null when the bytes are JSON, else what is wrong with them. */
  scan(bytes: Buffer): string | null {
    this.begins.fill(-1);
    sawHighByte = false;
    const length = bytes.length;
    let at = skipSpace(bytes, 0, length);
    this.isObject = at < length && bytes[at] === OPEN_BRACE;
    at = this.isObject ? this.#members(bytes, at + 1, length) : skipValue(bytes, at, length, 0);
    if (at >= 0) {
      at = skipSpace(bytes, at, length);
      if (at < length) at = ~at;
    }
    if (at < 0) return ~at >= length ? 'the JSON text ends too soon' : `no valid JSON at byte ${~at + 1}`;
    if (sawHighByte && !isUtf8(bytes)) return 'the text is not valid UTF-8';
    return null;
  }

  /** The bytes of a member's value in the scanned bytes, or null. */
  slice(bytes: Buffer, member: number): Buffer | null {
    const begin = this.begins[member]!;
    return begin < 0 ? null : bytes.subarray(begin, this.ends[member]);
  }

  /** Like skipMembers, but notes the members asked for. */
  #members(bytes: Buffer, from: number, length: number): number {
    let at = skipSpace(bytes, from, length);
    if (at < length && bytes[at] === CLOSE_BRACE) return at + 1;
    for (;;) {
      if (at >= length || bytes[at] !== QUOTE) return ~at;
      const nameAt = at + 1;
      sawEscape = false;
      at = skipString(bytes, nameAt, length);
      if (at < 0) return at;
      const member = sawEscape ? this.#findEscaped(bytes, nameAt, at - 1) : this.#find(bytes, nameAt, at - 1);
      at = skipSpace(bytes, at, length);
      if (at >= length || bytes[at] !== COLON) return ~at;
      const valueAt = skipSpace(bytes, at + 1, length);
      at = skipValue(bytes, valueAt, length, 1);
      if (at < 0) return at;
      if (member >= 0) {
        this.begins[member] = valueAt;
        this.ends[member] = at;
      }
      at = skipSpace(bytes, at, length);
      if (at >= length) return ~at;
      if (bytes[at] === CLOSE_BRACE) return at + 1;
      if (bytes[at] !== COMMA) return ~at;
      at = skipSpace(bytes, at + 1, length);
    }
  }

  #find(bytes: Buffer, begin: number, end: number): number {
    const names = this.#nameBytes;
    for (let member = 0; member < names.length; member++) {
      const name = names[member]!;
      if (name.length !== end - begin) continue;
      let index = 0;
      while (index < name.length && name[index] === bytes[begin + index]) index++;
      if (index === name.length) return member;
    }
    return -1;
  }

  #findEscaped(bytes: Buffer, begin: number, end: number): number {
    return this.#names.indexOf(JSON.parse(bytes.toString('utf8', begin - 1, end + 1)) as string);
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

// Set by the functions below during one scan; a scan is synchronous.
let sawHighByte = false;
let sawEscape = false;

// All of these give the index after what they skipped, or the complement (~) of the index of the fault.

function skipSpace(bytes: Buffer, from: number, length: number): number {
  let at = from;
  while (at < length) {
    const byte = bytes[at]!;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
    at++;
  }
  return at;
}

function skipString(bytes: Buffer, from: number, length: number): number {
  let at = from;
  for (;;) {
    let byte = 0;
    for (; at < length; at++) {
      byte = bytes[at]!;
      if (byte === QUOTE) return at + 1;
      // Beyond printable ASCII, in one comparison: below 0x20 it wraps around.
      if (byte === BACKSLASH || ((byte - 0x20) & 0xff) >= 0x60) break;
    }
    if (at >= length || byte < 0x20) return ~at;
    if (byte === BACKSLASH) {
      sawEscape = true;
      at = skipEscape(bytes, at + 1, length);
      if (at < 0) return at;
    } else {
      sawHighByte = true;
      at++;
    }
  }
}

function skipEscape(bytes: Buffer, at: number, length: number): number {
  if (at >= length) return ~at;
  switch (bytes[at]!) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 1;
    case 0x75: // u
      for (let digit = at + 1; digit < at + 5; digit++) if (digit >= length || !isHex(bytes[digit]!)) return ~digit;
      return at + 5;
    default:
      return ~at;
  }
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

function skipValue(bytes: Buffer, at: number, length: number, depth: number): number {
  if (at >= length) return ~at;
  switch (bytes[at]!) {
    case QUOTE:
      return skipString(bytes, at + 1, length);
    case OPEN_BRACE:
      return depth >= MAX_SCAN_DEPTH ? ~at : skipMembers(bytes, at + 1, length, depth + 1);
    case OPEN_BRACKET:
      return depth >= MAX_SCAN_DEPTH ? ~at : skipItems(bytes, at + 1, length, depth + 1);
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
  for (let index = 1; index < word.length; index++)
    if (at + index >= length || bytes[at + index] !== word[index]) return ~(at + index);
  return at + word.length;
}

function skipMembers(bytes: Buffer, from: number, length: number, depth: number): number {
  let at = skipSpace(bytes, from, length);
  if (at < length && bytes[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    if (at >= length || bytes[at] !== QUOTE) return ~at;
    at = skipString(bytes, at + 1, length);
    if (at < 0) return at;
    at = skipSpace(bytes, at, length);
    if (at >= length || bytes[at] !== COLON) return ~at;
    at = skipValue(bytes, skipSpace(bytes, at + 1, length), length, depth);
    if (at < 0) return at;
    at = skipSpace(bytes, at, length);
    if (at >= length) return ~at;
    if (bytes[at] === CLOSE_BRACE) return at + 1;
    if (bytes[at] !== COMMA) return ~at;
    at = skipSpace(bytes, at + 1, length);
  }
}

function skipItems(bytes: Buffer, from: number, length: number, depth: number): number {
  let at = skipSpace(bytes, from, length);
  if (at < length && bytes[at] === CLOSE_BRACKET) return at + 1;
  for (;;) {
    at = skipValue(bytes, at, length, depth);
    if (at < 0) return at;
    at = skipSpace(bytes, at, length);
    if (at >= length) return ~at;
    if (bytes[at] === CLOSE_BRACKET) return at + 1;
    if (bytes[at] !== COMMA) return ~at;
    at = skipSpace(bytes, at + 1, length);
  }
}

function skipNumber(bytes: Buffer, from: number, length: number): number {
  let at = from;
  if (bytes[at] === 0x2d) at++;
  if (at < length && bytes[at] === 0x30) at++;
  else {
    const digits = skipDigits(bytes, at, length);
    if (digits === at) return ~at;
    at = digits;
  }
  if (at < length && bytes[at] === 0x2e) {
    const digits = skipDigits(bytes, at + 1, length);
    if (digits === at + 1) return ~digits;
    at = digits;
  }
  if (at < length && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++;
    if (at < length && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
    const digits = skipDigits(bytes, at, length);
    if (digits === at) return ~digits;
    at = digits;
  }
  return at;
}

function skipDigits(bytes: Buffer, from: number, length: number): number {
  let at = from;
  while (at < length && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
  return at;
}
