/** A dead letter: a rejected message, or a record that never became one, kept byte for byte with its reason. */
import type { ErrorCode } from './errors.ts';
import type { Header } from './message.ts';

export interface DeadLetter {
  readonly sync: string;
  /** null for event syncs. */
  readonly run: string | null;
  readonly code: ErrorCode;
  readonly reason: string;
  /** The field of the message or the column that is at fault, where known. */
  readonly field: string | null;
  /** Where the record stood in its source, e.g. `orders.csv:17`. */
  readonly position: string | null;
  /** null: the record never became a message; then key, value and timestamp are null, headers empty. */
  readonly topic: string | null;
  readonly partition: number | null;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  readonly timestampMs: number | null;
  /** The record as the source gave it, where known. */
  readonly raw: Buffer | null;
}

export interface StoredDeadLetter extends DeadLetter {
  /** Grows with each dead letter. */
  readonly id: number;
  /** ISO 8601 UTC with milliseconds. */
  readonly createdAt: string;
}
