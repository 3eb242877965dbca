/** The headers: an object of mappings, or one mapping that gives an object. */
import { parseJson } from '../../base/json.ts';
import type { Header, JsonValue, Problem } from '../../model/index.ts';
import { isObject } from '../directive.ts';
import { unionFields, type Evaluate, type Expression } from '../expression.ts';
import { checkMapping, compileExpression, directiveNameOf } from '../mapping.ts';
import { Refusal, shown } from '../refusal.ts';
import { bytesOf } from './bytes.ts';

export interface CompiledHeaders {
  readonly of: (...input: Parameters<Evaluate>) => readonly Header[];
  readonly fields: readonly string[] | null;
}

export const noHeaders: CompiledHeaders = { of: () => none, fields: [] };

const none: readonly Header[] = Object.freeze([]);

export function checkHeaders(value: unknown, at: string): Problem[] {
  const problems = checkMapping(value, at);
  if (problems.length > 0 || isObject(value)) return problems;
  if (typeof value === 'string' && compileExpression(value).constant === null) return [];
  return [
    { path: at, reason: 'headers must be an object', remedy: 'write {name: value}, or a path such as $.headers' },
  ];
}

export function compileHeaders(value: JsonValue): CompiledHeaders {
  if (isObject(value) && directiveNameOf(value) === null)
    return eachHeader(
      Object.keys(value).flatMap((name) => {
        const written = value[name]!;
        const values = Array.isArray(written) ? written : [written];
        return values.map((item) => ({ name, field: `headers.${name}`, expression: compileExpression(item) }));
      }),
    );
  const expression = compileExpression(value);
  const { evaluate } = expression;
  return {
    of: (root, record, context) => headersOf(evaluate(root, record, context)),
    fields: expression.fields,
  };
}

interface HeaderMapping {
  readonly name: string;
  readonly field: string;
  readonly expression: Expression;
}

/** A list written in the mapping is several headers of one name; an absent value is no header. */
function eachHeader(mappings: readonly HeaderMapping[]): CompiledHeaders {
  if (mappings.every(({ expression }) => expression.constant !== null)) {
    const fixed = mappings.map(
      ({ name, field, expression }) => [name, bytesOf(expression.constant!.value, field)] as const,
    );
    return { of: () => fixed, fields: [] };
  }
  return {
    of(root, record, context) {
      const headers: Header[] = [];
      for (const { name, field, expression } of mappings) {
        const value = expression.evaluate(root, record, context);
        if (value !== undefined) headers.push([name, bytesOf(value, field)]);
      }
      return headers;
    },
    fields: unionFields(mappings.map(({ expression }) => expression)),
  };
}

/** Headers from one value: an object, or text that holds one; absent and null give none. */
function headersOf(value: unknown): readonly Header[] {
  if (value === undefined || value === null || value === '') return none;
  const object = typeof value === 'string' ? parsedObject(value) : value;
  if (!isObject(object)) throw new Refusal('mapping_failed', 'headers', `headers: ${shown(value)} is not an object`);
  return Object.keys(object).map((name) => [name, bytesOf(object[name], `headers.${name}`)] as const);
}

function parsedObject(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}
