/** Finds where the fields of a CSV row lie in the bytes, without making a text of any of them. */

/** All ASCII, so that no byte of a longer UTF-8 character is taken for one of them. */
export interface Dialect {
  readonly delimiter: number;
  readonly quote: number;
  /** The quote itself (doubled inside a quoted field) or a backslash. */
  readonly escape: number;
  /** `\n` (a `\r` before it belongs to it), or `\r` in files that have no `\n` at all. */
  readonly newline: number;
}

export const comma = 0x2c;
export const quote = 0x22;
export const backslash = 0x5c;
export const newline = 0x0a;
export const carriageReturn = 0x0d;

/** What became of a row. `incomplete`: its end is not in these bytes. */
export type RowState = 'row' | 'blank' | 'incomplete' | 'unclosed' | 'broken';

/** Bits of `kinds`. */
export const quoted = 1;
export const escaped = 2;
/** Holds bytes beyond ASCII. */
export const beyondAscii = 4;

/**
 * The fields of the last row cut. Field `i` is `bytes[starts[i], ends[i])` without its quotes, for `i` below `count`
 * and below the capacity: a row may have more fields than the header, then only their number is known.
 */
export class RowCutter {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly kinds: Uint8Array;
  count = 0;
  /** Where the next row starts, and how many line ends lie before that in this row. */
  next = 0;
  lines = 0;
  readonly #dialect: Dialect;
  readonly #capacity: number;

  constructor(dialect: Dialect, capacity: number) {
    this.#dialect = dialect;
    this.#capacity = capacity;
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.kinds = new Uint8Array(capacity);
  }

  /**
   * Cuts the row that starts at `at`. `final`: no bytes follow these. After `broken` (text after a closing quote)
   * `next` is the line after the fault; after `unclosed` (a quote without end) the line after the row's first.
   */
  cut(bytes: Uint8Array, at: number, final: boolean): RowState {
    const { delimiter, newline: end } = this.#dialect;
    const length = bytes.length;
    const capacity = this.#capacity;
    this.lines = 1;
    let count = 0;
    let start = at;
    for (;;) {
      if (start < length && bytes[start] === this.#dialect.quote) {
        const state = this.#quotedField(bytes, start, count, final);
        if (state !== null) return state === 'unclosed' ? this.#unclosed(bytes, at, final) : state;
        start = this.next;
        count++;
        if (this.#ended) break;
        continue;
      }
      let position = start;
      let all = 0;
      let byte = 0;
      while (position < length) {
        byte = bytes[position]!;
        if (byte === delimiter || byte === end) break;
        all |= byte;
        position++;
      }
      if (position === length && !final) return 'incomplete';
      if (count < capacity) {
        this.starts[count] = start;
        this.ends[count] = position;
        this.kinds[count] = all > 127 ? beyondAscii : 0;
      }
      count++;
      start = position + 1;
      if (position === length || byte === end) {
        this.next = Math.min(start, length);
        this.#cutCarriageReturn(bytes, count - 1, end);
        break;
      }
    }
    this.count = count;
    return count === 1 && this.kinds[0] === 0 && this.starts[0] === this.ends[0] ? 'blank' : 'row';
  }

  #ended = false;

  /** null: the field is whole; `next` is after what ended it, `#ended` says whether that was the row's end. */
  #quotedField(bytes: Uint8Array, start: number, index: number, final: boolean): RowState | null {
    const { delimiter, quote: mark, escape, newline: end } = this.#dialect;
    const length = bytes.length;
    let position = start + 1;
    let all = 0;
    let kind = quoted;
    for (; ; position++) {
      if (position >= length) return final ? 'unclosed' : 'incomplete';
      const byte = bytes[position]!;
      all |= byte;
      if (byte === mark) {
        if (escape !== mark || bytes[position + 1] !== mark) break;
        kind |= escaped;
        position++;
      } else if (byte === escape) {
        kind |= escaped;
        if (bytes[++position] === end) this.lines++;
      } else if (byte === end) this.lines++;
    }
    if (index < this.#capacity) {
      this.starts[index] = start + 1;
      this.ends[index] = position;
      this.kinds[index] = all > 127 ? kind | beyondAscii : kind;
    }
    position++;
    if (bytes[position] === carriageReturn && end !== carriageReturn && (final || position + 1 < length)) {
      if (position + 1 === length || bytes[position + 1] === end) position++;
    }
    if (position >= length && !final) return 'incomplete';
    if (position >= length || bytes[position] === end || bytes[position] === delimiter) {
      this.#ended = bytes[position] !== delimiter;
      this.next = Math.min(position + 1, length);
      return null;
    }
    // Text between a closing quote and the next delimiter; or a `\r` whose `\n` may be yet to come.
    if (bytes[position] === carriageReturn && position + 1 === length && !final) return 'incomplete';
    const lineEnd = bytes.indexOf(end, position);
    if (lineEnd === -1 && !final) return 'incomplete';
    this.next = lineEnd === -1 ? length : lineEnd + 1;
    return 'broken';
  }

  /** The rows after the stray quote are probably sound: only the line with the quote is given up. */
  #unclosed(bytes: Uint8Array, at: number, final: boolean): RowState {
    const lineEnd = bytes.indexOf(this.#dialect.newline, at);
    if (lineEnd === -1 && !final) return 'incomplete';
    this.next = lineEnd === -1 ? bytes.length : lineEnd + 1;
    this.lines = 1;
    return 'unclosed';
  }

  /** The last field's `\r` belongs to the line end. */
  #cutCarriageReturn(bytes: Uint8Array, last: number, end: number): void {
    if (end === carriageReturn || last >= this.#capacity) return;
    const stop = this.ends[last]!;
    if (stop > this.starts[last]! && bytes[stop - 1] === carriageReturn) this.ends[last] = stop - 1;
  }
}

/** The field's text, escapes undone; null where nothing stands between the delimiters. */
export function fieldText(bytes: Buffer, cutter: RowCutter, index: number, escape: number): string | null {
  const start = cutter.starts[index]!;
  const end = cutter.ends[index]!;
  const kind = cutter.kinds[index]!;
  if (start === end) return (kind & quoted) === 0 ? null : '';
  const text = bytes.toString((kind & beyondAscii) === 0 ? 'latin1' : 'utf8', start, end);
  return (kind & escaped) === 0 ? text : withoutEscapes(text, escape);
}

const doubledQuote = /""/g;
const escapedByBackslash = /\\([\s\S])/g;

export function withoutEscapes(text: string, escape: number): string {
  return escape === backslash ? text.replace(escapedByBackslash, '$1') : text.replace(doubledQuote, '"');
}
