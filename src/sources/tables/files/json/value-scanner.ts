/** Finds where a JSON value ends, piece by piece, without parsing it: brackets and strings are all it knows. */

const quoteMark = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

export class ValueScanner {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** For the next value: call it before the first `scan` of each. */
  begin(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
  }

  /** The index after the value, or -1 when its end is in a later piece: then scan that one from its start. */
  scan(bytes: Uint8Array, from: number): number {
    let depth = this.#depth;
    let at = from;
    for (;;) {
      if (this.#inString) {
        at = this.#endOfString(bytes, at);
        if (at === -1) break;
        if (depth === 0) return at;
      }
      for (; at < bytes.length; at++) {
        const byte = bytes[at]!;
        if (byte === quoteMark) break;
        // `{` and `[`, `}` and `]` differ in one bit.
        const bracket = byte & 0xdf;
        if (bracket === 0x5b) depth++;
        else if (bracket === 0x5d) {
          if (depth === 0) return at;
          if (--depth === 0) return at + 1;
        } else if (depth === 0 && (byte === comma || isSpace(byte))) return at;
      }
      if (at >= bytes.length) break;
      this.#inString = true;
      at++;
    }
    this.#depth = depth;
    return -1;
  }

  #endOfString(bytes: Uint8Array, from: number): number {
    let at = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === backslash) at++;
      else if (byte === quoteMark) {
        this.#inString = false;
        return at + 1;
      }
    }
    this.#escaped = at > bytes.length;
    return -1;
  }
}

export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
