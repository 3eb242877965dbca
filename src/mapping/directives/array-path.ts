/** `@arrayPath`: a list of the record, each item in a shape of its own. */
import { isRawNumber } from '../../base/json.ts';
import { writeByte, writeJson } from '../../base/json-writer.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools, type Directive } from '../directive.ts';
import { computed, type Evaluate, type Expression } from '../expression.ts';

export const arrayPathDirective: Directive = {
  name: '@arrayPath',
  summary: 'A list of the record, with each item mapped to a shape.',
  docs: [
    '`[path, shape]`: the path, or a directive that gives the list, then a mapping in which `$.` is the item. Without a shape the value',
    'is given as it is; a single object counts as a list of one; text, numbers, booleans and null stay as they are.',
  ].join('\n'),
  example: {
    mapping: { '@arrayPath': ['$.products', { sku: '$.id' }] },
    record: { products: [{ id: 'a', price: 1 }, { id: 'b' }] },
    result: [{ sku: 'a' }, { sku: 'b' }],
  },
  check(argument: unknown, at: string, tools: CheckTools): Problem[] {
    if (!Array.isArray(argument) || argument.length < 1 || argument.length > 2)
      return [
        { path: at, reason: 'a list of a path and a shape is expected here', remedy: 'write [$.items, {id: $.id}]' },
      ];
    const problems = tools.mapping(sourceOf(argument[0] as JsonValue), `${at}[0]`);
    return argument.length === 1 ? problems : [...problems, ...tools.mapping(argument[1], `${at}[1]`)];
  },
  compile(argument: JsonValue, tools: CompileTools): Expression {
    const [path, shape] = argument as [JsonValue, JsonValue?];
    const source = tools.mapping(sourceOf(path));
    if (!isObject(shape) || Object.keys(shape).length === 0) return source;
    const item = tools.mapping(shape);
    const evaluate: Evaluate = (root, record, context) => {
      const found = source.evaluate(root, record, context);
      if (typeof found !== 'object' || found === null || isRawNumber(found)) return found;
      const items: readonly unknown[] = Array.isArray(found) ? found : [found];
      return items.map((one) => item.evaluate(one, record, context) ?? null);
    };
    return computed(evaluate, source.fields, (root, record, context) => {
      const found = source.evaluate(root, record, context);
      const isList = Array.isArray(found);
      if (!isList && !isObject(found)) return writeJson(found);
      const items: readonly unknown[] = isList ? found : [found];
      writeByte(0x5b);
      for (let index = 0; index < items.length; index++) {
        if (index > 0) writeByte(0x2c);
        if (!item.write(items[index], record, context)) writeJson(null);
      }
      writeByte(0x5d);
      return true;
    });
  },
};

/** Text is a path here, with or without `$.`. */
function sourceOf(path: JsonValue): JsonValue {
  return typeof path === 'string' ? { '@path': path } : path;
}
