/** `@if`: one of two values. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { checkMembers, nothing } from './members.ts';

export const ifDirective: Directive = {
  name: '@if',
  summary: '`then` when a value exists, else `else`.',
  docs: [
    '`{exists: value, then, else}`: `then` when the value is neither absent nor null (0, false and the empty text exist).',
    "`{blank: value, then, else}`: `then` when the value is neither absent, null, empty text, 0 nor false (the name is Segment's).",
    'With both, `exists` decides. A branch that is left out is absent.',
  ].join('\n'),
  example: {
    mapping: { '@if': { exists: '$.userId', then: '$.userId', else: 'anonymous' } },
    record: { anonymousId: 'a1' },
    result: 'anonymous',
  },
  check: checkIf,
  compile: compileIf,
};

function checkIf(argument: unknown, at: string, tools: CheckTools): Problem[] {
  const problems = checkMembers(argument, at, ['exists', 'blank', 'then', 'else']);
  if (!isObject(argument)) return problems;
  if (!Object.hasOwn(argument, 'exists') && !Object.hasOwn(argument, 'blank'))
    problems.push({ path: at, reason: 'a condition is missing', remedy: 'add `exists` or `blank` with a value' });
  for (const name of ['exists', 'blank', 'then', 'else'])
    if (Object.hasOwn(argument, name)) problems.push(...tools.mapping(argument[name], `${at}.${name}`));
  return problems;
}

function compileIf(argument: JsonValue, tools: CompileTools): Expression {
  const members = argument as { [key: string]: JsonValue };
  const part = (name: string): Expression => (Object.hasOwn(members, name) ? tools.mapping(members[name]!) : nothing);
  const byExistence = Object.hasOwn(members, 'exists');
  const condition = part(byExistence ? 'exists' : 'blank');
  const test = byExistence ? exists : isNotBlank;
  const then = part('then');
  const otherwise = part('else');
  const fields = unionFields([condition, then, otherwise]);
  // `{exists: $.a, then: $.a}` is the usual form: the value is looked up once.
  if (byExistence && !then.writesItself && sameJson(members.exists, members.then))
    return computed((root, record, context) => {
      const value = then.evaluate(root, record, context);
      return exists(value) ? value : otherwise.evaluate(root, record, context);
    }, fields);
  return computed(
    (root, record, context) =>
      (test(condition.evaluate(root, record, context)) ? then : otherwise).evaluate(root, record, context),
    fields,
    then.writesItself || otherwise.writesItself
      ? (root, record, context) =>
          (test(condition.evaluate(root, record, context)) ? then : otherwise).write(root, record, context)
      : undefined,
  );
}

function sameJson(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function exists(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Not null and not loosely equal to the empty text, as Segment has it: an empty list and a list of one empty text count as blank. */
function isNotBlank(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return false;
  return !(Array.isArray(value) && value.length <= 1 && !isNotBlankItem(value[0]));
}

function isNotBlankItem(item: unknown): boolean {
  if (item === undefined || item === null || item === '') return false;
  return Array.isArray(item) ? isNotBlank(item) : true;
}
