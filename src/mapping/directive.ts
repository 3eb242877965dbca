/** What a directive is: one `@name` of the mapping language, with its check, its compilation, its docs and an example. */
import { isRawNumber } from '../base/json.ts';
import type { JsonValue, Problem } from '../model/index.ts';
import type { Expression } from './expression.ts';

export interface Directive {
  /** With the `@`. */
  readonly name: string;
  /** One sentence for lists and editors. */
  readonly summary: string;
  /** Markdown for the reference: argument, result, edge cases. */
  readonly docs: string;
  /** Shown in the docs and run as a test. */
  readonly example: DirectiveExample;
  /** Everything that could fail for the shape of the argument is found here; `at` is the argument's own path. */
  check(argument: unknown, at: string, tools: CheckTools): Problem[];
  /** Only ever called with an argument that `check` passed. */
  compile(argument: JsonValue, tools: CompileTools): Expression;
}

export interface DirectiveExample {
  readonly mapping: JsonValue;
  readonly record: JsonValue;
  readonly result: JsonValue;
}

export interface CheckTools {
  /** Checks a nested mapping: any JSON, directives and shorthands included. */
  mapping(value: unknown, at: string): Problem[];
  /** The same where strings are themselves, as inside `@literal`. */
  literal(value: unknown, at: string): Problem[];
}

export interface CompileTools {
  mapping(value: JsonValue): Expression;
  literal(value: JsonValue): Expression;
}

/** Whether the value is an object with named members: no list, no null, and no number that is kept as its digits. */
export function isObject(value: unknown): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}
