/** JSON without losing digits: numbers that a double would change are kept as they were written. */

// A number that may not print as it was written: 16 or more digits, an exponent, a trailing zero after the point,
// below a millionth, or minus zero. It must stand where a number can stand, so that times such as 10:00:00.000Z and
// UUIDs do not cost the slow way; where it matches inside a string all the same, that costs time and changes nothing.
const mayLoseDigits =
  /(?:^|[:,[\s])-?(?:[\d.]{16,}|0\.000000\d*|\d+(?:\.\d+)?[eE][-+]?\d+|\d+\.\d*0)(?=[,\]}\s]|$)|-0(?=[,\]}\s]|$)/;

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
type RawJson = { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };
const raw = JSON as unknown as RawJson;

const keepDigits: Reviver = (_key, value, context) =>
  typeof value === 'number' && String(value) !== context.source ? raw.rawJSON(context.source) : value;

/**
 * Parses JSON. A number that `String(number)` would print otherwise becomes a `JSON.rawJSON` object.
 * `__proto__` keys are own plain properties. Throws SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (!mayLoseDigits.test(text)) return JSON.parse(text);
  return JSON.parse(text, keepDigits as (this: unknown, key: string, value: unknown) => unknown);
}

/** A number kept as text: prints its digits in JSON. `text` must be a JSON number. */
export function rawNumber(text: string): object {
  return raw.rawJSON(text);
}

export function isRawNumber(value: unknown): value is { rawJSON: string } {
  return typeof value === 'object' && value !== null && raw.isRawJSON(value);
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether the text is a number in JSON's own grammar. */
export function isJsonNumber(text: string): boolean {
  return jsonNumber.test(text);
}
