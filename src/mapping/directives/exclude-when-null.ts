/** `@excludeWhenNull`: nulls left out. */
import { isObject, type Directive } from '../directive.ts';
import { computed } from '../expression.ts';
import { setMember } from '../object.ts';

export const excludeWhenNullDirective: Directive = {
  name: '@excludeWhenNull',
  summary: 'The value without nulls: null itself is absent, null members of objects are left out.',
  docs: 'The argument is any mapping. Members of members are looked at too; lists keep their nulls.',
  example: {
    mapping: { '@excludeWhenNull': '$.traits' },
    record: { traits: { name: 'Ann', phone: null, address: { city: null } } },
    result: { name: 'Ann', address: {} },
  },
  check: (argument, at, tools) => tools.mapping(argument, at),
  compile(argument, tools) {
    const value = tools.mapping(argument);
    return computed((root, record, context) => withoutNulls(value.evaluate(root, record, context)), value.fields);
  },
};

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (!isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const member = withoutNulls(value[name]);
    if (member !== undefined) setMember(kept, name, member);
  }
  return kept;
}
