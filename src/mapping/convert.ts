/** Values read as another type; undefined when they cannot be. */
import { isJsonNumber, isRawNumber, rawNumber } from '../base/json.ts';
import { textOf } from './text.ts';

/** A number, with all its digits; text may have spaces around it, a sign and leading zeros. */
export function numberOf(value: unknown): unknown {
  if (typeof value === 'number' || isRawNumber(value)) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return undefined;
  const parts = numberText.exec(value.trim());
  if (parts === null) return undefined;
  const [, sign, whole, rest] = parts;
  const text = `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole!}${rest!}`;
  if (!isJsonNumber(text)) return undefined;
  const number = Number(text);
  return String(number) === text ? number : rawNumber(text);
}

const numberText = /^([+-]?)0*(?=\d|\.\d)(\d*)((?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** True or false: the usual words in any case, 1 and 0. */
export function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const word = isRawNumber(value) ? String(Number(value.rawJSON)) : textOf(value).trim().toLowerCase();
  return trueWords.has(word) ? true : falseWords.has(word) ? false : undefined;
}

const trueWords = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const falseWords = new Set(['false', 'f', 'no', 'n', 'off', '0']);
