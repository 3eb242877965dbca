/** The only printer of the command line: the result on standard output, everything else on standard error. */
import { problemText, type HeadraceError, type Problem } from '../model/index.ts';
import { printable } from './text.ts';

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Streams {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** NO_COLOR is not set. */
  readonly colour: boolean;
}

export type Colour = 'red' | 'green' | 'yellow' | 'dim';
const codes: Readonly<Record<Colour, string>> = { red: '31', green: '32', yellow: '33', dim: '2' };

export class Output {
  readonly #streams: Streams;
  /** A line of progress stands on the terminal and goes before anything else is written. */
  #progressShown = false;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /** The result as one JSON value for programs, or as text for people. */
  result(json: boolean, value: unknown, text: string): void {
    this.line(json ? JSON.stringify(value) : text);
  }

  /** One line (or several) of the result. */
  line(text: string): void {
    this.clearProgress();
    if (text !== '') this.#streams.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** For people beside the result. */
  note(text: string): void {
    this.clearProgress();
    this.#streams.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    this.note(`${this.paint('yellow', 'warning:', 'stderr')} ${printable(text)}`);
  }

  problems(problems: readonly Problem[]): void {
    for (const problem of problems)
      this.note(`${this.paint('red', 'error:', 'stderr')} ${printable(problemText(problem))}`);
  }

  error(error: HeadraceError): void {
    const lines = error.message.split('\n').map((text) => printable(text));
    for (const text of lines) this.note(`${this.paint('red', 'error:', 'stderr')} ${text}`);
    // Several problems tell path and remedy each in its own line.
    if ('problems' in error) return;
    if (error.path !== undefined && !error.message.includes(error.path)) this.note(`  at: ${printable(error.path)}`);
    if (error.remedy !== undefined) this.note(`  ${printable(error.remedy)}`);
  }

  /** Whether progress can be redrawn in place. */
  get interactive(): boolean {
    return this.#streams.stderr.isTTY === true;
  }

  /** Characters in a line of the terminal. */
  get width(): number {
    return this.#streams.stderr.columns ?? 80;
  }

  /** One line, drawn over the one before. */
  progress(text: string): void {
    this.#streams.stderr.write(`\r\x1b[2K${text.slice(0, this.width - 1)}`);
    this.#progressShown = true;
  }

  clearProgress(): void {
    if (!this.#progressShown) return;
    this.#progressShown = false;
    this.#streams.stderr.write('\r\x1b[2K');
  }

  paint(colour: Colour, text: string, stream: 'stdout' | 'stderr' = 'stdout'): string {
    const paints = this.#streams.colour && this.#streams[stream].isTTY === true;
    return paints ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;
  }
}
