/** Specs made of others: objects with known fields, lists, maps of named things, values of several shapes. */
import { suggest } from '../base/suggest.ts';
import type { JsonObject, JsonValue } from '../model/index.ts';
import { childPath, type At } from './report.ts';
import { tellNotYet, type Field, type JsonSchema, type LeafChange, type Spec } from './spec.ts';
import { describe, isObject, kindOf, oneOfList } from './values.ts';

export type Fields = Readonly<Record<string, Field<unknown>>>;
/** The value of each field by name. */
export type FieldValues<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export interface ObjectRules<V, T> {
  readonly description?: string;
  /** What several fields say together: contradictions, defaults that depend on others. Runs when each alone is sound. */
  readonly refine?: (values: V, at: At) => T | undefined;
}

/** An object with these fields and no others. */
export function object<F extends Fields, T = FieldValues<F>>(
  fields: F,
  rules: ObjectRules<FieldValues<F>, T> = {},
): Spec<T> {
  return {
    schema: objectSchema(fields, rules.description),
    read(value, at) {
      if (!isObject(value)) {
        return at.problem(`must be an object with fields, and is ${kindOf(value)}.`, knownFields(fields));
      }
      const before = at.problemCount;
      const values = readFields(fields, value, at);
      if (at.problemCount > before) return undefined;
      return rules.refine === undefined ? (values as T) : rules.refine(values as FieldValues<F>, at);
    },
    changeLeaves: (value, path, change) => changeFields(fields, value, path, change),
  };
}

export function list<T>(item: Spec<T>, rules: { readonly what: string; readonly example: string }): Spec<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema, minItems: 1 },
    read(value, at) {
      if (!Array.isArray(value))
        return at.problem(`must be ${rules.what}, and is ${describe(value, at)}.`, `For example: ${rules.example}`);
      if (value.length === 0)
        return at.problem('is an empty list.', `Fill it, for example ${rules.example}, or leave it out.`);
      const items = value.map((one: unknown, index) => item.read(one, at.child(index)));
      return items.every((one) => one !== undefined) ? items : undefined;
    },
  };
}

/** A map of freely named things of one kind. */
export function named<T>(item: Spec<T>, what: string): Spec<Readonly<Record<string, T>>> {
  return {
    schema: { type: 'object', additionalProperties: item.schema },
    read(value, at) {
      if (!isObject(value))
        return at.problem(`must be ${what}, and is ${kindOf(value)}.`, 'Write `name: value` lines.');
      const entries: [string, T][] = [];
      for (const [key, one] of Object.entries(value)) {
        const read = item.read(one, at.child(key));
        if (read !== undefined) entries.push([key, read]);
      }
      return entries.length === Object.keys(value).length ? Object.fromEntries(entries) : undefined;
    },
  };
}

/** An object of which one field, `by`, says what the others may be. */
export function variants<T>(
  by: string,
  kinds: Readonly<Record<string, Spec<T>>>,
  rules: { readonly notYet: Readonly<Record<string, string>>; readonly description: string },
): Spec<T> {
  const names = Object.keys(kinds);
  const specOf = (value: unknown): Spec<T> | undefined => {
    const name = isObject(value) && Object.hasOwn(value, by) ? value[by] : undefined;
    return typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  };
  return {
    schema: { description: rules.description, oneOf: Object.values(kinds).map(({ schema }) => schema) },
    read(value, at) {
      if (!isObject(value))
        return at.problem(
          `must be an object with fields, and is ${kindOf(value)}.`,
          `Begin with \`${by}: ${names[0]}\`.`,
        );
      const kind = specOf(value);
      return kind === undefined ? tellUnknownKind(value[by], by, names, rules.notYet, at) : kind.read(value, at);
    },
    changeLeaves: (value, path, change) => specOf(value)?.changeLeaves?.(value, path, change) ?? value,
  };
}

/** Any JSON; what it means is checked by the room that uses it. */
export function anything(schema: JsonSchema = {}): Spec<JsonValue> {
  return { schema, read: (value) => value as JsonValue };
}

function tellUnknownKind(
  name: unknown,
  by: string,
  names: readonly string[],
  planned: Readonly<Record<string, string>>,
  at: At,
): undefined {
  const place = at.child(by);
  if (name === undefined) return place.problem('is missing.', `Add \`${by}: ${oneOfList(names)}\`.`);
  if (typeof name === 'string' && Object.hasOwn(planned, name)) return tellNotYet(place, name, planned[name]!);
  const near = typeof name === 'string' ? suggest(name, [...names, ...Object.keys(planned)]) : null;
  const remedy = near === null ? `Write ${oneOfList(names)}.` : `Did you mean ${near}?`;
  return place.problem(`must be ${oneOfList(names)}, and is ${describe(name, place)}.`, remedy);
}

function readFields(fields: Fields, value: JsonObject, at: At): Record<string, unknown> {
  const meant = new Set<string | null>();
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fields, key)) meant.add(tellUnknown(key, fields, at));
  }
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const present = Object.hasOwn(value, key);
    if (field.instead !== undefined) {
      if (present) tellNotYet(at.child(key), null, field.instead);
      continue;
    }
    values[key] = present ? field.spec.read(value[key], at.child(key)) : field.absent;
    if (field.required && !present && !meant.has(key)) tellMissing(key, field, at);
  }
  return values;
}

/** Answers the name that was meant, as far as that can be guessed. */
function tellUnknown(key: string, fields: Fields, at: At): string | null {
  const near = suggest(key, Object.keys(fields));
  const remedy = near === null ? knownFields(fields) : `Did you mean \`${near}\`?`;
  at.child(key).problem('is not a field that is known here.', remedy);
  return near;
}

function tellMissing(key: string, field: Field<unknown>, at: At): void {
  at.child(key).problem('is missing.', `Add \`${key}\`: ${field.description}`);
}

function knownFields(fields: Fields): string {
  const names = Object.entries(fields).filter(([, { instead }]) => instead === undefined);
  return `Known here: ${names.map(([name]) => name).join(', ')}.`;
}

function objectSchema(fields: Fields, description: string | undefined): JsonSchema {
  const existing = Object.entries(fields).filter(([, { instead }]) => instead === undefined);
  const properties = existing.map(([name, field]) => [name, { description: field.description, ...field.spec.schema }]);
  const requiredNames = existing.filter(([, field]) => field.required).map(([name]) => name);
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties: Object.fromEntries(properties) as JsonObject,
    ...(requiredNames.length === 0 ? {} : { required: requiredNames }),
    additionalProperties: false,
  };
}

function changeFields(fields: Fields, value: JsonValue, path: string, change: LeafChange): JsonValue {
  if (!isObject(value)) return value;
  const changed = Object.entries(value).map(([key, one]): [string, JsonValue] => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    return [key, field?.spec.changeLeaves?.(one, childPath(path, key), change) ?? one];
  });
  return Object.fromEntries(changed);
}
