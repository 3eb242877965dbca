/** `@flatten`: nested members under joined names. */
import { isRawNumber } from '../../base/json.ts';
import type { Directive } from '../directive.ts';
import { computed } from '../expression.ts';
import { setMember } from '../object.ts';
import { checkArguments, part, plain } from './members.ts';

export const flattenDirective: Directive = {
  name: '@flatten',
  summary: 'An object of one level: nested members under names joined by a separator.',
  docs: [
    '`{separator, value, omitArrays}`: list items go by their index, or with `omitArrays: true` lists stay as they are. Empty objects',
    'and lists vanish; a plain value becomes the member with the empty name; nothing gives an empty object.',
  ].join('\n'),
  example: {
    mapping: { '@flatten': { separator: '.', value: '$.user' } },
    record: { user: { name: 'Ann', tags: ['a', 'b'], address: { city: 'Ulm' } } },
    result: { name: 'Ann', 'tags.0': 'a', 'tags.1': 'b', 'address.city': 'Ulm' },
  },
  check: (argument, at, tools) =>
    checkArguments(
      argument,
      at,
      {
        separator: { kind: 'text', required: true, shortest: 1 },
        value: { kind: 'mapping', required: true },
        omitArrays: { kind: 'boolean' },
      },
      tools,
    ),
  compile(argument, tools) {
    const value = part(argument, 'value', tools);
    const separator = plain(argument, 'separator', '.');
    const keepLists = plain(argument, 'omitArrays', false);
    return computed((root, record, context) => {
      const flat: Record<string, unknown> = {};
      flatten(flat, '', value.evaluate(root, record, context), separator, keepLists);
      return flat;
    }, value.fields);
  },
};

function flatten(
  flat: Record<string, unknown>,
  name: string,
  value: unknown,
  separator: string,
  keepLists: boolean,
): void {
  const plainValue =
    typeof value !== 'object' || value === null || isRawNumber(value) || (keepLists && Array.isArray(value));
  if (plainValue) {
    if (value !== undefined) setMember(flat, name, value);
    return;
  }
  for (const [key, member] of Object.entries(value))
    flatten(flat, name === '' ? key : name + separator + key, member, separator, keepLists);
}
