/** `@json`: a value as JSON text, or the value of JSON text. */
import { parseJson } from '../../base/json.ts';
import type { Directive } from '../directive.ts';
import { computed } from '../expression.ts';
import { checkArguments, part, plain } from './members.ts';

export const jsonDirective: Directive = {
  name: '@json',
  summary: 'A value as JSON text, or the value that JSON text stands for.',
  docs: [
    '`{mode: encode, value}` gives the JSON text of the value. `{mode: decode, value}` gives what the text stands for, the text itself',
    'when it is no JSON, and anything that is not text as it is. Numbers keep their digits both ways.',
  ].join('\n'),
  example: {
    mapping: { '@json': { mode: 'decode', value: '$.details' } },
    record: { details: '{"size": 2}' },
    result: { size: 2 },
  },
  check: (argument, at, tools) =>
    checkArguments(
      argument,
      at,
      {
        mode: { kind: 'choice', required: true, choices: ['encode', 'decode'] },
        value: { kind: 'mapping', required: true },
      },
      tools,
    ),
  compile(argument, tools) {
    const value = part(argument, 'value', tools);
    const change = plain(argument, 'mode', 'encode') === 'encode' ? encode : decode;
    return computed((root, record, context) => change(value.evaluate(root, record, context)), value.fields);
  },
};

function encode(value: unknown): unknown {
  return value === undefined ? undefined : JSON.stringify(value);
}

function decode(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}
