/** Checks of `columns`: each alone, and their targets together. */
import { suggest } from '../../base/suggest.ts';
import type { ColumnConfig, Problem } from '../../model/index.ts';
import { isObject } from '../directive.ts';
import { checkMembers } from '../directives/members.ts';
import { checkMapping } from '../mapping.ts';
import { shown } from '../refusal.ts';
import { parseTrigger, triggerProblem } from '../triggers/index.ts';
import { targetSteps } from './columns.ts';

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

/** Columns that are named in `columns` and not in the source. */
export function missingColumns(columns: readonly ColumnConfig[], present: readonly string[], at: string): Problem[] {
  return columns.flatMap(({ from }, index) => {
    if (from === undefined || present.includes(from)) return [];
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

const types = ['text', 'number', 'bool', 'date', 'json'];

type PartCheck = (value: unknown, at: string) => Problem[];

const parts: { readonly [name: string]: PartCheck } = {
  from: checkName,
  value: checkMapping,
  to: checkName,
  type(value, at) {
    if (typeof value === 'string' && types.includes(value)) return [];
    return [{ path: at, reason: `${shown(value)} is no type`, remedy: `write one of ${types.join(', ')}` }];
  },
  mandatory(value, at) {
    if (typeof value === 'boolean' || value === 'reject' || value === 'mark') return [];
    return [{ path: at, reason: `${shown(value)} is not expected here`, remedy: 'write true, reject or mark' }];
  },
  trim: checkFlag,
  replace: checkReplacements,
  when: checkCases,
  else: checkMapping,
  leave_out_null: checkFlag,
};

function checkColumn(column: unknown, path: string): Problem[] {
  const problems = checkMembers(column, path, Object.keys(parts));
  if (!isObject(column)) return problems;
  for (const [name, check] of Object.entries(parts))
    if (Object.hasOwn(column, name) && column[name] !== undefined)
      problems.push(...check(column[name], `${path}.${name}`));
  const { from, to, value, when, else: otherwise } = column;
  if (to === undefined)
    problems.push({ path: `${path}.to`, reason: 'a name is expected here', remedy: 'write {from: id, to: orderId}' });
  else if (typeof to === 'string' && to !== '' && targetSteps(to).includes(''))
    problems.push({
      path: `${path}.to`,
      reason: 'a step of the target is empty',
      remedy: 'write it like address.city',
    });
  if (from !== undefined && value !== undefined)
    problems.push({
      path: `${path}.value`,
      reason: 'the value comes from `from` or `value`, not from both',
      remedy: 'keep one',
    });
  if (from === undefined && value === undefined && when === undefined)
    problems.push({ path: `${path}.from`, reason: 'the column has no value', remedy: 'add from, value or when' });
  if (otherwise !== undefined && when === undefined)
    problems.push({
      path: `${path}.else`,
      reason: 'else says nothing without when',
      remedy: 'add when, or write value',
    });
  return problems;
}

function checkName(value: unknown, at: string): Problem[] {
  if (typeof value === 'string' && value !== '') return [];
  return [{ path: at, reason: 'a name is expected here', remedy: 'write {from: id, to: orderId}' }];
}

function checkFlag(value: unknown, at: string): Problem[] {
  return typeof value === 'boolean'
    ? []
    : [{ path: at, reason: 'true or false is expected here', remedy: 'write true or false' }];
}

function checkReplacements(value: unknown, at: string): Problem[] {
  const remedy = 'write [{find: "-", with: ""}]';
  if (!Array.isArray(value)) return [{ path: at, reason: 'a list of replacements is expected here', remedy }];
  return value.flatMap((item: unknown, index) => {
    const path = `${at}[${index}]`;
    const problems = checkMembers(item, path, ['find', 'with']);
    if (!isObject(item)) return problems;
    if (typeof item.find !== 'string' || item.find === '')
      problems.push({ path: `${path}.find`, reason: 'text to find is expected here', remedy });
    if (typeof item.with !== 'string')
      problems.push({ path: `${path}.with`, reason: 'the text to put in its place is expected here', remedy });
    return problems;
  });
}

function checkCases(value: unknown, at: string): Problem[] {
  const remedy = 'write [{if: status = "new", then: N}]';
  if (!Array.isArray(value) || value.length === 0)
    return [{ path: at, reason: 'a list of conditions is expected here', remedy }];
  return value.flatMap((item: unknown, index) => {
    const path = `${at}[${index}]`;
    const problems = checkMembers(item, path, ['if', 'then']);
    if (!isObject(item)) return problems;
    if (typeof item.if !== 'string')
      problems.push({ path: `${path}.if`, reason: 'a trigger is expected here', remedy });
    else {
      const parsed = parseTrigger(item.if);
      if (!parsed.ok) problems.push(triggerProblem(parsed.error, `${path}.if`));
    }
    if (item.then === undefined) problems.push({ path: `${path}.then`, reason: 'a value is expected here', remedy });
    else problems.push(...checkMapping(item.then, `${path}.then`));
    return problems;
  });
}

function checkTarget(target: string[], earlier: string[][], added: readonly string[], path: string): Problem[] {
  const name = target.join('.');
  if (added.includes(target[0]!))
    return [
      {
        path,
        reason: `the column "${target[0]}" has the name of an added field`,
        remedy: `choose another name, such as "source_${name}", or leave the added fields out with meta_fields: false`,
      },
    ];
  for (const other of earlier) {
    const shared = Math.min(other.length, target.length);
    if (!other.slice(0, shared).every((step, index) => step === target[index])) continue;
    const same = other.length === target.length;
    return [
      {
        path,
        reason: same ? `the target "${name}" is there twice` : `the target "${name}" contradicts "${other.join('.')}"`,
        remedy: 'give every column a target of its own',
      },
    ];
  }
  return [];
}
