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
  const place = compilePlaces(text)(error.offset);
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

/** The line of the error and a mark below it, for a terminal; a long line is cut around the place. */
export function excerpt(text: string, { line, column }: TriggerError): string {
  const whole = text.split(/\r\n|\r|\n/)[line - 1] ?? '';
  const from = Math.max(0, column - 1 - 60);
  const shown = whole.slice(from, from + 120).replaceAll('\t', ' ');
  return `  ${shown}\n  ${' '.repeat(Math.min(column - 1 - from, shown.length))}^`;
}

export interface LineAndColumn {
  readonly line: number;
  readonly column: number;
}

/** Line and column, both from 1, of offsets in one text. `\n`, `\r\n` and a lone `\r` end a line. */
export function compilePlaces(text: string): (offset: number) => LineAndColumn {
  const starts = [0, ...Array.from(text.matchAll(/\r\n|\r|\n/g), (end) => end.index + end[0].length)];
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
}
