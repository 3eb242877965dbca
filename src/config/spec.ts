/**
 * What a spec is: one description of a value, from which come its check, its place in the JSON Schema, and where its
 * secrets and paths are.
 */
import type { JsonObject, JsonValue } from '../model/index.ts';
import type { At } from './report.ts';

export type JsonSchema = JsonObject;

export interface Spec<T> {
  /** The checked value, references resolved; undefined after a problem was told. */
  read(value: unknown, at: At): T | undefined;
  readonly schema: JsonSchema;
  /** A copy of the value as written, its secrets and paths changed. Absent: it has none. */
  changeLeaves?(value: JsonValue, path: string, change: LeafChange): JsonValue;
}

/** What to put in the place of a secret or path as written; it gets and gives whatever stands there. */
export type LeafChange = (role: LeafRole, value: JsonValue, path: string) => JsonValue;
export type LeafRole = 'secret' | 'path';

/** A field of an object. */
export interface Field<T> {
  readonly spec: Spec<unknown>;
  readonly description: string;
  readonly required: boolean;
  /** What an absent field is. */
  readonly absent: T;
  /** Set for a feature that does not exist yet: what works instead. Its spec is not used. */
  readonly instead?: string;
}

export type ValueOf<S> = S extends Spec<infer T> ? T : never;

export function required<T>(spec: Spec<T>, description: string): Field<T> {
  // Never read: a missing required field is a problem, and an object with a problem has no value.
  return { spec, description, required: true, absent: undefined as T };
}

export function optional<T, const A>(spec: Spec<T>, description: string, absent: A): Field<T | A> {
  const shown = defaultInSchema(absent);
  const described = shown === undefined ? spec : { ...spec, schema: { ...spec.schema, default: shown } };
  return { spec: described, description, required: false, absent };
}

/** A field that is planned: refused by name. `instead` is a sentence with what works until then. */
export function notYet(instead: string): Field<undefined> {
  return { spec: nothing, description: '', required: false, absent: undefined, instead };
}

const nothing: Spec<never> = { schema: {}, read: () => undefined };

/** Tells that the field here, or the value that it has, is planned. */
export function tellNotYet(at: At, value: string | null, instead: string): undefined {
  const subject = value === null ? 'is' : `is ${value}, which is`;
  at.problem(`${subject} not yet supported.`, instead, 'not_yet');
}

function defaultInSchema(absent: unknown): JsonValue | undefined {
  return typeof absent === 'string' || typeof absent === 'number' || typeof absent === 'boolean' ? absent : undefined;
}
