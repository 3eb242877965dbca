/** Paths such as `$.a.b[0]['c.d']`: parsed once, looked up in own properties only. */
import { isRawNumber } from '../base/json.ts';
import { computed, type Expression } from './expression.ts';
import { readerOf, type Reader } from './readers.ts';

export type ParsedPath =
  { readonly ok: true; readonly steps: readonly string[] } | { readonly ok: false; readonly reason: string };

/**
 * Parses a path. `$.`, `.`, `$` and the empty text are the whole record; a leading `$.` is dropped once. A step is a
 * name up to the next `.` or `[`, an index or name in brackets, or a quoted name in brackets (backslash escapes).
 */
export function parsePath(text: string): ParsedPath {
  let at = text.startsWith('$.') ? 2 : text === '$' || text.startsWith('$[') ? 1 : 0;
  if (text === '.') return { ok: true, steps: [] };
  const steps: string[] = [];
  let wantsName = true;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '[') {
      const step = bracketStep(text, at);
      if (typeof step === 'string') return { ok: false, reason: step };
      steps.push(step.name);
      at = step.end;
      wantsName = false;
    } else if (char === '.') {
      if (wantsName) return { ok: false, reason: `a name is missing before the "." at character ${at + 1}` };
      at++;
      wantsName = true;
      if (at === text.length) return { ok: false, reason: 'a name is missing after the last "."' };
    } else {
      if (!wantsName) return { ok: false, reason: `a "." or "[" is missing at character ${at + 1}` };
      const end = nameEnd(text, at);
      steps.push(text.slice(at, end));
      at = end;
      wantsName = false;
    }
  }
  return { ok: true, steps };
}

/**
 * What stands at the steps: own properties of objects, indexes of lists; text has no members. A null on the way gives
 * null, anything else that has no such member gives undefined.
 */
export function lookUp(root: unknown, steps: readonly string[]): unknown {
  let value = root;
  for (const step of steps) value = member(value, step);
  return value;
}

/** The expression that looks the steps up. */
export function pathExpression(steps: readonly string[]): Expression {
  if (steps.length === 0) return { ...computed((root) => root, null), whole: true };
  const getters = steps.map(getter);
  const fields = [steps[0]!];
  const first = getters[0]!;
  const second = getters[1];
  const third = getters[2];
  if (second === undefined) return computed(first, fields);
  if (third === undefined) return computed((root) => second(first(root)), fields);
  if (getters.length === 3) return computed((root) => third(second(first(root))), fields);
  return computed((root) => {
    let value = root;
    for (const get of getters) value = get(value);
    return value;
  }, fields);
}

/** A name that no built-in prototype knows needs no own-property test: only own properties can answer to it. */
function getter(name: string): Reader {
  if (name in Object.prototype || name in Array.prototype || name === 'rawJSON') return (value) => member(value, name);
  return readerOf(name);
}

const listIndex = /^(?:0|[1-9]\d*)$/;

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object') return undefined;
  if (value === null) return null;
  if (Array.isArray(value)) return listIndex.test(name) ? (value[Number(name)] as unknown) : undefined;
  if (name === 'rawJSON' && isRawNumber(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function nameEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '.' || text[at] === '[') return at;
  return text.length;
}

/** The step in brackets that opens at `open`, or what is wrong with it. */
function bracketStep(text: string, open: number): { name: string; end: number } | string {
  const quote = text[open + 1];
  if (quote !== "'" && quote !== '"') {
    const close = text.indexOf(']', open);
    if (close < 0) return `the "[" at character ${open + 1} is not closed`;
    const name = text.slice(open + 1, close);
    if (name.trim() === '') return `the brackets at character ${open + 1} are empty`;
    return { name, end: close + 1 };
  }
  let name = '';
  for (let at = open + 2; at < text.length; at++) {
    const char = text[at]!;
    if (char === '\\' && at + 1 < text.length) name += text[++at]!;
    else if (char === quote) {
      if (text[at + 1] !== ']') return `a "]" is missing after the quote at character ${at + 1}`;
      return { name, end: at + 2 };
    } else name += char;
  }
  return `the quote at character ${open + 2} is not closed`;
}
