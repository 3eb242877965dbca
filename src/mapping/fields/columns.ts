/** `columns`: chosen columns under chosen names, also into nested objects, converted on the way. */
import type { ColumnConfig } from '../../model/index.ts';
import type { Expression, Member } from '../expression.ts';
import { compileObject } from '../mapping.ts';
import { compileColumn } from './column-value.ts';

/** The members of the payload in the order of their first mention, then the added ones. */
export function columnsExpression(columns: readonly ColumnConfig[], added: readonly Member[]): readonly Member[] {
  const tree: Tree = new Map();
  for (const column of columns) {
    const steps = targetSteps(column.to);
    let level = tree;
    for (const step of steps.slice(0, -1)) {
      let next = level.get(step);
      if (!(next instanceof Map)) level.set(step, (next = new Map()));
      level = next;
    }
    level.set(steps.at(-1)!, compileColumn(column));
  }
  return [...members(tree), ...added];
}

/** `address.city` is a member of a member; `\.` is a dot of the name. */
export function targetSteps(target: string): string[] {
  return target.split(/(?<!\\)\./).map((step) => step.replaceAll('\\.', '.'));
}

type Tree = Map<string, Expression | Tree>;

function members(tree: Tree): Member[] {
  return [...tree].map(([name, node]) => [name, node instanceof Map ? compileObject(members(node)) : node] as const);
}
