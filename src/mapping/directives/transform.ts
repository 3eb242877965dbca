/** `@transform`: a mapping of what another mapping gave. */
import type { Directive } from '../directive.ts';
import { computed } from '../expression.ts';
import { checkArguments, part } from './members.ts';

export const transformDirective: Directive = {
  name: '@transform',
  summary: 'Two mappings in a row: the second sees only what the first gave.',
  docs: '`{apply, mapping}`: `apply` is mapped from the record; in `mapping`, `$.` is its result.',
  example: {
    mapping: {
      '@transform': {
        apply: { name: { '@case': { operator: 'upper', value: '$.name' } } },
        mapping: { greeting: 'Hi {{name}}' },
      },
    },
    record: { name: 'Ann' },
    result: { greeting: 'Hi ANN' },
  },
  check: (argument, at, tools) =>
    checkArguments(
      argument,
      at,
      { apply: { kind: 'mapping', required: true }, mapping: { kind: 'mapping', required: true } },
      tools,
    ),
  compile(argument, tools) {
    const apply = part(argument, 'apply', tools);
    const mapping = part(argument, 'mapping', tools);
    return computed(
      (root, record, context) => mapping.evaluate(apply.evaluate(root, record, context), record, context),
      apply.fields,
      (root, record, context) => mapping.write(apply.evaluate(root, record, context), record, context),
    );
  },
};
