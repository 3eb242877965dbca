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
      const value = compileLook(expression);
      return (data) => value(data) === true;
    }
  }
}

/** The value of an operand; null where there is none. */
export function compileValue(expression: Expression): Value {
  switch (expression.kind) {
    case 'path': {
      const look = compileLook(expression);
      return (data) => (look(data) ?? null) as JsonValue;
    }
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

/** As `compileValue`, but what is absent may be undefined: one call less for the usual comparison. */
function compileLook(expression: Expression): (data: JsonValue) => unknown {
  if (expression.kind !== 'path') return compileValue(expression);
  // A path reads the root alone; record and context are there for other expressions.
  return pathExpression(expression.keys).evaluate as (data: JsonValue) => unknown;
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
  // `a < b` is `b > a`.
  if (operator === '<' || operator === '<=') return compileOrder(operator === '<=', right, left);
  return compileOrder(operator === '>=', left, right);
}

/** Whether the first is greater than the second, or equal where that counts too. */
function compileOrder(orEqual: boolean, greater: Expression, lesser: Expression): Condition {
  const a = compileLook(greater);
  const b = compileLook(lesser);
  return (data) => {
    const left = a(data);
    const right = b(data);
    if (typeof left === 'number' && typeof right === 'number') return left > right || (orEqual && left === right);
    if (!isNumber(left) || !isNumber(right)) return false;
    const sign = compareNumbers(left, right);
    return sign > 0 || (orEqual && sign === 0);
  };
}

function compileEquality(wanted: boolean, left: Expression, right: Expression): Condition {
  if (left.kind === 'literal' && right.kind !== 'literal') return compileEquality(wanted, right, left);
  if (right.kind === 'literal' && !isNumber(right.value)) {
    // The usual case, a path and a text, boolean or null: one comparison by identity.
    const look = compileLook(left);
    const constant = right.value;
    if (constant === null) return (data) => (look(data) == null) === wanted;
    return wanted ? (data) => look(data) === constant : (data) => look(data) !== constant;
  }
  const a = compileValue(left);
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
  const text = compileLook(call.operands[0]!);
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
