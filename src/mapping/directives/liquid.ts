/** `@liquid`: text by a Liquid template. */
import type { JsonValue, Problem } from '../../model/index.ts';
import type { Directive } from '../directive.ts';
import { computed, type Expression } from '../expression.ts';
import { Refusal } from '../refusal.ts';
import { MAX_LIQUID_LENGTH, parseLiquid } from '../templates/liquid.ts';

export const liquidDirective: Directive = {
  name: '@liquid',
  summary: 'Text by a Liquid template.',
  docs: [
    `The argument is text of at most ${MAX_LIQUID_LENGTH} characters; the result is always text. Names are the record's own fields; unknown ones give`,
    'nothing. Without the tags case, for, tablerow, include, render, layout and block, and without filters over lists. More filters:',
    '`json`, `keys`, `only`, `except`, `sha256`, `base64`. Numbers compare by all their digits, arithmetic is with doubles. Dates\nare UTC; `now` is the time the record was received or the run triggered.',
  ].join('\n'),
  example: {
    mapping: { '@liquid': '{% if plan == "gold" %}VIP {% endif %}{{ name | upcase }}' },
    record: { plan: 'gold', name: 'Ann' },
    result: 'VIP ANN',
  },
  check(argument: unknown, at: string): Problem[] {
    const remedy = `write a Liquid template of at most ${MAX_LIQUID_LENGTH} characters`;
    if (typeof argument !== 'string') return [{ path: at, reason: 'a Liquid template must be text', remedy }];
    if (argument.length > MAX_LIQUID_LENGTH)
      return [{ path: at, reason: `the template is ${argument.length} characters long`, remedy }];
    try {
      parseLiquid(argument);
      return [];
    } catch (error) {
      return [
        { path: at, reason: `the template does not read: ${messageOf(error)}`, remedy: 'see the docs of @liquid' },
      ];
    }
  },
  compile(argument: JsonValue): Expression {
    const template = parseLiquid(argument as string);
    return computed((root, record, context) => {
      try {
        return template.render(root, record.receivedAtMs ?? context.syncedAtMs);
      } catch (error) {
        throw new Refusal('mapping_failed', '', `@liquid: ${messageOf(error)}`);
      }
    }, null);
  },
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
