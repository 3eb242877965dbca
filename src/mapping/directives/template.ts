/** `@template`: text with values of the record in it. */
import { fragment, writeEscaped, writeFragment } from '../../base/json-writer.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, constantExpression, unionFields, type Expression } from '../expression.ts';
import { parsePath, pathExpression } from '../path.ts';
import { textOf } from '../text.ts';

export const templateDirective: Directive = {
  name: '@template',
  summary: 'Text with values of the record put in by `{{path}}`.',
  docs: [
    'The argument is text, or a directive that gives it. `{{path}}` and `{{{path}}}` both put in the value at the path as text:',
    'nothing is HTML-escaped; absent and null give nothing; numbers keep their digits; objects and lists give their JSON. A leading',
    '`$.` is allowed. Single braces and braces that are not closed are ordinary text.',
  ].join('\n'),
  example: {
    mapping: { '@template': 'web.{{type}}.{{properties.plan}}' },
    record: { type: 'track', properties: { plan: 'gold' } },
    result: 'web.track.gold',
  },
  check: checkTemplate,
  compile(argument: JsonValue, tools: CompileTools): Expression {
    if (typeof argument === 'string') return compileTemplate(argument);
    const inner = tools.mapping(argument);
    return computed((root, record, context) => {
      const text = inner.evaluate(root, record, context);
      if (typeof text !== 'string') return undefined;
      return compileTemplate(text).evaluate(root, record, context);
    }, null);
  },
};

const placeholder = /\{\{\{([^{}]+)\}\}\}|\{\{([^{}]+)\}\}/g;

function checkTemplate(argument: unknown, at: string, tools: CheckTools): Problem[] {
  if (isObject(argument)) return tools.mapping(argument, at);
  if (typeof argument !== 'string')
    return [{ path: at, reason: 'a template must be text', remedy: 'write it like "web.{{type}}"' }];
  const problems: Problem[] = [];
  for (const match of argument.matchAll(placeholder)) {
    const path = (match[1] ?? match[2] ?? '').trim();
    const parsed = parsePath(path);
    if (!parsed.ok)
      problems.push({
        path: at,
        reason: `the path in "${match[0]}" does not read: ${parsed.reason}`,
        remedy: 'write it like {{user.id}}',
      });
  }
  return problems;
}

function compileTemplate(template: string): Expression {
  const texts: string[] = [];
  const values: Expression[] = [];
  let from = 0;
  for (const match of template.matchAll(placeholder)) {
    const parsed = parsePath((match[1] ?? match[2] ?? '').trim());
    if (!parsed.ok) continue;
    texts.push(template.slice(from, match.index));
    values.push(pathExpression(parsed.steps));
    from = match.index + match[0].length;
  }
  const tail = template.slice(from);
  if (values.length === 0) return constantExpression(tail);
  const quoted = texts.map((text) => JSON.stringify(text).slice(1, -1));
  const escaped = quoted.map((text, index) => fragment(index === 0 ? `"${text}` : text));
  const ending = fragment(JSON.stringify(tail).slice(1));
  return computed(
    (root, record, context) => {
      let text = '';
      for (let index = 0; index < values.length; index++)
        text += texts[index]! + textOf(values[index]!.evaluate(root, record, context));
      return text + tail;
    },
    unionFields(values),
    (root, record, context) => {
      for (let index = 0; index < values.length; index++) {
        writeFragment(escaped[index]!);
        writeEscaped(textOf(values[index]!.evaluate(root, record, context)));
      }
      writeFragment(ending);
      return true;
    },
  );
}
