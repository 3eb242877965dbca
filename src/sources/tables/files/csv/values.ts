/** What a CSV field's text means in its column: digits kept, nothing guessed. */
import { isJsonNumber, parseJson, rawNumber } from '../../../../base/json.ts';
import type { ColumnType, JsonValue } from '../../../../model/index.ts';

/** `undefined`: the text does not fit. Text that is null or empty never comes here. */
export function convert(text: string, type: ColumnType): JsonValue | undefined {
  switch (type) {
    case 'text':
      return text;
    case 'number':
      return numberFromText(text);
    case 'bool':
      return boolFromText(text);
    case 'json':
      return jsonFromText(text);
  }
}

/** A number that JSON prints with the digits of the text. */
export function numberFromText(text: string): JsonValue | undefined {
  const trimmed = text.trim();
  const digits = isJsonNumber(trimmed) ? trimmed : asJsonNumber(trimmed);
  if (digits === null) return notFinite(trimmed);
  const number = Number(digits);
  return String(number) === digits ? number : (rawNumber(digits) as unknown as JsonValue);
}

/** `+5`, `.5` and `5.` are numbers to everyone but JSON. Leading zeros are not: they mean something (a zip code). */
function asJsonNumber(text: string): string | null {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/.exec(text);
  if (parts === null) return null;
  const [, sign, whole = '', fraction = '', exponent = ''] = parts;
  if (whole === '' && fraction === '') return null;
  const digits = `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}${exponent}`;
  return isJsonNumber(digits) ? digits : null;
}

function notFinite(text: string): string | undefined {
  if (/^nan$/i.test(text)) return 'NaN';
  const infinity = /^([+-]?)inf(?:inity)?$/i.exec(text);
  return infinity === null ? undefined : infinity[1] === '-' ? '-Infinity' : 'Infinity';
}

function boolFromText(text: string): boolean | undefined {
  const lower = text.trim().toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

function jsonFromText(text: string): JsonValue | undefined {
  try {
    return parseJson(text) as JsonValue;
  } catch {
    return undefined;
  }
}

const powersOfTen = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/**
 * The number in `bytes[start, end)` when it has at most 15 digits and prints as it is written, else NaN: then
 * `numberFromText` must look. Both `digits` and the power of ten are exact doubles, so the division is correctly rounded.
 */
export function plainNumber(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (negative) at++;
  const first = at;
  let digits = 0;
  let point = -1;
  if (end - first > 16) return Number.NaN;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else if (digit === -2 && point === -1 && at > first) point = at;
    else return Number.NaN;
  }
  const count = end - first - (point === -1 ? 0 : 1);
  const wholeDigits = (point === -1 ? end : point) - first;
  if (count === 0 || count > 15 || (wholeDigits > 1 && bytes[first] === 0x30)) return Number.NaN;
  if (point === -1) return negative ? (digits === 0 ? Number.NaN : -digits) : digits;
  // A last zero (1.10), a bare point (5.), or so small that it prints with an exponent.
  if (point === end - 1 || bytes[end - 1] === 0x30) return Number.NaN;
  const number = digits / powersOfTen[end - point - 1]!;
  if (number < 1e-6) return Number.NaN;
  return negative ? -number : number;
}

/** Values of a column seen so far, and what type they all have. */
export class ColumnSample {
  #number = true;
  #bool = true;
  #seen = false;
  #finite = false;

  add(text: string | null): void {
    if (text === null || text === '') return;
    this.#seen = true;
    if (this.#number) {
      if (isJsonNumber(text)) this.#finite = true;
      else this.#number = notFinite(text) !== undefined;
    }
    if (this.#bool) this.#bool = /^(?:true|false)$/i.test(text);
  }

  fits(text: string): boolean {
    const type = this.type();
    return type === 'number' ? isJsonNumber(text) || notFinite(text) !== undefined : convert(text, type) !== undefined;
  }

  /** Text unless every value seen is a number in JSON's own form (so 007 makes it text), or every one true or false. */
  type(): ColumnType {
    if (!this.#seen) return 'text';
    if (this.#number && this.#finite) return 'number';
    return this.#bool ? 'bool' : 'text';
  }
}
