/** One thing wrong in a configuration: where, what, and what to do. */
import { HeadraceError, type ErrorCode } from './errors.ts';

export interface Problem {
  /** e.g. `syncs.orders.message.topic` */
  readonly path: string;
  /** What is wrong, as the rest of a sentence that begins with the path: `is missing.` */
  readonly reason: string;
  readonly remedy: string;
  /** Absent: `config_invalid`. */
  readonly code?: Extract<ErrorCode, 'config_invalid' | 'config_unresolved' | 'not_yet'>;
  /** Where in the text, when it came from a file: `headrace.yaml:12:5`. */
  readonly place?: string;
}

/** Checks one value at one path; an empty list means it is fine. What passes here never fails for its own shape when it runs. */
export type Check = (value: unknown, path: string) => Problem[];

/** A configuration that is refused, with everything that is wrong in it. */
export class ConfigurationError extends HeadraceError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const [first] = problems;
    const codes = new Set(problems.map(({ code }) => code ?? 'config_invalid'));
    const code = codes.size === 1 ? (first?.code ?? 'config_invalid') : 'config_invalid';
    super(code, problems.map(problemText).join('\n'), { path: first?.path ?? '', remedy: first?.remedy ?? '' });
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/** `headrace.yaml:12:5: syncs.orders.source: is missing. Add …` */
export function problemText({ path, reason, remedy, place }: Problem): string {
  const end = /[.!?]$/.test(reason) ? '' : ';';
  return `${place === undefined ? '' : `${place}: `}${path}: ${reason}${end} ${remedy}`;
}
