/** The mapping language: any JSON, in which directives and string shorthands stand for values of the record. */
import { isRawNumber } from '../base/json.ts';
import { suggest } from '../base/suggest.ts';
import { writeByte, writeRaw } from '../base/json-writer.ts';
import type { JsonValue, Problem } from '../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from './directive.ts';
import { setMember } from './object.ts';
import { directives } from './directives/index.ts';
import { computed, constantExpression, unionFields, type Expression, type Member } from './expression.ts';
import { compileBuild } from './build-object.ts';
import { compileWrite } from './write-object.ts';

/** Everything that is wrong with a mapping; what passes compiles, and never fails for its own shape. */
export function checkMapping(value: unknown, at: string): Problem[] {
  return check(value, at, true, 0);
}

/** Compiles a mapping that `checkMapping` passed. */
export function compileExpression(value: JsonValue): Expression {
  return compile(value, true);
}

/** A mapping nested deeper than this is refused: nobody writes it, and the stack is finite. */
const MAX_DEPTH = 100;

const directiveName = /^@[a-z][a-zA-Z0-9]*$/;

function check(value: unknown, at: string, shorthand: boolean, depth: number): Problem[] {
  if (depth > MAX_DEPTH)
    return [{ path: at, reason: `the mapping is nested deeper than ${MAX_DEPTH}`, remedy: 'make it flatter' }];
  if (typeof value === 'string') return shorthand ? checkShorthand(value, at, depth) : [];
  if (typeof value === 'boolean') return [];
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return [];
    return [{ path: at, reason: `${value} is not a JSON number`, remedy: 'write it as text' }];
  }
  if (typeof value !== 'object')
    return [{ path: at, reason: `a ${typeof value} is not a JSON value`, remedy: 'use JSON values and directives' }];
  if (value === null || isRawNumber(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => check(item, `${at}[${index}]`, shorthand, depth + 1));
  return checkObject(value as { [key: string]: JsonValue }, at, shorthand, depth);
}

function checkShorthand(text: string, at: string, depth: number): Problem[] {
  const directive = shorthandOf(text);
  return directive === undefined ? [] : directive.check(text, at, checkTools(true, depth));
}

function checkObject(value: { [key: string]: JsonValue }, at: string, shorthand: boolean, depth: number): Problem[] {
  const names = Object.keys(value);
  const directiveNames = names.filter((name) => directiveName.test(name));
  const others = names.filter((name) => !directiveName.test(name) && name !== '_metadata');
  if (directiveNames.length === 0 || (!shorthand && directiveNameOf(value) === null))
    return names.flatMap((name) => check(value[name], `${at}.${name}`, shorthand, depth + 1));
  const name = directiveNames[0]!;
  if (directiveNames.length > 1 || others.length > 0)
    return [
      {
        path: at,
        reason: `the directive ${name} must stand alone in its object, not beside ${[...directiveNames.slice(1), ...others].map((other) => `"${other}"`).join(', ')}`,
        remedy: 'give each directive a key of its own; write a field name that begins with @ inside @literal',
      },
    ];
  const directive = directives.get(name);
  if (directive !== undefined) return directive.check(value[name], `${at}.${name}`, checkTools(shorthand, depth));
  const near = suggest(name, directives.keys());
  return [
    {
      path: `${at}.${name}`,
      reason: `there is no directive ${name}`,
      remedy:
        near === null
          ? `use one of ${[...directives.keys()].join(', ')}; write a field name that begins with @ inside @literal`
          : `did you mean ${near}?`,
    },
  ];
}

function checkTools(shorthand: boolean, depth: number): CheckTools {
  return {
    mapping: (value, at) => check(value, at, shorthand, depth + 1),
    literal: (value, at) => check(value, at, false, depth + 1),
  };
}

const mappingTools: CompileTools = {
  mapping: (value) => compile(value, true),
  literal: (value) => compile(value, false),
};

const literalTools: CompileTools = {
  mapping: (value) => compile(value, false),
  literal: (value) => compile(value, false),
};

function compile(value: JsonValue, shorthand: boolean): Expression {
  if (typeof value === 'string') {
    const directive = shorthand ? shorthandOf(value) : undefined;
    return directive === undefined ? constantExpression(value) : directive.compile(value, mappingTools);
  }
  if (Array.isArray(value)) return compileList(value.map((item) => compile(item, shorthand)));
  if (!isObject(value)) return constantExpression(value);
  const name = directiveNameOf(value);
  if (name !== null) return directives.get(name)!.compile(value[name]!, shorthand ? mappingTools : literalTools);
  return compileObject(Object.keys(value).map((key) => [key, compile(value[key]!, shorthand)]));
}

/** The directive's name when the object is one, else null. */
export function directiveNameOf(value: { [key: string]: JsonValue }): string | null {
  let found: string | null = null;
  for (const name of Object.keys(value)) {
    if (name === '_metadata') continue;
    if (found !== null || !directives.has(name)) return null;
    found = name;
  }
  return found;
}

/** `$.` begins a path, `{{` makes a template, anything else is itself. */
function shorthandOf(text: string): Directive | undefined {
  if (text.startsWith('$.')) return directives.get('@path');
  return text.includes('{{') ? directives.get('@template') : undefined;
}

const COMMA = 0x2c;
const NULL = Buffer.from('null');

/** Absent items become null: a list keeps its places. */
export function compileList(items: readonly Expression[]): Expression {
  if (items.every((item) => item.constant !== null))
    return constantExpression(items.map((item) => item.constant!.value ?? null));
  return computed(
    (root, record, context) => items.map((item) => item.evaluate(root, record, context) ?? null),
    unionFields(items),
    (root, record, context) => {
      writeByte(0x5b);
      for (let index = 0; index < items.length; index++) {
        if (index > 0) writeByte(COMMA);
        if (!items[index]!.write(root, record, context)) writeRaw(NULL);
      }
      writeByte(0x5d);
      return true;
    },
  );
}

/** Absent members are left out. */
export function compileObject(members: readonly Member[]): Expression {
  if (members.every(([, value]) => value.constant !== null)) return constantExpression(fixedObject(members));
  const object = computed(compileBuild(members), unionFields(members.map(([, value]) => value)), compileWrite(members));
  return { ...object, members };
}

function fixedObject(members: readonly Member[]): Record<string, unknown> {
  const fixed: Record<string, unknown> = {};
  for (const [name, { constant }] of members)
    if (constant!.value !== undefined) setMember(fixed, name, constant!.value);
  return fixed;
}
