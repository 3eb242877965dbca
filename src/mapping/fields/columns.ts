/** `columns`: chosen columns under chosen names, also into nested objects. */
import { suggest } from '../../base/suggest.ts';
import type { ColumnConfig, Problem } from '../../model/index.ts';
import { isObject } from '../directive.ts';
import { checkMembers } from '../directives/members.ts';
import type { Expression } from '../expression.ts';
import { compileObject } from '../mapping.ts';
import { pathExpression } from '../path.ts';

type Member = readonly [name: string, value: Expression];

export function checkColumnList(value: unknown, at: string, added: readonly string[]): Problem[] {
  if (!Array.isArray(value) || value.length === 0)
    return [{ path: at, reason: 'a list of columns is expected here', remedy: 'write [{from: id, to: orderId}]' }];
  const problems: Problem[] = [];
  const targets: string[][] = [];
  for (const [index, column] of value.entries()) {
    const path = `${at}[${index}]`;
    const found = checkColumn(column, path);
    problems.push(...found);
    if (found.length > 0) continue;
    const target = targetSteps((column as ColumnConfig).to);
    problems.push(...checkTarget(target, targets, added, `${path}.to`));
    targets.push(target);
  }
  return problems;
}

/** The members of the payload in the order of their first mention, then the added ones. */
export function columnsExpression(columns: readonly ColumnConfig[], added: readonly Member[]): readonly Member[] {
  const tree: Tree = new Map();
  for (const { from, to } of columns) {
    const steps = targetSteps(to);
    let level = tree;
    for (const step of steps.slice(0, -1)) {
      let next = level.get(step);
      if (!(next instanceof Map)) level.set(step, (next = new Map()));
      level = next;
    }
    level.set(steps.at(-1)!, pathExpression([from]));
  }
  return [...members(tree), ...added];
}

type Tree = Map<string, Expression | Tree>;

function members(tree: Tree): Member[] {
  return [...tree].map(([name, node]) => [name, node instanceof Map ? compileObject(members(node)) : node] as const);
}

/** `address.city` is a member of a member; `\.` is a dot of the name. */
function targetSteps(target: string): string[] {
  return target.split(/(?<!\\)\./).map((step) => step.replaceAll('\\.', '.'));
}

function checkColumn(column: unknown, path: string): Problem[] {
  const problems = checkMembers(column, path, ['from', 'to']);
  if (!isObject(column)) return problems;
  for (const name of ['from', 'to']) {
    const value = column[name];
    if (typeof value !== 'string' || value === '')
      problems.push({
        path: `${path}.${name}`,
        reason: 'a name is expected here',
        remedy: 'write {from: id, to: orderId}',
      });
  }
  if (problems.length === 0 && targetSteps(column.to as string).includes(''))
    problems.push({
      path: `${path}.to`,
      reason: 'a step of the target is empty',
      remedy: 'write it like address.city',
    });
  return problems;
}

function checkTarget(target: string[], earlier: string[][], added: readonly string[], path: string): Problem[] {
  const shown = target.join('.');
  if (added.includes(target[0]!) && target.length >= 1)
    return [
      {
        path,
        reason: `the column "${target[0]}" has the name of an added field`,
        remedy: `choose another name, such as "source_${shown}", or leave the added fields out with meta_fields: false`,
      },
    ];
  for (const other of earlier) {
    const shared = Math.min(other.length, target.length);
    if (!other.slice(0, shared).every((step, index) => step === target[index])) continue;
    const same = other.length === target.length;
    return [
      {
        path,
        reason: same
          ? `the target "${shown}" is there twice`
          : `the target "${shown}" is in conflict with "${other.join('.')}"`,
        remedy: 'give every column a target of its own',
      },
    ];
  }
  return [];
}

/** Columns that are named in `columns` and not in the source. */
export function missingColumns(columns: readonly ColumnConfig[], present: readonly string[], at: string): Problem[] {
  return columns.flatMap(({ from }, index) => {
    if (present.includes(from)) return [];
    const near = suggest(from, present);
    return [
      {
        path: `${at}[${index}].from`,
        reason: `the source has no column "${from}"`,
        remedy: near === null ? `it has ${present.join(', ')}` : `did you mean "${near}"?`,
      },
    ];
  });
}
