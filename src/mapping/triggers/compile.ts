/** From the tree to closures: what is known at save is decided at save. */
import type { JsonValue } from '../../model/index.ts';
import { pathExpression } from '../path.ts';
import { textTests, unaryFunctions } from './functions.ts';
import { compareNumbers, exactNumber, isNumber, numberText } from './numbers.ts';
import type { Call, Comparison, Expression, Junction, Trigger } from './syntax.ts';
import { strictlyEqual } from './values.ts';

export type Condition = (data: JsonValue) => boolean;
export type Value = (data: JsonValue) => JsonValue;

/**
 * The trigger as a function of a record's data. It never throws and is deterministic; whatever cannot be decided
 * (a wrong type, an absent field) does not pass.
 */
export function compileTrigger(trigger: Trigger): Condition {
  const condition = compileCondition(trigger.condition);
  return (data) => {
    try {
      return condition(data);
    } catch {
      // Fail closed: only the engine's own limits come here, such as the longest text there can be.
      return false;
    }
  };
}

/** True only where the expression is true; null and every other value are not. */
export function compileCondition(expression: Expression): Condition {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return compileJunction(expression);
    case 'not': {
      const clause = compileCondition(expression.clause);
      return (data) => !clause(data);
    }
    case 'compare':
      return compileComparison(expression);
    case 'call':
    case 'path':
    case 'literal':
    case 'list': {
      const value = compileValue(expression);
      return (data) => value(data) === true;
    }
  }
}

/** The value of an operand; null where there is none. */
export function compileValue(expression: Expression): Value {
  switch (expression.kind) {
    case 'path':
      return compilePath(expression.keys);
    case 'literal': {
      const { value } = expression;
      return () => value;
    }
    case 'list': {
      const items = expression.items.map(compileValue);
      return (data) => items.map((item) => item(data));
    }
    case 'call': {
      if (expression.name === 'contains' || expression.name === 'match')
        return compileTextTest(expression.name, expression);
      const apply = unaryFunctions[expression.name];
      const operand = compileValue(expression.operands[0]!);
      return (data) => apply(operand(data));
    }
    case 'and':
    case 'or':
    case 'not':
    case 'compare':
      return compileCondition(expression);
  }
}

function compilePath(keys: readonly string[]): Value {
  // A path reads the root alone; record and context are there for other expressions.
  const look = pathExpression(keys).evaluate as (root: unknown) => unknown;
  return (data) => (look(data) ?? null) as JsonValue;
}

function compileJunction({ kind, clauses }: Junction): Condition {
  const [first, second, third, ...rest] = clauses.map(compileCondition);
  if (first === undefined || second === undefined) return () => false;
  const all = kind === 'and';
  if (third === undefined) return all ? (data) => first(data) && second(data) : (data) => first(data) || second(data);
  if (rest.length === 0)
    return all
      ? (data) => first(data) && second(data) && third(data)
      : (data) => first(data) || second(data) || third(data);
  const conditions = [first, second, third, ...rest];
  return (data) => {
    for (const condition of conditions) if (condition(data) !== all) return !all;
    return all;
  };
}

function compileComparison({ operator, left, right }: Comparison): Condition {
  if (operator === '=' || operator === '!=') return compileEquality(operator === '=', left, right);
  if (operator === 'in') return compileMembership(left, right);
  const a = compileValue(left);
  const b = compileValue(right);
  const limit = right.kind === 'literal' ? right.value : null;
  if (typeof limit === 'number') {
    const compare = orders[operator];
    return (data) => {
      const value = a(data);
      if (typeof value === 'number') return compare.doubles(value, limit);
      return isNumber(value) && compare.sign(compareNumbers(value, limit));
    };
  }
  const { sign } = orders[operator];
  return (data) => {
    const value = a(data);
    const other = b(data);
    return isNumber(value) && isNumber(other) && sign(compareNumbers(value, other));
  };
}

const orders = {
  '>': { doubles: (a: number, b: number) => a > b, sign: (sign: number) => sign > 0 },
  '>=': { doubles: (a: number, b: number) => a >= b, sign: (sign: number) => sign >= 0 },
  '<': { doubles: (a: number, b: number) => a < b, sign: (sign: number) => sign < 0 },
  '<=': { doubles: (a: number, b: number) => a <= b, sign: (sign: number) => sign <= 0 },
};

function compileEquality(wanted: boolean, left: Expression, right: Expression): Condition {
  if (left.kind === 'literal' && right.kind !== 'literal') return compileEquality(wanted, right, left);
  const a = compileValue(left);
  if (right.kind === 'literal' && !isNumber(right.value)) {
    // The usual case, a path and a text, boolean or null: one comparison by identity.
    const constant = right.value;
    return wanted ? (data) => a(data) === constant : (data) => a(data) !== constant;
  }
  const b = compileValue(right);
  return (data) => strictlyEqual(a(data), b(data)) === wanted;
}

/** Whether the left value, which may not be a list or object, equals an element of the list on the right. */
function compileMembership(left: Expression, right: Expression): Condition {
  const a = compileValue(left);
  if (right.kind === 'list' && right.items.every((item) => item.kind === 'literal')) {
    const values = right.items.map((item) => item.value);
    const simple = new Set<JsonValue>(values.filter((value) => typeof value !== 'object' || value === null));
    // Numbers too long for a double; a record's number kept as digits may still be one of the simple ones.
    const long = values.filter((value) => isNumber(value)).filter((value) => typeof value !== 'number');
    return (data) => {
      const value = a(data);
      if (typeof value !== 'object' || value === null) return simple.has(value);
      if (!isNumber(value)) return false;
      return simple.has(exactNumber(numberText(value))) || long.some((number) => compareNumbers(value, number) === 0);
    };
  }
  const b = compileValue(right);
  return (data) => {
    const value = a(data);
    const list = b(data);
    if (!Array.isArray(list) || (typeof value === 'object' && value !== null && !isNumber(value))) return false;
    return list.some((item) => strictlyEqual(value, item));
  };
}

function compileTextTest(name: 'contains' | 'match', call: Call): Condition {
  const text = compileValue(call.operands[0]!);
  const operand = call.operands[1]!;
  const build = textTests[name];
  if (operand.kind === 'literal') {
    const test = build(operand.value);
    return (data) => test(text(data));
  }
  const other = compileValue(operand);
  let known: JsonValue = null;
  let test = build(known);
  return (data) => {
    const wanted = other(data);
    if (wanted !== known) {
      test = build(wanted);
      known = wanted;
    }
    return test(text(data));
  };
}
