/** Printing a trigger back: parsing what is printed gives the same tree. */
import { isNumber, numberText } from './numbers.ts';
import type { Expression, Trigger } from './syntax.ts';
import type { JsonValue } from '../../model/index.ts';

/** The trigger in its plainest form: one space between words, double quotes, no needless parentheses. */
export function formatTrigger(trigger: Trigger): string {
  return formatExpression(trigger.condition);
}

export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'and':
      return expression.clauses.map((clause) => formatIn(clause, isJunction)).join(' and ');
    case 'or':
      return expression.clauses.map((clause) => formatIn(clause, (inner) => inner.kind === 'or')).join(' or ');
    case 'not':
      return `!${formatIn(expression.clause, (clause) => isJunction(clause) || clause.kind === 'compare')}`;
    case 'compare':
      return `${formatIn(expression.left, isCondition)} ${expression.operator} ${formatIn(expression.right, isCondition)}`;
    case 'call':
      return `${expression.name}(${expression.operands.map(formatExpression).join(', ')})`;
    case 'list':
      return `[${expression.items.map((item) => formatIn(item, isCondition)).join(', ')}]`;
    case 'path':
      return formatPath(expression.keys);
    case 'literal':
      return formatLiteral(expression.value);
  }
}

/** A path as a trigger writes it. */
export function formatPath(keys: readonly string[]): string {
  let text = '';
  for (const [index, key] of keys.entries()) {
    if (!printable.test(key)) text += `${index === 0 ? '$' : ''}[${formatString(key)}]`;
    else if (index > 0) text += `.${escapeKey(key)}`;
    else text += needsBackslash.test(key) ? `\\${key[0]}${escapeKey(key.slice(1))}` : escapeKey(key);
  }
  return text;
}

const printable = /^[ -~]+$/;
// A first key that would be read as something else.
const needsBackslash = /^(?:[0-9-]|(?:and|or|in|true|false|null)$)/;

function escapeKey(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_-]/g, '\\$&');
}

function formatIn(expression: Expression, needsParentheses: (expression: Expression) => boolean): string {
  const text = formatExpression(expression);
  return needsParentheses(expression) ? `(${text})` : text;
}

function isJunction(expression: Expression): boolean {
  return expression.kind === 'and' || expression.kind === 'or';
}

function isCondition(expression: Expression): boolean {
  return isJunction(expression) || expression.kind === 'not' || expression.kind === 'compare';
}

function formatLiteral(value: JsonValue): string {
  if (typeof value === 'string') return formatString(value);
  return isNumber(value) ? numberText(value) : JSON.stringify(value);
}

function formatString(text: string): string {
  const inner = text.replaceAll(/[\\"\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    if (character === '\\' || character === '"') return `\\${character}`;
    return namedEscapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${inner}"`;
}

const namedEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
