/** The value of one column: chosen, trimmed, replaced, converted, and required. */
import { isoTime } from '../../base/clock.ts';
import { parseJson } from '../../base/json.ts';
import type { ColumnConfig, ColumnTarget, JsonValue } from '../../model/index.ts';
import { booleanOf, numberOf } from '../convert.ts';
import { computed, type Evaluate, type Expression } from '../expression.ts';
import { compileExpression } from '../mapping.ts';
import { pathExpression } from '../path.ts';
import { Refusal, shown } from '../refusal.ts';
import { hasContent, textOf } from '../text.ts';
import { readTime } from '../times.ts';
import { compileTrigger, parseTrigger, type Condition } from '../triggers/index.ts';
import { addFlaw } from './flaws.ts';

/** A column that `checkColumnList` passed. */
export function compileColumn(column: ColumnConfig): Expression {
  const chosen = chooseValue(column);
  const steps = stepsOf(column);
  if (steps.length === 0) return chosen;
  let evaluate = chosen.evaluate;
  for (const step of steps) {
    const before = evaluate;
    evaluate = (root, record, context) => step(before(root, record, context));
  }
  return computed(evaluate, chosen.fields);
}

type Step = (value: unknown) => unknown;

function stepsOf({ to, type, mandatory, trim, replace, leave_out_null: leaveOutNull }: ColumnConfig): Step[] {
  const steps: Step[] = [];
  if (trim) steps.push((value) => (typeof value === 'string' ? value.trim() : value));
  for (const { find, with: replacement } of replace ?? [])
    steps.push((value) => (typeof value === 'string' ? value.replaceAll(find, () => replacement) : value));
  if (type !== undefined) steps.push(conversion(to, type));
  if (mandatory) steps.push((value) => (hasContent(value) ? value : missing(to, value, mandatory === 'mark')));
  if (leaveOutNull) steps.push((value) => value ?? undefined);
  return steps;
}

function chooseValue(column: ColumnConfig): Expression {
  const plain = column.from === undefined ? compileExpression(column.value ?? null) : pathExpression([column.from]);
  if (column.when === undefined) return plain;
  const cases = column.when.map(({ if: condition, then }) => ({
    passes: compiled(condition),
    value: compileExpression(then),
  }));
  const otherwise = column.else === undefined ? plain : compileExpression(column.else);
  const choose: Evaluate = (root, record, context) => {
    for (const { passes, value } of cases) if (passes(root as JsonValue)) return value.evaluate(root, record, context);
    return otherwise.evaluate(root, record, context);
  };
  return computed(choose, null);
}

function compiled(condition: string): Condition {
  const parsed = parseTrigger(condition);
  return parsed.ok ? compileTrigger(parsed.trigger) : () => false;
}

const converters: { readonly [type in ColumnTarget]: (value: unknown) => unknown } = {
  text: textOf,
  number: numberOf,
  bool: booleanOf,
  date(value) {
    const epochMs = readTime(value);
    return Number.isNaN(epochMs) ? undefined : isoTime(epochMs);
  },
  json(value) {
    if (typeof value !== 'string') return value;
    try {
      return parseJson(value);
    } catch {
      return undefined;
    }
  },
};

/** Null and absent stay what they are; empty text is null for every type but text. */
function conversion(to: string, type: ColumnTarget): Step {
  const convert = converters[type];
  return (value) => {
    if (value === undefined || value === null) return value;
    if (type !== 'text' && typeof value === 'string' && value.trim() === '') return null;
    const converted = convert(value);
    if (converted !== undefined) return converted;
    throw new Refusal('row_invalid', `columns.${to}`, `columns.${to}: ${shown(value)} does not fit the type ${type}`);
  };
}

function missing(to: string, value: unknown, onlyMarks: boolean): unknown {
  const text = `columns.${to}: the column is mandatory and has no value`;
  if (!onlyMarks) throw new Refusal('row_invalid', `columns.${to}`, text);
  addFlaw(text);
  return value;
}
