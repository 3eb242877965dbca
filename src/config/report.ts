/** Where a check stands in the configuration, and the list that it tells its problems to. */
import type { Problem } from '../model/index.ts';

export type ProblemCode = NonNullable<Problem['code']>;

/** One place in the configuration while it is checked. */
export class At {
  readonly path: string;
  readonly #report: Report;

  constructor(report: Report, path: string) {
    this.#report = report;
    this.path = path;
  }

  child(key: string | number): At {
    return new At(this.#report, childPath(this.path, key));
  }

  /** Tells a problem of this place; undefined, which is what a failed reading answers. */
  problem(reason: string, remedy: string, code?: ProblemCode): undefined {
    this.#report.tell({ path: this.path, reason, remedy, ...(code === undefined ? {} : { code }) });
  }

  /** Allowed, but weaker than it looks. */
  warning(reason: string, remedy: string): void {
    this.#report.warn({ path: this.path, reason, remedy });
  }

  /** Whether the text here came through a reference: it may stand for a number, and is not shown. */
  get isReferenced(): boolean {
    return this.#report.referenced.has(this.path);
  }

  /** Reads anew what the references here read; null where nothing here is a reference. */
  get reread(): (() => string | null) | null {
    return this.#report.rereads.get(this.path) ?? null;
  }

  /** The name of the pasted property that said what is here; null where it is written as a field, or left out. */
  get pastedName(): string | null {
    return this.#report.pastedNames.get(this.path) ?? null;
  }

  /** How many problems were told so far, here and elsewhere. */
  get problemCount(): number {
    return this.#report.count;
  }
}

export class Report {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  /** Paths of texts that hold a reference. */
  readonly referenced: Set<string> = new Set();
  /** For those paths: the text as its references read now; null when one of them cannot be read. */
  readonly rereads: Map<string, () => string | null> = new Map();
  /** By path: the pasted property that a field, or an object around it, comes from. */
  readonly pastedNames: Map<string, string> = new Map();
  readonly #unresolved: Set<string> = new Set();
  readonly #written: Map<string, string> = new Map();
  #count = 0;

  /** What is said of `path` is said of the place where it is written in other words. */
  writtenAt(path: string, place: string): void {
    this.#written.set(path, place);
  }

  warn(problem: Problem): void {
    this.warnings.push(this.#atItsPlace(problem));
  }

  /** What did not resolve is empty where it is read, which is no second problem: it is counted and not listed. */
  tell(told: Problem): void {
    const problem = this.#atItsPlace(told);
    this.#count++;
    if (this.#unresolved.has(problem.path)) return;
    if (problem.code === 'config_unresolved') this.#unresolved.add(problem.path);
    this.problems.push(problem);
  }

  get count(): number {
    return this.#count;
  }

  #atItsPlace(problem: Problem): Problem {
    const place = this.#written.get(problem.path);
    return place === undefined ? problem : { ...problem, path: place };
  }
}

/** `syncs.orders.message.columns[0].from`; keys that are no plain words in quotes. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!/^[\p{L}\p{N}_@$-]+$/u.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}
