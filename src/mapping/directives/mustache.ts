/** `@mustache`: text by a Mustache template with sections. */
import type { JsonValue, Problem } from '../../model/index.ts';
import type { Directive } from '../directive.ts';
import { computed, type Expression } from '../expression.ts';
import { compileText, parseMustache, placeIn, type ExtraNames } from '../templates/mustache.ts';

const noNames: ExtraNames = new Map();

export const mustacheDirective: Directive = {
  name: '@mustache',
  summary: 'Text by a Mustache template, with sections.',
  docs: [
    'The argument is text. `{{name}}` as in `@template`; `{{#name}}…{{/name}}` for each item of a list, or once for any other value that',
    'is not absent, null, false, 0 or empty; `{{^name}}…{{/name}}` where it is; `{{.}}` is the item; `{{! … }}` says nothing. Names are looked for',
    'in the innermost section first; `$.` leads from the record. Nothing is HTML-escaped, and there are no partials.',
  ].join('\n'),
  example: {
    mapping: { '@mustache': '{{user}}:{{#tags}} #{{.}}{{/tags}}{{^tags}} none{{/tags}}' },
    record: { user: 'ann', tags: ['a', 'b'] },
    result: 'ann: #a #b',
  },
  check(argument: unknown, at: string): Problem[] {
    const remedy = 'write it like "{{#tags}}{{.}} {{/tags}}"';
    if (typeof argument !== 'string') return [{ path: at, reason: 'a Mustache template must be text', remedy }];
    const parsed = parseMustache(argument);
    if (!('reason' in parsed)) return [];
    return [{ path: at, reason: `the template, ${placeIn(argument, parsed.at)}: ${parsed.reason}`, remedy }];
  },
  compile(argument: JsonValue): Expression {
    const parsed = parseMustache(argument as string);
    const render = compileText('reason' in parsed ? [] : parsed, noNames);
    return computed((root, record, context) => render({ root, record, context }), null);
  },
};
