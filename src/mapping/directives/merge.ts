/** `@merge`: several objects as one. */
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type Directive } from '../directive.ts';
import { computed, unionFields } from '../expression.ts';
import { setMember } from '../object.ts';
import { checkArguments, plain } from './members.ts';

export const mergeDirective: Directive = {
  name: '@merge',
  summary: 'Several objects as one.',
  docs: [
    '`{objects: [...], direction}`: with `right` the later object wins where two have the same member, with `left` the earlier one.',
    'Members are not merged into one another. What is no object is skipped; no objects give an empty one.',
  ].join('\n'),
  example: {
    mapping: { '@merge': { objects: ['$.traits', { source: 'web' }], direction: 'right' } },
    record: { traits: { name: 'Ann', source: 'app' } },
    result: { name: 'Ann', source: 'web' },
  },
  check(argument: unknown, at: string, tools: CheckTools): Problem[] {
    const problems = checkArguments(
      argument,
      at,
      {
        objects: { kind: 'mapping', required: true },
        direction: { kind: 'choice', required: true, choices: ['left', 'right'] },
      },
      tools,
    );
    if (problems.length > 0 || (isObject(argument) && Array.isArray(argument.objects))) return problems;
    return [
      { path: `${at}.objects`, reason: 'a list of objects is expected here', remedy: 'write [$.traits, {a: 1}]' },
    ];
  },
  compile(argument, tools) {
    const written = (argument as { objects: JsonValue[] }).objects;
    const objects = written.map((object) => tools.mapping(object));
    // Left is right the other way round, also in the order of the members.
    if (plain<string>(argument, 'direction', 'right') === 'left') objects.reverse();
    return computed((root, record, context) => {
      const merged: Record<string, unknown> = {};
      for (const object of objects) {
        const value = object.evaluate(root, record, context);
        if (!isObject(value)) continue;
        for (const name of Object.keys(value)) setMember(merged, name, value[name]);
      }
      return merged;
    }, unionFields(objects));
  },
};
