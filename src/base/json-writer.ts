/** Writes JSON straight into a shared slab of bytes: two to three times as fast as text that is encoded afterwards. */

// Module state instead of an object: everything here is synchronous, and a message is begun, written and taken before
// the next. Views handed out stay valid: a slab is never written twice, only left behind when it is full.
// Small, because a message that waits for long keeps its whole slab.
const SLAB_BYTES = 64 * 1024;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
/** The same bytes, for four at a time. */
let words = viewOf(slab);
let start = 0;
let end = 0;

/** Begins a new piece; what was begun and not taken is dropped. */
export function beginBytes(): void {
  end = start;
}

/** What was written since `beginBytes`, as a view that stays valid. */
export function takeBytes(): Buffer {
  if (slab.length > SLAB_BYTES) return takeLarge();
  const bytes = slab.subarray(start, end);
  start = end;
  return bytes;
}

/** A slab that had to grow held one large piece with room to spare: the piece gets its own bytes, the slab goes. */
function takeLarge(): Buffer {
  const bytes = Buffer.allocUnsafeSlow(end - start);
  slab.copy(bytes, 0, start, end);
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  words = viewOf(slab);
  start = 0;
  end = 0;
  return bytes;
}

/** A place to go back to with `rewindTo` when what was written after it is not wanted. */
export function markHere(): number {
  return end - start;
}

export function rewindTo(mark: number): void {
  end = start + mark;
}

/** Writes bytes as they are; meant for short, prepared pieces such as `"name":`. */
export function writeRaw(bytes: Uint8Array): void {
  const length = bytes.length;
  reserve(length);
  if (length > LONG_TEXT) {
    slab.set(bytes, end);
    end += length;
    return;
  }
  const target = slab;
  const at = end;
  for (let index = 0; index < length; index++) target[at + index] = bytes[index]!;
  end = at + length;
}

/** The last byte of the piece, -1 when nothing was written yet. */
export function lastByte(): number {
  return end > start ? slab[end - 1]! : -1;
}

export function writeByte(byte: number): void {
  reserve(1);
  slab[end++] = byte;
}

/** Writes text as UTF-8, without quotes. A lone surrogate becomes U+FFFD. */
export function writeText(text: string): void {
  const length = text.length;
  if (length > LONG_TEXT) {
    reserve(Buffer.byteLength(text));
    end += slab.write(text, end, 'utf8');
    return;
  }
  reserve(length * 3);
  const target = slab;
  let at = end;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 0x80) {
      end += target.write(text, end, 'utf8');
      return;
    }
    target[at++] = code;
  }
  end = at;
}

/** A prepared piece of JSON, such as `"name":"`. */
export interface Fragment {
  readonly bytes: Buffer;
  readonly length: number;
  /** The bytes in fours, the last ones filled up with zeros, which the next piece overwrites. */
  readonly words: Int32Array;
}

export function fragment(text: string): Fragment {
  const bytes = Buffer.from(text);
  const padded = Buffer.concat([bytes, Buffer.alloc(4)]);
  const { length } = bytes;
  const words = Int32Array.from({ length: (length + 3) >> 2 }, (_, at) => padded.readInt32LE(at * 4));
  return { bytes, length, words };
}

export function writeFragment(piece: Fragment): void {
  const length = piece.length;
  if (length > LONG_TEXT) return writeRaw(piece.bytes);
  reserve(length + 4);
  writeWords(piece.words);
  end += length;
}

/** `"name":"` as a prepared piece for `writeMember`. */
export function memberName(name: string): Fragment {
  return fragment(`${JSON.stringify(name)}:"`);
}

/** Writes a member with a comma after it; nothing when the value is undefined. `name` comes from `memberName`. */
export function writeMember(name: Fragment, value: unknown): void {
  if (typeof value !== 'string') {
    if (value === undefined) return;
    const mark = end - start;
    writeName(name);
    if (writeJson(value)) writeByte(COMMA);
    else end = start + mark;
    return;
  }
  // All in one for what most members are, short plain text: the state of the module is read and written once.
  const length = value.length;
  if (length > SHORT_TEXT) return writeTextMember(name, value);
  reserve(name.length + length + 8);
  const target = slab;
  const view = words;
  let at = end;
  const prefix = name.words;
  for (let index = 0; index < prefix.length; index++, at += 4) view.setInt32(at, prefix[index]!, true);
  at = end + name.length;
  let index = 0;
  for (const last = length - 4; index <= last; index += 4) {
    const a = value.charCodeAt(index);
    const b = value.charCodeAt(index + 1);
    const c = value.charCodeAt(index + 2);
    const d = value.charCodeAt(index + 3);
    if ((plain[a]! & plain[b]! & plain[c]! & plain[d]!) === 0) return writeTextMember(name, value);
    view.setInt32(at, a | (b << 8) | (c << 16) | (d << 24), true);
    at += 4;
  }
  for (; index < length; index++) {
    const code = value.charCodeAt(index);
    if (plain[code] === 0) return writeTextMember(name, value);
    target[at++] = code;
  }
  target[at] = QUOTE;
  target[at + 1] = COMMA;
  end = at + 2;
}

function writeTextMember(name: Fragment, text: string): void {
  writeFragment(name);
  writeEscaped(text);
  writeByte(QUOTE);
  writeByte(COMMA);
}

