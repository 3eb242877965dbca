/** How a field says that no message can be made of a record: caught in `map`, never seen outside. */
import type { ErrorCode } from '../model/index.ts';

export class Refusal extends Error {
  readonly code: ErrorCode;
  /** The message field, e.g. `timestamp`. */
  readonly field: string;

  constructor(code: ErrorCode, field: string, reason: string) {
    super(reason);
    this.code = code;
    this.field = field;
  }
}

/** A value for a reason that people read: as JSON, shortened. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`;
}
