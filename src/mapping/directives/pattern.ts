/** `@pattern`: a topic pattern as Airbyte has it. */
import { suggest } from '../../base/suggest.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import type { Directive } from '../directive.ts';
import { computed, constantExpression, type Expression } from '../expression.ts';

const names = ['namespace', 'stream'];
const placeholder = /\{([^{}]*)\}/g;

export const patternDirective: Directive = {
  name: '@pattern',
  summary: 'A pattern in which `{namespace}` and `{stream}` stand for those of the record.',
  docs: [
    'The argument is text. Names are put in exactly as they are: dots and hyphens stay. A record without a namespace has none, and a',
    'dot, hyphen or underscore right after `{namespace}` goes with it.',
  ].join('\n'),
  example: { mapping: { '@pattern': 'raw.{stream}' }, record: {}, result: 'raw.orders.csv' },
  check(argument: unknown, at: string): Problem[] {
    if (typeof argument !== 'string')
      return [{ path: at, reason: 'a pattern must be text', remedy: 'write it like "{namespace}.{stream}"' }];
    return [...argument.matchAll(placeholder)].flatMap(([whole, name = '']) => {
      if (names.includes(name)) return [];
      const near = suggest(name, names);
      const remedy = near === null ? 'use {namespace} and {stream}' : `did you mean "{${near}}"?`;
      return [{ path: at, reason: `a pattern knows no ${whole}`, remedy }];
    });
  },
  compile(argument: JsonValue): Expression {
    const pieces = (argument as string).split(/(\{namespace\}[._-]?|\{stream\})/);
    if (pieces.length === 1) return constantExpression(argument);
    return computed((_root, record) => {
      let text = '';
      for (const piece of pieces) {
        if (piece === '{stream}') text += record.stream;
        else if (!piece.startsWith('{namespace}')) text += piece;
        else if (record.namespace !== null && record.namespace !== '') text += record.namespace + piece.slice(11);
      }
      return text;
    }, []);
  },
};
