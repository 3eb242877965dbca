/** `@path`: a value of the record. */
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, type Expression } from '../expression.ts';
import { lookUp, parsePath, pathExpression } from '../path.ts';

export const pathDirective: Directive = {
  name: '@path',
  summary: 'A value of the record, by its path.',
  docs: [
    'The argument is a path, or a directive that gives one. `$.` and the empty path are the whole record; names are parted by `.`,',
    "list items by `[0]` or `.0`; a name with a dot in it stands in quoted brackets: `$.a['b.c']`, `$.['x.y']`. Only a record's own fields are",
    'seen, text has no members, and a path through a null gives null. What is not there is absent: its key is left out.',
  ].join('\n'),
  example: { mapping: { '@path': '$.user.emails[0]' }, record: { user: { emails: ['a@x.org'] } }, result: 'a@x.org' },
  check: checkPath,
  compile: compilePath,
};

function checkPath(argument: unknown, at: string, tools: CheckTools): Problem[] {
  if (isObject(argument)) return tools.mapping(argument, at);
  if (typeof argument !== 'string')
    return [{ path: at, reason: 'a path must be text', remedy: 'write it like "$.user.id"' }];
  const parsed = parsePath(argument);
  if (parsed.ok) return [];
  return [
    {
      path: at,
      reason: `the path "${argument}" does not read: ${parsed.reason}`,
      remedy: `write it like "$.user.id", "$.items[0].name" or "$.['a name.with dots']"`,
    },
  ];
}

function compilePath(argument: JsonValue, tools: CompileTools): Expression {
  if (typeof argument === 'string') return pathExpression(stepsOf(argument) ?? []);
  const inner = tools.mapping(argument);
  return computed((root, record, context) => {
    const path = inner.evaluate(root, record, context);
    if (typeof path !== 'string') return undefined;
    const steps = stepsOf(path);
    return steps === null ? undefined : lookUp(root, steps);
  }, null);
}

function stepsOf(path: string): readonly string[] | null {
  const parsed = parsePath(path);
  return parsed.ok ? parsed.steps : null;
}
