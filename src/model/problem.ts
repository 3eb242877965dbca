/** One thing wrong in a configuration: where, what, and what to do. */
import type { ErrorCode } from './errors.ts';

export interface Problem {
  /** e.g. `syncs.orders.message.topic` */
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
  /** Absent: `config_invalid`. */
  readonly code?: Extract<ErrorCode, 'config_invalid' | 'config_unresolved' | 'not_yet'>;
  /** Where in the text, when it came from a file: `headrace.yaml:12:5`. */
  readonly place?: string;
}

/** Checks one value at one path; an empty list means it is fine. What passes here never fails for its own shape when it runs. */
export type Check = (value: unknown, path: string) => Problem[];
