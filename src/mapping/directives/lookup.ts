/** `@lookup`: a value by a table. */
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { textOf } from '../text.ts';
import { checkArguments, part } from './members.ts';

export const lookupDirective: Directive = {
  name: '@lookup',
  summary: 'What a table in the configuration has for a value.',
  docs: [
    '`{value, table, else}`: the table is an object; the value is looked for by its text, in its exact spelling. What the table has may',
    'itself be a mapping. A value that is not in the table, absent or null gives `else`, or is absent without one.',
  ].join('\n'),
  example: {
    mapping: { '@lookup': { value: '$.country', table: { DE: 'Germany', FR: 'France' }, else: '$.country' } },
    record: { country: 'DE' },
    result: 'Germany',
  },
  check(argument: unknown, at: string, tools: CheckTools): Problem[] {
    const { table } = isObject(argument) ? argument : {};
    const specs = { value: { kind: 'mapping', required: true }, else: { kind: 'mapping' } } as const;
    const problems = checkArguments(
      argument,
      at,
      { ...specs, table: { kind: 'mapping', required: true } },
      {
        ...tools,
        // The table's own members are checked below; its keys are data, also where they begin with @.
        mapping: (value, path) => (path === `${at}.table` ? [] : tools.mapping(value, path)),
      },
    );
    if (table === undefined) return problems;
    if (!isObject(table) || Object.keys(table).length === 0)
      return [
        ...problems,
        { path: `${at}.table`, reason: 'a table with entries is expected here', remedy: 'write {DE: Germany}' },
      ];
    return [...problems, ...Object.keys(table).flatMap((key) => tools.mapping(table[key], `${at}.table.${key}`))];
  },
  compile(argument: JsonValue, tools: CompileTools): Expression {
    const value = part(argument, 'value', tools);
    const otherwise = part(argument, 'else', tools);
    const { table } = argument as { table: { [key: string]: JsonValue } };
    const entries = new Map(Object.keys(table).map((key) => [key, tools.mapping(table[key]!)]));
    const entryOf = (given: unknown): Expression =>
      given === undefined || given === null ? otherwise : (entries.get(textOf(given)) ?? otherwise);
    return computed(
      (root, record, context) => entryOf(value.evaluate(root, record, context)).evaluate(root, record, context),
      unionFields([value, otherwise, ...entries.values()]),
      (root, record, context) => entryOf(value.evaluate(root, record, context)).write(root, record, context),
    );
  },
};
