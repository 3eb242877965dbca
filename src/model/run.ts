/** A run: one execution of a table sync. */
import type { ErrorCode } from './errors.ts';
import type { Counts } from './outcome.ts';
import type { JsonValue } from './record.ts';

/** `interrupted` is a run whose process died; the next `run` goes on with it under the same id. */
export type RunState = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'stopped_by_guard' | 'interrupted';

export interface RunFacts {
  readonly id: string;
  readonly sync: string;
  readonly state: RunState;
  readonly cause: 'manual' | 'api' | 'schedule' | 'demo';
  readonly counts: Counts;
  /** ISO 8601 UTC with milliseconds; `synced_at` of every message of the run, also after it was resumed. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** How often it was taken up again after an interruption. */
  readonly resumed: number;
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly remedy?: string } | null;
  /** Last position that is safe (Promise 2); null before the first. */
  readonly checkpoint: JsonValue;
}
