/** How a field says that no message can be made of a record: caught in `map`, never seen outside. */
import type { ErrorCode } from '../model/index.ts';

/** No Error: a stack trace would cost more than the rest of the mapping, and every row of a file may be refused. */
export class Refusal {
  readonly code: ErrorCode;
  /** The message field, e.g. `timestamp`; empty: the one being made. */
  readonly field: string;
  readonly message: string;

  constructor(code: ErrorCode, field: string, reason: string) {
    this.code = code;
    this.field = field;
    this.message = reason;
  }

  toString(): string {
    return this.message;
  }
}

/** A value for a reason that people read: as JSON, shortened. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}
