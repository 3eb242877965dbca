/** What a mapping is compiled to: closures that give a value, or write it as JSON. */
import { writeJson, writeRaw } from '../base/json-writer.ts';
import type { SourceRecord } from '../model/index.ts';
import type { MappingContext } from './ports.ts';

/** `root` is what `$.` paths start from: the record's data, or what `@transform` made of it. undefined: absent. */
export type Evaluate = (root: unknown, record: SourceRecord, context: MappingContext) => unknown;

/** Writes the value as JSON to the shared writer; false, and nothing written, when it is absent. */
export type Write = (root: unknown, record: SourceRecord, context: MappingContext) => boolean;

export type Member = readonly [name: string, value: Expression];

export interface Expression {
  readonly evaluate: Evaluate;
  readonly write: Write;
  /** False when `write` only prints what `evaluate` gives. */
  readonly writesItself: boolean;
  /** The members of an object that the mapping spells out, so that an object around it can write them in one go. */
  readonly members?: readonly Member[];
  /** The value when it is the same for every record. */
  readonly constant: { readonly value: unknown } | null;
  /** Top-level fields of the root that it reads; null: it may read anything. */
  readonly fields: readonly string[] | null;
  /** True when the value is the root itself, unchanged. */
  readonly whole: boolean;
}

export function constantExpression(value: unknown): Expression {
  const json = value === undefined ? null : Buffer.from(JSON.stringify(value));
  return {
    evaluate: () => value,
    write: () => {
      if (json === null) return false;
      writeRaw(json);
      return true;
    },
    writesItself: true,
    constant: { value },
    fields: [],
    whole: false,
  };
}

/** An expression from its evaluation; `write` prints what it gives unless a better one is given. */
export function computed(evaluate: Evaluate, fields: readonly string[] | null, write?: Write): Expression {
  return {
    evaluate,
    write: write ?? ((root, record, context) => writeJson(evaluate(root, record, context))),
    writesItself: write !== undefined,
    constant: null,
    fields,
    whole: false,
  };
}

/** The fields that several expressions read together; null as soon as one may read anything. */
export function unionFields(expressions: Iterable<Expression>): readonly string[] | null {
  const union = new Set<string>();
  for (const { fields } of expressions) {
    if (fields === null) return null;
    for (const field of fields) union.add(field);
  }
  return [...union];
}
