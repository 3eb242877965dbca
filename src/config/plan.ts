/** What applying a file would change: by object, and by field. */
import { isRawNumber } from '../base/json.ts';
import { objectKinds, type JsonValue, type ObjectKind, type WrittenObject } from '../model/index.ts';
import { childPath } from './report.ts';
import { isObject } from './values.ts';

export interface PlannedChange {
  /** `kept`: stored, not in the file, left alone. */
  readonly action: 'create' | 'update' | 'delete' | 'unchanged' | 'kept';
  readonly kind: ObjectKind;
  readonly name: string;
  /** Paths of fields that differ, relative to the object; never their values. Updates only. */
  readonly fields: readonly string[];
}

export interface Plan {
  /** Destinations, sources, syncs; each by name. */
  readonly changes: readonly PlannedChange[];
  /** What is to be written and what taken out. */
  readonly put: readonly WrittenObject[];
  readonly remove: readonly { readonly kind: ObjectKind; readonly name: string }[];
  /** Everything that is there afterwards. */
  readonly result: readonly WrittenObject[];
}

/** Compares objects as written, their secrets open. What is stored and not in the file goes only with `prune`. */
export function planChanges(
  stored: readonly WrittenObject[],
  file: readonly WrittenObject[],
  options: { readonly prune: boolean },
): Plan {
  const before = new Map(stored.map((object) => [keyOf(object), object]));
  const named = new Set(file.map(keyOf));
  const changes = file.map((object) => compare(before.get(keyOf(object)), object));
  const put = file.filter((_, index) => changes[index]?.action === 'create' || changes[index]?.action === 'update');
  const others = stored.filter((object) => !named.has(keyOf(object)));
  for (const { kind, name } of others)
    changes.push({ action: options.prune ? 'delete' : 'kept', kind, name, fields: [] });
  return {
    changes: changes.sort(inOrder),
    put,
    remove: options.prune ? others.map(({ kind, name }) => ({ kind, name })) : [],
    result: [...file, ...(options.prune ? [] : others)].sort(inOrder),
  };
}

function compare(before: WrittenObject | undefined, object: WrittenObject): PlannedChange {
  const { kind, name, body } = object;
  if (before === undefined) return { action: 'create', kind, name, fields: [] };
  if (JSON.stringify(before.body) === JSON.stringify(body)) return { action: 'unchanged', kind, name, fields: [] };
  const fields: string[] = [];
  differences(before.body, body, '', fields);
  // The order of names counts: a payload prints its fields in that order.
  return { action: 'update', kind, name, fields: fields.length === 0 ? ['(order of fields)'] : fields };
}

function differences(a: JsonValue | undefined, b: JsonValue | undefined, path: string, found: string[]): void {
  if (isObject(a) && isObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const [one, other] = [ownValue(a, key), ownValue(b, key)];
      differences(one, other, childPath(path, key), found);
    }
    return;
  }
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    for (const [index, one] of a.entries()) differences(one, b[index], childPath(path, index), found);
    return;
  }
  if (a === undefined || b === undefined || text(a) !== text(b)) found.push(path);
}

function ownValue(object: { [key: string]: JsonValue }, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function text(value: JsonValue): string {
  return isRawNumber(value) ? value.rawJSON : JSON.stringify(value);
}

function keyOf({ kind, name }: { kind: ObjectKind; name: string }): string {
  return `${kind} ${name}`;
}

function inOrder(a: { kind: ObjectKind; name: string }, b: { kind: ObjectKind; name: string }): number {
  return objectKinds.indexOf(a.kind) - objectKinds.indexOf(b.kind) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
