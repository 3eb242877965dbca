/** `partition` and `default_partition`: a partition number, or its digits. */
import { isRawNumber } from '../../base/json.ts';
import type { JsonValue, Problem } from '../../model/index.ts';
import type { Evaluate, Expression } from '../expression.ts';
import { checkMapping, compileExpression } from '../mapping.ts';
import { Refusal, shown } from '../refusal.ts';

const LARGEST = 2 ** 31 - 1;

export function checkPartition(value: unknown, at: string): Problem[] {
  const problems = checkMapping(value, at);
  if (problems.length > 0) return problems;
  const { constant } = compileExpression(value as JsonValue);
  if (constant === null || constant.value === null || partitionOf(constant.value) !== undefined) return [];
  return [{ path: at, reason: `${shown(value)} is no partition number`, remedy: 'write an integer from 0 on' }];
}

/** Gives the number, or null when the mapping gives none; throws Refusal (`partition_invalid`). */
export function compilePartition(
  expression: Expression,
  field: 'partition' | 'default_partition',
): (...input: Parameters<Evaluate>) => number | null {
  if (expression.constant !== null) {
    const fixed = expression.constant.value === null ? null : (partitionOf(expression.constant.value) ?? null);
    return () => fixed;
  }
  const evaluate = expression.evaluate;
  return (root, record, context) => {
    const value = evaluate(root, record, context);
    if (value === undefined || value === null) return null;
    const partition = partitionOf(value);
    if (partition !== undefined) return partition;
    throw new Refusal('partition_invalid', field, `${field}: ${shown(value)} is no partition number`);
  };
}

/** undefined: not an integer from 0 to 2^31-1, nor the digits of one. */
function partitionOf(value: unknown): number | undefined {
  let number: number;
  if (typeof value === 'number') number = value;
  else if (typeof value === 'string' && /^\d{1,10}$/.test(value)) number = Number(value);
  else if (isRawNumber(value)) number = Number(value.rawJSON);
  else return undefined;
  return Number.isInteger(number) && number >= 0 && number <= LARGEST ? number + 0 : undefined;
}
