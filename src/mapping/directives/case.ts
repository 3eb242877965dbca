/** `@case`: text in another letter case. */
import { kebabCase, snakeCase, titleCase } from '../../base/letter-case.ts';
import type { Directive } from '../directive.ts';
import { computed } from '../expression.ts';
import { checkArguments, part, plain } from './members.ts';

const operators: { readonly [name: string]: (text: string) => string } = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  snake: snakeCase,
  kebab: kebabCase,
  title: titleCase,
};

export const caseDirective: Directive = {
  name: '@case',
  summary: 'Text in lower, upper, snake, kebab or title case.',
  docs: [
    `\`{operator, value}\` with one of ${Object.keys(operators).join(', ')}. What is not text stays as it is. Snake and kebab case:`,
    'lower case, each run of other characters than letters and digits becomes one `_` or `-`.',
  ].join('\n'),
  example: {
    mapping: { '@case': { operator: 'snake', value: '$.event' } },
    record: { event: 'Order Completed' },
    result: 'order_completed',
  },
  check: (argument, at, tools) =>
    checkArguments(
      argument,
      at,
      { operator: { kind: 'choice', required: true, choices: Object.keys(operators) }, value: { kind: 'mapping' } },
      tools,
    ),
  compile(argument, tools) {
    const value = part(argument, 'value', tools);
    const change = operators[plain(argument, 'operator', 'lower')]!;
    return computed((root, record, context) => {
      const text = value.evaluate(root, record, context);
      return typeof text === 'string' ? change(text) : text;
    }, value.fields);
  },
};
