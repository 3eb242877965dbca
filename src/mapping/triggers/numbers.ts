/** Numbers compared by the digits they were written with, so that 64-bit integers and decimals stay exact. */
import { isRawNumber, rawNumber } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';

/** A double where it is the number written, else the digits. `text` may have a `+` and leading zeros. */
export function exactNumber(text: string): JsonValue {
  const double = Number(text);
  const decimal = parseDecimal(text)!;
  const printed = parseDecimal(String(double));
  if (printed !== null && compareDecimals(decimal, printed) === 0) return double === 0 ? 0 : double;
  const canonical = text.replace(/^\+/, '').replace(/^(-?)0+(?=\d)/, '$1');
  return rawNumber(canonical) as unknown as JsonValue;
}

export type AnyNumber = number | { rawJSON: string };

export function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || isRawNumber(value);
}

/** The digits as they were written. */
export function numberText(value: AnyNumber): string {
  return typeof value === 'number' ? String(value) : value.rawJSON;
}

/** Negative, zero or positive; NaN where one is no number (NaN, an infinity, raw JSON that is no number). */
export function compareNumbers(left: AnyNumber, right: AnyNumber): number {
  if (typeof left === 'number' && typeof right === 'number') return left < right ? -1 : left > right ? 1 : left - right;
  const a = parseDecimal(numberText(left));
  const b = parseDecimal(numberText(right));
  return a === null || b === null ? Number.NaN : compareDecimals(a, b);
}

/** `0.DIGITS × 10^exponent`; zero has no digits. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const form = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Whether the text is a number as triggers write them. */
export function isNumberText(text: string): boolean {
  return form.test(text);
}

/** Never expands an exponent: linear in the text whatever it says. */
function parseDecimal(text: string): Decimal | null {
  const match = form.exec(text);
  if (match === null) return null;
  const whole = match[2]!;
  const all = whole + (match[3] ?? '');
  const first = firstNonZero(all);
  const last = lastNonZero(all);
  if (first > last) return { negative: false, digits: '', exponent: 0 };
  const exponent = whole.length - first + Number(match[4] ?? 0);
  return { negative: match[1] === '-', digits: all.slice(first, last + 1), exponent };
}

function firstNonZero(digits: string): number {
  let at = 0;
  while (digits.charCodeAt(at) === 48) at++;
  return at;
}

function lastNonZero(digits: string): number {
  let at = digits.length - 1;
  while (at >= 0 && digits.charCodeAt(at) === 48) at--;
  return at;
}

function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return sign(a) - sign(b);
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const size = a.exponent === b.exponent ? compareText(a.digits, b.digits) : a.exponent < b.exponent ? -1 : 1;
  return a.negative ? -size : size;
}

function sign(decimal: Decimal): number {
  if (decimal.digits === '') return 0;
  return decimal.negative ? -1 : 1;
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
