/** `@coalesce`: the first value with content. */
import type { JsonValue, Problem } from '../../model/index.ts';
import type { CheckTools, CompileTools, Directive } from '../directive.ts';
import { computed, unionFields, type Expression } from '../expression.ts';
import { hasContent } from '../text.ts';

export const coalesceDirective: Directive = {
  name: '@coalesce',
  summary: 'The first value that is neither absent, null nor empty text.',
  docs: 'The argument is a list of at least one value. When none has content the result is absent.',
  example: {
    mapping: { '@coalesce': ['$.userId', '$.anonymousId'] },
    record: { userId: '', anonymousId: 'a1' },
    result: 'a1',
  },
  check(argument: unknown, at: string, tools: CheckTools): Problem[] {
    if (!Array.isArray(argument) || argument.length === 0)
      return [{ path: at, reason: 'a list of values is expected here', remedy: 'write [$.userId, $.anonymousId]' }];
    return argument.flatMap((item, index) => tools.mapping(item, `${at}[${index}]`));
  },
  compile(argument: JsonValue, tools: CompileTools): Expression {
    const choices = (argument as JsonValue[]).map((item) => tools.mapping(item));
    return computed((root, record, context) => {
      for (const choice of choices) {
        const value = choice.evaluate(root, record, context);
        if (hasContent(value)) return value;
      }
      return undefined;
    }, unionFields(choices));
  },
};