/** Writes `"name":` alone, for a value that writes itself. */
export function writeName(name: Fragment): void {
  writeFragment(name);
  end--;
}

/** Ends an object whose members each have a comma after them. */
export function closeObject(): void {
  // A comma here is never text's: a text ends with its quote.
  if (slab[end - 1] === COMMA) slab[end - 1] = CLOSE_BRACE;
  else writeByte(CLOSE_BRACE);
}

/** Writes text as a JSON string; lone surrogates as `\udXXX` escapes. */
export function writeString(text: string): void {
  writeByte(QUOTE);
  writeEscaped(text);
  writeByte(QUOTE);
}

/** Writes text as `writeString` does, without the quotes around it. */
export function writeEscaped(text: string): void {
  const length = text.length;
  if (length > SHORT_TEXT) return writeLong(text);
  reserve(length * 3);
  const target = slab;
  const view = words;
  let at = end;
  let index = 0;
  // Four at a time as long as nothing needs a closer look: half as long again per character otherwise.
  for (const last = length - 4; index <= last; index += 4) {
    const a = text.charCodeAt(index);
    const b = text.charCodeAt(index + 1);
    const c = text.charCodeAt(index + 2);
    const d = text.charCodeAt(index + 3);
    if ((plain[a]! & plain[b]! & plain[c]! & plain[d]!) === 0) break;
    view.setInt32(at, a | (b << 8) | (c << 16) | (d << 24), true);
    at += 4;
  }
  for (; index < length; index++) {
    const code = text.charCodeAt(index);
    if (plain[code] === 1) target[at++] = code;
    else if (code < 0x80 || (code >= 0xd800 && code <= 0xdfff)) return writeText(JSON.stringify(text).slice(1, -1));
    else if (code < 0x800) {
      target[at++] = 0xc0 | (code >> 6);
      target[at++] = 0x80 | (code & 0x3f);
    } else {
      target[at++] = 0xe0 | (code >> 12);
      target[at++] = 0x80 | ((code >> 6) & 0x3f);
      target[at++] = 0x80 | (code & 0x3f);
    }
  }
  end = at;
}

/** The runtime's own encoder, then a look at the bytes: twice as fast as units of the text one by one. */
function writeLong(text: string): void {
  const { length } = text;
  // Three bytes a unit would be waste for a text of megabytes.
  reserve(length < 10_000 ? length * 3 : Buffer.byteLength(text));
  const written = slab.write(text, end, 'utf8');
  let special = 0;
  const target = slab;
  for (let at = end, last = end + written; at < last; at++) special |= escaped[target[at]!]!;
  if (special === 0 && (written === length || text.isWellFormed())) end += written;
  else writeText(JSON.stringify(text).slice(1, -1));
}

/**
 * Writes any JSON value; numbers kept as raw JSON with their digits, NaN and infinities as JSON text.
 * False, and nothing written, when the value is undefined. Throws RangeError when it is nested too deep to print.
 */
export function writeJson(value: unknown): boolean {
  if (typeof value === 'string') writeString(value);
  else if (typeof value === 'number') {
    if (Number.isFinite(value)) writeNumber(value);
    else writeString(String(value));
  } else if (typeof value === 'boolean') writeRaw(value ? TRUE : FALSE);
  else if (value === null) writeRaw(NULL);
  else if (typeof value === 'object') writeText(JSON.stringify(value));
  else if (typeof value === 'bigint') writeText(value.toString());
  else return false;
  return true;
}

function writeNumber(value: number): void {
  // Minus zero is not the same as zero to the digit, and prints as 0 all the same.
  if (value >= 0 && value < 1e9 && (value | 0) === value) writeDigits(value | 0);
  else writeText(String(value));
}

function writeDigits(value: number): void {
  reserve(9);
  let count = 1;
  for (let limit = 10; limit <= value; limit *= 10) count++;
  let rest = value;
  for (let at = end + count - 1; at >= end; at--) {
    const tens = (rest / 10) | 0;
    slab[at] = 0x30 + rest - tens * 10;
    rest = tens;
  }
  end += count;
}

/** Beyond this many units the runtime's own encoder is faster than a loop that looks at each. */
const SHORT_TEXT = 64;
/** The same for text that nothing needs to be looked for in, and for bytes. */
const LONG_TEXT = 128;
const QUOTE = 0x22;
const COMMA = 0x2c;
const CLOSE_BRACE = 0x7d;

/** 1 for UTF-16 units that stand for themselves in JSON and are one byte. */
const plain = new Uint8Array(0x10000).fill(1, 0x20, 0x80);
plain[QUOTE] = 0;
plain[0x5c] = 0;

/** 1 for bytes of UTF-8 that JSON escapes. */
const escaped = new Uint8Array(256).fill(1, 0, 0x20);
escaped[QUOTE] = 1;
escaped[0x5c] = 1;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function writeWords(list: Int32Array): void {
  const view = words;
  let at = end;
  for (let index = 0; index < list.length; index++, at += 4) view.setInt32(at, list[index]!, true);
}

/** Makes room for `bytes` more; moves the piece under way to a fresh slab when this one is full. */
function reserve(bytes: number): void {
  if (end + bytes <= slab.length) return;
  const written = end - start;
  const next = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, (written + bytes) * 2));
  slab.copy(next, 0, start, end);
  slab = next;
  words = viewOf(slab);
  start = 0;
  end = written;
}
