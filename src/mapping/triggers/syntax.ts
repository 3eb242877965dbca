/** The tree of a trigger, and its limits. */
import type { JsonValue } from '../../model/index.ts';

/** Longest trigger text, in UTF-16 units. */
export const MAX_TRIGGER_LENGTH = 100_000;
/** How deep parentheses, `!`, lists and calls may nest. */
export const MAX_TRIGGER_DEPTH = 100;

export interface Trigger {
  /** As it was written. */
  readonly text: string;
  readonly condition: Expression;
}

/** Where a node stands in the text: UTF-16 offsets, `end` exclusive. Parentheses around a node are part of it. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export type Expression = Junction | Negation | Comparison | Call | Path | Literal | List;

/** Two or more clauses. A nested junction of the same kind was in parentheses. */
export interface Junction extends Place {
  readonly kind: 'and' | 'or';
  readonly clauses: readonly Expression[];
}

export interface Negation extends Place {
  readonly kind: 'not';
  readonly clause: Expression;
}

export type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'in';

export interface Comparison extends Place {
  readonly kind: 'compare';
  readonly operator: Operator;
  readonly left: Expression;
  readonly right: Expression;
}

export interface Call extends Place {
  readonly kind: 'call';
  readonly name: FunctionName;
  readonly operands: readonly Expression[];
}

/** Keys from the root of the record; an array index is a key of digits. Never empty. */
export interface Path extends Place {
  readonly kind: 'path';
  readonly keys: readonly string[];
}

/** A number whose digits a double would change is a `JSON.rawJSON` object, as in records. */
export interface Literal extends Place {
  readonly kind: 'literal';
  readonly value: JsonValue;
}

export interface List extends Place {
  readonly kind: 'list';
  readonly items: readonly Expression[];
}

export type FunctionName =
  | 'contains'
  | 'match'
  | 'length'
  | 'lowercase'
  | 'uppercase'
  | 'snakecase'
  | 'kebabcase'
  | 'titlecase'
  | 'typeof'
  | 'bool'
  | 'string'
  | 'number';

/** What a value can be; `object` is what the other names of `typeof` leave over. */
export type TypeName = 'string' | 'number' | 'list' | 'bool' | 'null' | 'object';

export interface Signature {
  readonly operands: number;
  readonly gives: TypeName;
}

/** How many operands each function takes and what it gives (or null, for a null). */
export const functions: Readonly<Record<FunctionName, Signature>> = {
  contains: { operands: 2, gives: 'bool' },
  match: { operands: 2, gives: 'bool' },
  length: { operands: 1, gives: 'number' },
  lowercase: { operands: 1, gives: 'string' },
  uppercase: { operands: 1, gives: 'string' },
  snakecase: { operands: 1, gives: 'string' },
  kebabcase: { operands: 1, gives: 'string' },
  titlecase: { operands: 1, gives: 'string' },
  typeof: { operands: 1, gives: 'string' },
  bool: { operands: 1, gives: 'bool' },
  string: { operands: 1, gives: 'string' },
  number: { operands: 1, gives: 'number' },
};

/** The type an expression always has (or null at run time, for a function of a null); null: only the record tells. */
export function staticType(expression: Expression): TypeName | null {
  switch (expression.kind) {
    case 'and':
    case 'or':
    case 'not':
    case 'compare':
      return 'bool';
    case 'call':
      return functions[expression.name].gives;
    case 'list':
      return 'list';
    case 'path':
      return null;
    case 'literal':
      if (expression.value === null) return 'null';
      if (typeof expression.value === 'boolean') return 'bool';
      return typeof expression.value === 'string' ? 'string' : 'number';
  }
}

/** The expressions directly inside. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.clauses;
    case 'not':
      return [expression.clause];
    case 'compare':
      return [expression.left, expression.right];
    case 'call':
      return expression.operands;
    case 'list':
      return expression.items;
    case 'path':
    case 'literal':
      return [];
  }
}

/** All paths the expression reads, in the order of the text. */
export function pathsOf(expression: Expression): (readonly string[])[] {
  return expression.kind === 'path' ? [expression.keys] : partsOf(expression).flatMap(pathsOf);
}

/** The fields of the record's root that a trigger reads. */
export function triggerFields(trigger: Trigger): string[] {
  return [...new Set(pathsOf(trigger.condition).map((keys) => keys[0]!))];
}
