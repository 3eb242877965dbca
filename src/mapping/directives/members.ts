/** What directives with named arguments share: their check by a small table, and parts that may be left out. */
import { suggest } from '../../base/suggest.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import { isObject, type CheckTools, type CompileTools } from '../directive.ts';
import { constantExpression, type Expression } from '../expression.ts';
import { Refusal, shown } from '../refusal.ts';

/** What one named argument may be. */
export type ArgumentSpec =
  | { readonly kind: 'mapping'; readonly required?: boolean }
  | { readonly kind: 'boolean'; readonly required?: boolean }
  | { readonly kind: 'text'; readonly required?: boolean; readonly shortest?: number; readonly longest?: number }
  | { readonly kind: 'choice'; readonly required?: boolean; readonly choices: readonly string[] };

/** Checks an object of named arguments: no unknown one, none missing, each of its kind. */
export function checkArguments(
  argument: unknown,
  at: string,
  specs: { readonly [name: string]: ArgumentSpec },
  tools: CheckTools,
): Problem[] {
  const problems = checkMembers(argument, at, Object.keys(specs));
  if (!isObject(argument)) return problems;
  for (const [name, spec] of Object.entries(specs)) {
    if (Object.hasOwn(argument, name)) problems.push(...checkArgument(argument[name], `${at}.${name}`, spec, tools));
    else if (spec.required) problems.push({ path: at, reason: `"${name}" is missing`, remedy: `add ${name}` });
  }
  return problems;
}

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

/** An argument that was left out. */
export const nothing: Expression = constantExpression(undefined);

/** The compiled mapping of a named argument; absent when it was left out. */
export function part(argument: JsonValue, name: string, tools: CompileTools): Expression {
  const members = argument as { [key: string]: JsonValue };
  return Object.hasOwn(members, name) ? tools.mapping(members[name]!) : nothing;
}

/** The plain value of a named argument that is no mapping. */
export function plain<T extends JsonValue>(argument: JsonValue, name: string, otherwise: T): T {
  const members = argument as { [key: string]: JsonValue };
  return Object.hasOwn(members, name) ? (members[name] as T) : otherwise;
}

/** A value of the record that a directive cannot read: the record is rejected, with the field in which it happened. */
export function unreadable(directive: string, value: unknown, expected: string): Refusal {
  return new Refusal('mapping_failed', '', `${directive}: ${shown(value)} is not ${expected}`);
}

function checkArgument(value: unknown, at: string, spec: ArgumentSpec, tools: CheckTools): Problem[] {
  if (spec.kind === 'mapping') return tools.mapping(value, at);
  if (spec.kind === 'boolean')
    return typeof value === 'boolean'
      ? []
      : [{ path: at, reason: 'true or false is expected here', remedy: 'write true or false' }];
  if (spec.kind === 'choice') {
    if (typeof value === 'string' && spec.choices.includes(value)) return [];
    const near = typeof value === 'string' ? suggest(value, spec.choices) : null;
    const remedy = near === null ? `write one of ${spec.choices.join(', ')}` : `did you mean "${near}"?`;
    return [{ path: at, reason: `${shown(value)} is not one of ${spec.choices.join(', ')}`, remedy }];
  }
  const { shortest = 0, longest = 10_000 } = spec;
  if (typeof value === 'string' && value.length >= shortest && value.length <= longest) return [];
  return [
    {
      path: at,
      reason: `text of ${shortest} to ${longest} characters is expected here`,
      remedy: 'write it as plain text',
    },
  ];
}
