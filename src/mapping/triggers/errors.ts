/** What is wrong with the text of a trigger, and where. */
import type { Problem } from '../../model/index.ts';

export interface TriggerError {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** From 0, in UTF-16 units; at most the length of the text. */
  readonly offset: number;
  /** What may stand there, e.g. `a value`. */
  readonly expected: string;
  /** One sentence with what was found and, where one is known, the remedy. */
  readonly message: string;
}

/** Thrown inside the parser only; `parseTrigger` answers it. */
export class TriggerSyntaxError extends Error {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, expected: string, found: string, remedy?: string) {
    super(`expected ${expected}, found ${found}${remedy === undefined ? '' : `: ${remedy}`}`);
    this.name = 'TriggerSyntaxError';
    this.offset = offset;
    this.expected = expected;
  }
}

export function triggerError(text: string, error: TriggerSyntaxError): TriggerError {
  const place = placeOf(text, error.offset);
  return { ...place, offset: error.offset, expected: error.expected, message: error.message };
}

/** The error as one line of a configuration's problems. */
export function triggerProblem(error: TriggerError, path: string): Problem {
  return {
    path,
    reason: `the trigger does not parse at line ${error.line}, column ${error.column}: ${error.message}`,
    remedy: 'correct the trigger there; docs/reference/triggers.md has the whole grammar',
  };
}

/** Line and column, both from 1, of an offset. `\n`, `\r\n` and a lone `\r` end a line. */
export function placeOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let i = 0; i < offset; i++) {
    const character = text.charCodeAt(i);
    if (character === 10 || (character === 13 && text.charCodeAt(i + 1) !== 10)) {
      line++;
      lineStart = i + 1;
    }
  }
  return { line, column: offset - lineStart + 1 };
}
