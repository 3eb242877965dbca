/** Written values: what they are called in a sentence, and how they are shown. */
import { isRawNumber } from '../base/json.ts';
import type { JsonObject } from '../model/index.ts';
import type { At } from './report.ts';

const SHOWN_CHARACTERS = 60;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/** A number as a double; null when the value is none. Text counts where it came through a reference. */
export function numberOf(value: unknown, at: At): number | null {
  if (typeof value === 'number') return value;
  if (isRawNumber(value)) return Number(value.rawJSON);
  if (typeof value !== 'string' || !at.isReferenced || value.trim() === '') return null;
  const number = Number(value);
  return Number.isNaN(number) ? null : number;
}

/** The value in a sentence: `the text "abc"`. What came through a reference may be a secret and is not shown. */
export function describe(value: unknown, at: At): string {
  if (at.isReferenced) return 'another value, which came through a reference';
  if (value === null) return 'empty';
  if (typeof value === 'string') return `the text ${shown(value)}`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number' || isRawNumber(value)) return `the number ${shown(value)}`;
  return Array.isArray(value) ? 'a list' : 'an object';
}

/**
 * What the value is, without what it says: a text where an object belongs may be a pasted login, a key, a client's file.
 */
export function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return typeof value === 'string' ? 'text' : typeof value === 'boolean' ? String(value) : 'a number';
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

/** `a, b or c` */
export function oneOfList(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
