/** The properties of one destination while they are put into its fields. */
import type { JsonObject, JsonValue } from '../../model/index.ts';
import { isRawNumber } from '../../base/json.ts';
import type { At, Report } from '../report.ts';
import { isObject } from '../values.ts';
import { isSecretName } from './names.ts';

export interface Property {
  readonly name: string;
  readonly text: string;
  readonly at: At;
  /** The text as its reference reads now; null where it is no reference. */
  readonly reread: (() => string | null) | null;
}

export interface Put {
  readonly reread?: (() => string | null) | null;
  /** What makes two ways to write the value the same. */
  readonly fold?: (value: JsonValue) => string;
}

/** Fields are put in one by one; one that is there already must say the same. */
export class Pasted {
  readonly body: JsonObject;
  readonly #at: At;
  readonly #report: Report;
  readonly #properties: ReadonlyMap<string, Property>;
  /** By the path of the field: the name that it comes from. */
  readonly #from = new Map<string, string>();

  constructor(body: JsonObject, properties: ReadonlyMap<string, Property>, at: At, report: Report) {
    this.body = { ...body };
    this.#properties = properties;
    this.#at = at;
    this.#report = report;
  }

  get(name: string): Property | undefined {
    return this.#properties.get(name);
  }

  get names(): Iterable<string> {
    return this.#properties.keys();
  }

  /** The field as it is now, written or put. */
  value(field: readonly string[]): JsonValue | undefined {
    let value: JsonValue | undefined = this.body;
    for (const key of field) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return value;
  }

  put(field: readonly string[], value: JsonValue, property: Property, { reread, fold = printed }: Put = {}): void {
    const shown = field.join('.');
    const before = this.value(field);
    if (before !== undefined) {
      if (fold(before) === fold(value)) return;
      const other = this.#from.get(shown) ?? null;
      const beside = other === null ? `\`${shown}\`, which is written beside \`kafka\`` : `\`${other}\``;
      property.at.problem(`contradicts ${beside}.`, 'Keep one of the two.');
      return;
    }
    const parent = this.#parentOf(field, property);
    // What stands there is no object, which is told where it is read.
    if (parent === null) return;
    parent[field.at(-1)!] = value;
    this.#from.set(shown, property.name);
    const path = this.#cameFrom(field, property);
    const again = reread === undefined ? property.reread : reread;
    if (again !== null) this.#report.rereads.set(path, again);
    if (property.at.isReferenced || isSecretName(property.name)) this.#report.referenced.add(path);
  }

  /** What is said of the field is said of the property. Answers the path of the field. */
  #cameFrom(field: readonly string[], property: Property): string {
    const path = field.reduce((at, key) => at.child(key), this.#at).path;
    this.#report.writtenAt(path, property.at.path);
    this.#report.pastedNames.set(path, property.name);
    return path;
  }

  /** Objects on the way are copied once, since what was given is not ours. */
  #parentOf(field: readonly string[], property: Property): JsonObject | null {
    let parent = this.body;
    for (const [depth, key] of field.slice(0, -1).entries()) {
      const inner = parent[key];
      // `tls: true` is an object without fields.
      if (inner !== undefined && inner !== true && !isObject(inner)) return null;
      if (inner === undefined) this.#cameFrom(field.slice(0, depth + 1), property);
      const copy: JsonObject = isObject(inner) ? { ...inner } : {};
      parent[key] = copy;
      parent = copy;
    }
    return parent;
  }
}

/** The value in a form that tells it from others. */
export function printed(value: JsonValue | undefined): string {
  if (value === undefined) return '';
  if (isRawNumber(value)) return value.rawJSON;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
