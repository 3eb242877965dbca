/** Types of values and equality between them: strict, never by conversion. */
import { isRawNumber } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import { compareNumbers, isNumber } from './numbers.ts';
import type { TypeName } from './syntax.ts';

export function typeOf(value: JsonValue | undefined): TypeName {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'bool';
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'list';
  return isRawNumber(value) ? 'number' : 'object';
}

/** Same type and same content. Without recursion: a record may be nested as deep as its source allows. */
export function strictlyEqual(left: JsonValue, right: JsonValue): boolean {
  if (typeof left !== 'object' || typeof right !== 'object') return left === right || sameNumber(left, right);
  const pending: [JsonValue, JsonValue][] = [[left, right]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    if (!sameNode(pair[0], pair[1], pending)) return false;
  }
  return true;
}

/** Compares two values but for their contents, which it adds to `pending`. */
function sameNode(left: JsonValue, right: JsonValue, pending: [JsonValue, JsonValue][]): boolean {
  if (left === right) return true;
  const type = typeOf(left);
  if (type !== typeOf(right)) return false;
  if (type === 'number') return sameNumber(left, right);
  if (type === 'list') {
    const [a, b] = [left as JsonValue[], right as JsonValue[]];
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) pending.push([a[i]!, b[i]!]);
    return true;
  }
  if (type !== 'object') return false;
  const [a, b] = [left as Record<string, JsonValue>, right as Record<string, JsonValue>];
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    pending.push([a[key]!, b[key]!]);
  }
  return true;
}

function sameNumber(left: JsonValue, right: JsonValue): boolean {
  return isNumber(left) && isNumber(right) && compareNumbers(left, right) === 0;
}
