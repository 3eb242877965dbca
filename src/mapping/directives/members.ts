/** What directives with named arguments share. */
import { suggest } from '../../base/suggest.ts';
import type { Problem } from '../../model/index.ts';
import { isObject } from '../directive.ts';
import { constantExpression, type Expression } from '../expression.ts';

/** An argument that was left out. */
export const nothing: Expression = constantExpression(undefined);

/** The argument must be an object and may hold these members only. */
export function checkMembers(argument: unknown, at: string, allowed: readonly string[]): Problem[] {
  if (!isObject(argument))
    return [{ path: at, reason: 'an object is expected here', remedy: `write {${allowed.join(', ')}}` }];
  const problems: Problem[] = [];
  for (const name of Object.keys(argument)) {
    if (allowed.includes(name)) continue;
    const near = suggest(name, allowed);
    problems.push({
      path: `${at}.${name}`,
      reason: `there is no argument "${name}" here`,
      remedy: near === null ? `use ${allowed.join(', ')}` : `did you mean "${near}"?`,
    });
  }
  return problems;
}
