/** `@replace`: text with a piece of it replaced. */
import { isRawNumber } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import type { Directive } from '../directive.ts';
import { computed } from '../expression.ts';
import { textOf } from '../text.ts';
import { checkArguments, part, plain, type ArgumentSpec } from './members.ts';

const text: ArgumentSpec = { kind: 'text', longest: 1000 };
const pattern: ArgumentSpec = { kind: 'text', shortest: 1, longest: 1000 };

export const replaceDirective: Directive = {
  name: '@replace',
  summary: 'Text with every occurrence of a piece replaced by another.',
  docs: [
    '`{pattern, replacement, value, pattern2, replacement2, ignorecase, global}`: pattern and replacement are plain text, never',
    'regular expressions; replacement is empty when left out; `ignorecase` is false, `global` true. The second pair works on the',
    'result of the first. Numbers and booleans count as text; absent, null, objects and lists give the empty text.',
  ].join('\n'),
  example: {
    mapping: { '@replace': { pattern: '-', replacement: '', value: '$.phone' } },
    record: { phone: '030-12-34' },
    result: '0301234',
  },
  check: (argument, at, tools) =>
    checkArguments(
      argument,
      at,
      {
        pattern: { ...pattern, required: true },
        replacement: text,
        value: { kind: 'mapping', required: true },
        pattern2: text,
        replacement2: text,
        ignorecase: { kind: 'boolean' },
        global: { kind: 'boolean' },
      },
      tools,
    ),
  compile(argument, tools) {
    const value = part(argument, 'value', tools);
    const first = replacer(argument, 'pattern', 'replacement');
    const second = replacer(argument, 'pattern2', 'replacement2');
    return computed((root, record, context) => {
      const given = value.evaluate(root, record, context);
      const start = isRawNumber(given) ? given.rawJSON : typeof given === 'object' ? '' : textOf(given);
      return second(first(start));
    }, value.fields);
  },
};

function replacer(argument: JsonValue, patternName: string, replacementName: string): (text: string) => string {
  const search = plain(argument, patternName, '');
  const replacement = plain(argument, replacementName, '');
  if (search === '') return (given) => given;
  const everywhere = plain(argument, 'global', true);
  // A replacement function: in a replacement text `$&` would mean the match.
  const put = (): string => replacement;
  if (plain(argument, 'ignorecase', false)) {
    const expression = new RegExp(RegExp.escape(search), everywhere ? 'gi' : 'i');
    return (given) => given.replace(expression, put);
  }
  return everywhere ? (given) => given.replaceAll(search, put) : (given) => given.replace(search, put);
}
