/** Why a record passes a trigger or does not: every clause with its values, and which of them decided. */
import type { JsonValue } from '../../model/index.ts';
import { lookUp } from '../path.ts';
import { compileTrigger, compileValue } from './compile.ts';
import { compilePlaces, type LineAndColumn } from './errors.ts';
import { partsOf, type Comparison, type Expression, type Trigger } from './syntax.ts';
import { typeOf } from './values.ts';

export interface Explanation {
  readonly passed: boolean;
  /** The clauses that settled it, in the order of the text: the first false one of an `and`, else all of them. */
  readonly decided: readonly string[];
  readonly clause: ExplainedClause;
}

export interface ExplainedClause {
  /** The clause as it was written. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
  readonly passed: boolean;
  readonly decided: boolean;
  /** `clause` is one that has no others inside. */
  readonly kind: 'and' | 'or' | 'not' | 'clause';
  /** What the paths and functions of a clause gave. */
  readonly values: readonly ExplainedValue[];
  /** Why the clause could not be true whatever the values are compared with, e.g. a wrong type. */
  readonly note?: string;
  readonly clauses: readonly ExplainedClause[];
}

export interface ExplainedValue {
  readonly text: string;
  readonly value: JsonValue;
  /** The record has no such field; it counts as null. */
  readonly absent: boolean;
}

/** Explains one answer of the compiled trigger; `passed` is that answer. Never throws. */
export function explainTrigger(trigger: Trigger, data: JsonValue): Explanation {
  const clause = explainClause({ ...trigger, placeOf: compilePlaces(trigger.text) }, trigger.condition, data, true);
  return { passed: clause.passed, decided: decidedLeaves(clause), clause };
}

/** The explanation for a terminal: one clause a line, values beside it. */
export function explanationText(explanation: Explanation): string {
  const head = explanation.passed ? 'The record passes.' : 'The record does not pass.';
  const rows: [string, string][] = [];
  addRows(explanation.clause, 0, rows);
  const width = Math.min(60, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.map(([left, right]) => (right === '' ? left : `${left.padEnd(width)}  ${right}`));
  return [head, '', ...lines].join('\n');
}

interface PlacedTrigger extends Trigger {
  readonly placeOf: (offset: number) => LineAndColumn;
}

function explainClause(
  trigger: PlacedTrigger,
  expression: Expression,
  data: JsonValue,
  decides: boolean,
): ExplainedClause {
  const passed = passes(trigger, expression, data);
  const { start, end } = expression;
  const common = { text: trigger.text.slice(start, end), ...trigger.placeOf(start), passed, decided: decides };
  if (expression.kind === 'not') {
    const clauses = [explainClause(trigger, expression.clause, data, decides)];
    return { ...common, kind: 'not', values: [], clauses };
  }
  if (expression.kind !== 'and' && expression.kind !== 'or') {
    const note = noteOf(trigger, expression, data);
    return {
      ...common,
      kind: 'clause',
      values: valuesOf(trigger, expression, data),
      ...(note && { note }),
      clauses: [],
    };
  }
  // An `and` that fails is decided by its first false clause, an `or` that passes by its first true one;
  // otherwise all of them had to be so.
  const decisive = passed === (expression.kind === 'or');
  let found = false;
  const clauses = expression.clauses.map((clause) => {
    const isDecisive = !found && passes(trigger, clause, data) === passed;
    found ||= decisive && isDecisive;
    return explainClause(trigger, clause, data, decides && (isDecisive || !decisive));
  });
  return { ...common, kind: expression.kind, values: [], clauses };
}

function passes(trigger: Trigger, condition: Expression, data: JsonValue): boolean {
  return compileTrigger({ text: trigger.text, condition })(data);
}

function decidedLeaves(clause: ExplainedClause): string[] {
  if (!clause.decided) return [];
  return clause.kind === 'clause' ? [clause.text] : clause.clauses.flatMap(decidedLeaves);
}

/** The paths and functions inside a clause, outermost first; the clause itself when it is a path. */
function valuesOf(trigger: Trigger, expression: Expression, data: JsonValue): ExplainedValue[] {
  const parts = expression.kind === 'path' ? [expression] : partsOf(expression);
  return parts.flatMap((operand) => {
    if (operand.kind === 'literal' || operand.kind === 'list') return valuesOf(trigger, operand, data);
    const text = trigger.text.slice(operand.start, operand.end);
    const absent = operand.kind === 'path' && lookUp(data, operand.keys) === undefined;
    const inner = operand.kind === 'path' ? [] : valuesOf(trigger, operand, data);
    return [{ text, value: valueOf(operand, data), absent }, ...inner];
  });
}

function valueOf(expression: Expression, data: JsonValue): JsonValue {
  try {
    return compileValue(expression)(data);
  } catch {
    return null;
  }
}

function noteOf(trigger: Trigger, expression: Expression, data: JsonValue): string | undefined {
  const name = (part: Expression): string => trigger.text.slice(part.start, part.end);
  const wrong = (part: Expression, wanted: string, why: string): string | undefined => {
    const type = typeOf(valueOf(part, data));
    return type === wanted ? undefined : `${why}, ${name(part)} is ${withArticle[type]}`;
  };
  if (expression.kind === 'path') return wrong(expression, 'bool', 'a condition is true or false');
  if (expression.kind === 'compare') return comparisonNote(expression, wrong);
  if (expression.kind !== 'call') return undefined;
  if (expression.name !== 'contains' && expression.name !== 'match') return undefined;
  const [text, part] = expression.operands;
  const why = `${expression.name} looks at text`;
  return wrong(text!, 'string', why) ?? wrong(part!, 'string', why);
}

function comparisonNote(
  { operator, left, right }: Comparison,
  wrong: (part: Expression, wanted: string, why: string) => string | undefined,
): string | undefined {
  if (operator === '=' || operator === '!=') return undefined;
  if (operator === 'in') return wrong(right, 'list', '`in` looks into a list');
  const why = `\`${operator}\` compares numbers`;
  return wrong(left, 'number', why) ?? wrong(right, 'number', why);
}

const withArticle = {
  string: 'a text',
  number: 'a number',
  list: 'a list',
  bool: 'true or false',
  null: 'null or absent',
  object: 'an object',
} as const;

function addRows(clause: ExplainedClause, depth: number, rows: [string, string][]): void {
  const answer = clause.passed ? 'true ' : 'false';
  const name = clause.kind === 'clause' ? oneLine(clause.text) : clause.kind;
  const values = clause.values.map(
    ({ text, value, absent }) => `${oneLine(text)} is ${absent ? 'absent' : short(value)}`,
  );
  const notes = clause.note === undefined ? [] : [clause.note];
  const decided = clause.decided && clause.kind === 'clause' ? ['<- decided'] : [];
  rows.push([
    `${'  '.repeat(depth)}${answer}  ${name}`,
    [[...values, ...notes].join('; '), ...decided].join('  ').trim(),
  ]);
  for (const inner of clause.clauses) addRows(inner, depth + 1, rows);
}

function short(value: JsonValue): string {
  try {
    return oneLine(JSON.stringify(value));
  } catch {
    return 'nested too deep to be shown';
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
