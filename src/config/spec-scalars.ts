/** Specs of single values: text, whole numbers, flags, choices, secrets, paths. */
import { isAbsolute } from 'node:path';
import { Secret } from '../base/secret.ts';
import { suggest } from '../base/suggest.ts';
import { tellNotYet, type JsonSchema, type Spec } from './spec.ts';
import { describe, numberOf, oneOfList } from './values.ts';

/** In the schema: any value may be written as a reference. */
export const reference: JsonSchema = { type: 'string', pattern: String.raw`\$\{[^}]+\}` };

export interface TextRules {
  readonly pattern?: RegExp;
  /** What the pattern asks for, after "must be": `a topic name (…)`. */
  readonly shape?: string;
  readonly example: string;
}

export function text({ pattern, shape = 'text', example }: TextRules): Spec<string> {
  const plain: JsonSchema = { type: 'string', minLength: 1 };
  return {
    schema: pattern === undefined ? plain : { anyOf: [{ ...plain, pattern: pattern.source }, reference] },
    read(value, at) {
      if (typeof value !== 'string')
        return at.problem(`must be ${shape}, and is ${describe(value, at)}.`, asText(value, example));
      if (value === '' || (pattern !== undefined && !pattern.test(value))) {
        return at.problem(
          `must be ${shape}, and is ${value === '' ? 'empty text' : describe(value, at)}.`,
          forExample(example),
        );
      }
      return value;
    },
  };
}

export interface NumberRules {
  readonly min: number;
  readonly max: number;
  /** e.g. `milliseconds` */
  readonly unit?: string;
}

export function integer({ min, max, unit }: NumberRules): Spec<number> {
  const wanted = `a whole number${unit === undefined ? '' : ` of ${unit}`} from ${min} to ${max}`;
  return {
    schema: { anyOf: [{ type: 'integer', minimum: min, maximum: max }, reference] },
    read(value, at) {
      const number = numberOf(value, at);
      if (number === null) {
        return at.problem(
          `must be ${wanted}, and is ${describe(value, at)}.`,
          'Write digits alone, without quotes or unit.',
        );
      }
      if (Number.isInteger(number) && number >= min && number <= max) return number;
      return at.problem(`must be ${wanted}, and is ${describe(value, at)}.`, `Choose ${wanted}.`);
    },
  };
}

export function flag(): Spec<boolean> {
  return {
    schema: { anyOf: [{ type: 'boolean' }, reference] },
    read(value, at) {
      if (typeof value === 'boolean') return value;
      if (at.isReferenced && (value === 'true' || value === 'false')) return value === 'true';
      return at.problem(
        `must be true or false, and is ${describe(value, at)}.`,
        'Write true or false, without quotes.',
      );
    },
  };
}

export interface ChoiceRules {
  /** Values that are planned, each with what works instead. */
  readonly notYet?: Readonly<Record<string, string>>;
}

export function choice<const T extends string>(values: readonly T[], { notYet = {} }: ChoiceRules = {}): Spec<T> {
  return {
    schema: { anyOf: [{ enum: [...values] }, reference] },
    read(value, at) {
      const found = values.find((one) => one === value);
      if (found !== undefined) return found;
      if (typeof value === 'string' && Object.hasOwn(notYet, value)) return tellNotYet(at, value, notYet[value]!);
      const near = typeof value === 'string' ? suggest(value, values) : null;
      const remedy = near === null ? `Write ${oneOfList(values)}.` : `Did you mean ${near}?`;
      return at.problem(`must be ${oneOfList(values)}, and is ${describe(value, at)}.`, remedy);
    },
  };
}

/** A secret: sealed when stored, never shown. `rule` answers what is wrong with it, without showing it. */
export function secret(rule?: (text: string) => { reason: string; remedy: string } | null): Spec<Secret> {
  return {
    schema: { type: 'string', minLength: 1, writeOnly: true },
    read(value, at) {
      if (typeof value !== 'string') {
        return at.problem('must be text.', `Put it in quotes, or write a reference such as '\${NAME}'.`);
      }
      if (value === '') return at.problem('is empty.', `Give the secret, or a reference such as '\${NAME}'.`);
      const wrong = rule?.(value) ?? null;
      return wrong === null ? new Secret(value, at.reread) : at.problem(wrong.reason, wrong.remedy);
    },
    changeLeaves: (value, path, change) => change('secret', value, path),
  };
}

/** Text that is no secret and that a reference may change while Headrace runs: a user name, a certificate. */
export function changingText(what: string, example: string): Spec<Secret> {
  const spec = text({ shape: what, example });
  return {
    schema: spec.schema,
    read(value, at) {
      const found = spec.read(value, at);
      return found === undefined ? undefined : new Secret(found, at.reread);
    },
  };
}

/** A file or folder: relative to the file that it is written in, absolute once stored. */
export function path(example: string): Spec<string> {
  const spec = text({ shape: 'a path', example });
  return {
    schema: spec.schema,
    read(value, at) {
      const found = spec.read(value, at);
      if (found === undefined || isAbsolute(found)) return found;
      const relative = at.isReferenced
        ? 'what the reference gives is relative'
        : `${JSON.stringify(found)} is relative`;
      return at.problem(`must be an absolute path, and ${relative}.`, 'Write the whole path, from the root on.');
    },
    changeLeaves: (value, at, change) => change('path', value, at),
  };
}

function asText(value: unknown, example: string): string {
  return typeof value === 'number' || typeof value === 'boolean'
    ? `Put it in quotes: '${String(value)}'.`
    : forExample(example);
}

function forExample(example: string): string {
  return `For example: ${example}`;
}
