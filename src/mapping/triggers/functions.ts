/** What the functions of triggers do. Every one answers for every value; nothing throws. */
import { kebabCase, snakeCase, titleCase } from '../../base/letter-case.ts';
import { isRawNumber } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import { compileGlob } from './glob.ts';
import { compareNumbers, exactNumber, isNumber, isNumberText, numberText } from './numbers.ts';
import { compileContains } from './search.ts';
import type { FunctionName } from './syntax.ts';
import { typeOf } from './values.ts';

export type Unary = (value: JsonValue) => JsonValue;
export type UnaryName = Exclude<FunctionName, 'contains' | 'match'>;

export const unaryFunctions: Readonly<Record<UnaryName, Unary>> = {
  length: (value) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (value === null) return 0;
    return Array.isArray(value) ? value.length : null;
  },
  lowercase: ofText((text) => text.toLowerCase()),
  uppercase: ofText((text) => text.toUpperCase()),
  snakecase: ofText(snakeCase),
  kebabcase: ofText(kebabCase),
  titlecase: ofText(titleCase),
  typeof: typeOf,
  bool: toBool,
  string: toText,
  number: (value) => {
    if (isNumber(value)) return value;
    return typeof value === 'string' && isNumberText(value) ? exactNumber(value) : null;
  },
};

/** A test of a value against the second operand of `contains` or `match`, compiled once for each second operand. */
export type TextTest = (value: unknown) => boolean;

export const textTests: Readonly<Record<'contains' | 'match', (operand: JsonValue) => TextTest>> = {
  contains: (part) => {
    if (typeof part !== 'string') return never;
    const has = compileContains(part);
    return (value) => typeof value === 'string' && has(value);
  },
  match: (pattern) => {
    const glob = typeof pattern === 'string' ? compileGlob(pattern) : null;
    if (glob === null || !glob.ok) return never;
    const { test } = glob;
    return (value) => typeof value === 'string' && test(value);
  },
};

const never: TextTest = () => false;

function ofText(change: (text: string) => string): Unary {
  return (value) => (typeof value === 'string' ? change(value) : null);
}

/** True for true, numbers but zero, the texts `true` and `1` in any case, lists with elements; else false. */
function toBool(value: JsonValue): boolean {
  if (typeof value === 'boolean') return value;
  if (isNumber(value)) return compareNumbers(value, 0) !== 0;
  if (typeof value === 'string') return value === '1' || value.toLowerCase() === 'true';
  return Array.isArray(value) && value.length > 0;
}

/** Numbers by their digits, null as the empty text, lists and objects as JSON. */
function toText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value === 'number' || isRawNumber(value)) return numberText(value);
  return typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}
