/** What a Liquid template sees of a record: its own copy of the top level, and numbers with all their digits. */
import { isRawNumber, rawNumber } from '../../base/json.ts';
import { compareNumbers, type AnyNumber } from '../triggers/numbers.ts';

/** The names a template starts from. A copy: `{% increment %}` writes into it, and the record is not ours to change. */
export function liquidScope(root: unknown): object {
  return isPlain(root) ? { ...(withDigits(root) as object) } : {};
}

/** An object of members: neither a list nor a number. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongNumber);
}

/**
 * A number that a double would change: prints and compares by its digits, as text and as JSON; arithmetic takes the
 * nearest double. The names of the comparisons are those that the Liquid engine asks for.
 */
export class LongNumber {
  readonly #digits: string;

  constructor(digits: string) {
    this.#digits = digits;
  }

  toString(): string {
    return this.#digits;
  }

  valueOf(): number {
    return Number(this.#digits);
  }

  toJSON(): object {
    return rawNumber(this.#digits);
  }

  equals(other: unknown): boolean {
    return (typeof other === 'number' || other instanceof LongNumber) && this.#compare(other) === 0;
  }

  gt(other: unknown): boolean {
    return this.#compare(other) > 0;
  }

  geq(other: unknown): boolean {
    return this.#compare(other) >= 0;
  }

  lt(other: unknown): boolean {
    return this.#compare(other) < 0;
  }

  leq(other: unknown): boolean {
    return this.#compare(other) <= 0;
  }

  #compare(other: unknown): number {
    const right = other instanceof LongNumber ? other.toJSON() : Number(other);
    return compareNumbers(this.toJSON() as AnyNumber, right as AnyNumber);
  }
}

/** The same value where it holds no number kept as raw JSON. */
function withDigits(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isRawNumber(value)) return new LongNumber(value.rawJSON);
  if (Array.isArray(value)) {
    const items = value.map(withDigits);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value).map(([name, member]) => [name, withDigits(member)] as const);
  const changed = entries.some(([name, member]) => member !== (value as Record<string, unknown>)[name]);
  return changed ? Object.fromEntries(entries) : value;
}
