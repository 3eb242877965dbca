/** `@literal`: a value as it is written. */
import type { Directive } from '../directive.ts';

export const literalDirective: Directive = {
  name: '@literal',
  summary: 'The value as it is written: text that begins with `$.` or holds `{{` stays text.',
  docs: [
    'The argument is any value. Text in it is never read as a path or a template. Directives inside it still work; an object whose',
    'one key begins with `@` and is no directive is plain data, so `{"@literal": {"@timestamp": 1}}` is that object.',
  ].join('\n'),
  example: { mapping: { '@literal': '$.5 {{off}}' }, record: {}, result: '$.5 {{off}}' },
  check: (argument, at, tools) => tools.literal(argument, at),
  compile: (argument, tools) => tools.literal(argument),
};
