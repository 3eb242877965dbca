/** `@number`, `@string`, `@boolean`: a value as another type. */
import type { JsonValue, Problem } from '../../model/index.ts';
import { booleanOf, numberOf } from '../convert.ts';
import { isObject, type CheckTools, type CompileTools, type Directive, type DirectiveExample } from '../directive.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { textOf } from '../text.ts';
import { checkArguments, part, unreadable } from './members.ts';

export const numberDirective: Directive = conversion({
  name: '@number',
  type: 'number',
  expected: 'a number',
  docs: 'Text that is a number keeps its digits (spaces around it, a leading `+` and leading zeros are dropped); true is 1, false 0.',
  example: { mapping: { '@number': '$.price' }, record: { price: ' 12.5 ' }, result: 12.5 },
  convert: numberOf,
});

export const booleanDirective: Directive = conversion({
  name: '@boolean',
  type: 'boolean',
  expected: 'true or false',
  docs: 'Text in any case: true, t, yes, y, on, 1 and false, f, no, n, off, 0; the numbers 1 and 0.',
  example: { mapping: { '@boolean': '$.subscribed' }, record: { subscribed: 'Yes' }, result: true },
  convert: booleanOf,
});

export const stringDirective: Directive = conversion({
  name: '@string',
  type: 'text',
  expected: 'text',
  docs: 'Numbers give their digits, booleans true or false, objects and lists their JSON.',
  example: { mapping: { '@string': '$.id' }, record: { id: 17 }, result: '17' },
  convert: textOf,
});

interface Conversion {
  readonly name: string;
  readonly type: string;
  readonly expected: string;
  readonly docs: string;
  readonly example: DirectiveExample;
  /** undefined: the value cannot be read as that type. */
  readonly convert: (value: unknown) => unknown;
}

function conversion({ name, type, expected, docs, example, convert }: Conversion): Directive {
  return {
    name,
    summary: `The value as ${type === 'text' ? 'text' : `a ${type}`}.`,
    docs: [
      'The argument is a mapping, or `{value, else}`. Absent stays absent and null stays null.',
      docs,
      'A value that does not convert gives `else`; without one the record is rejected.',
    ].join('\n'),
    example,
    check(argument: unknown, at: string, tools: CheckTools): Problem[] {
      if (!isLong(argument)) return tools.mapping(argument, at);
      return checkArguments(
        argument,
        at,
        { value: { kind: 'mapping', required: true }, else: { kind: 'mapping' } },
        tools,
      );
    },
    compile(argument: JsonValue, tools: CompileTools): Expression {
      const long = isLong(argument);
      const value = long ? part(argument, 'value', tools) : tools.mapping(argument);
      const otherwise = long && Object.hasOwn(argument, 'else') ? part(argument, 'else', tools) : null;
      const parts = otherwise === null ? [value] : [value, otherwise];
      return computed((root, record, context) => {
        const given = value.evaluate(root, record, context);
        if (given === undefined || given === null) return given;
        const converted = convert(given);
        if (converted !== undefined) return converted;
        if (otherwise === null) throw unreadable(name, given, expected);
        return otherwise.evaluate(root, record, context);
      }, unionFields(parts));
    },
  };
}

/** An object without any directive's name is the long form: there is no other use for one here. */
function isLong(argument: unknown): argument is { [key: string]: JsonValue } {
  return isObject(argument) && !Object.keys(argument).some((name) => name.startsWith('@'));
}
