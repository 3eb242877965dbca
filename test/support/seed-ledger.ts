/** The ledger of seeds: one line for each run of faults, appended to test/ledger and committed; and what the lines add up to. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Who was under load: the delivery in the test's own process, the whole program over HTTP, or a run over a file. */
export type Subject = 'delivery' | 'collector' | 'files';

/** One run. The seed, with the title, repeats its plan. */
export interface SeedEntry {
  /** `F1` … of docs/operations/faults.md. */
  readonly fault: string;
  readonly subject: Subject;
  readonly title: string;
  readonly seed: string;
  /** Short hash; `+` where the working tree differed from it. */
  readonly commit: string;
  /** ISO 8601. */
  readonly at: string;
  readonly versions: Readonly<Record<string, string>>;
  /** How often the fault was carried out. */
  readonly faults: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly duplicated: number;
  /** Duplicates that the mode and the faults allow. */
  readonly allowed: number;
  readonly reordered: number;
  /** Other broken assertions of the checker. */
  readonly wrong: number;
  /** Milliseconds: the longest time without an acknowledgement; null where it was not measured. */
  readonly gapMs: number | null;
  /** What else was measured; the worst of each. */
  readonly figures: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly verdict: 'green' | 'red';
  /** Of a red one. */
  readonly why?: string;
}

/** One line at the end of `<folder>/<fault>.jsonl`. */
export function appendEntry(folder: string, entry: SeedEntry): void {
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, `${entry.fault}.jsonl`), `${JSON.stringify(entry)}\n`);
}

/** All lines of all faults; none twice. Throws on a line that is none. */
export function readEntries(folder: string): SeedEntry[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /^[FP]\d+\.jsonl$/.test(name));
  const lines = files.sort().flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'));
  // A merge that keeps both sides may keep a line twice.
  return [...new Set(lines.filter((line) => line !== ''))].map((line) => JSON.parse(line) as SeedEntry);
}

export interface FaultTotal {
  readonly fault: string;
  readonly runs: number;
  readonly faults: number;
  readonly bySubject: Readonly<Partial<Record<Subject, number>>>;
  readonly messages: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly wrong: number;
  readonly worst: Readonly<Record<string, number>>;
}

/**
 * What the entries add up to, by fault. A red run does not count; nor does it vanish: `open` has those whose plan has not
 * been green at a later time.
 */
export function totals(entries: readonly SeedEntry[]): {
  totals: FaultTotal[];
  open: SeedEntry[];
  settled: SeedEntry[];
} {
  const faults = [...new Set(entries.map((entry) => entry.fault))].sort(
    (a, b) => Number(a.slice(1)) - Number(b.slice(1)),
  );
  const reds = entries.filter((entry) => entry.verdict === 'red');
  const settledBy = (red: SeedEntry): boolean =>
    entries.some((other) => other.verdict === 'green' && planOf(other) === planOf(red) && other.at > red.at);
  return {
    totals: faults.map((fault) => totalOf(fault, entries)),
    open: reds.filter((red) => !settledBy(red)),
    settled: reds.filter(settledBy),
  };
}

/** The commit of the working tree, with `+` where the product's code differs from it; HEADRACE_COMMIT in a copy without git. */
export function commitOfTree(): string {
  const given = process.env['HEADRACE_COMMIT'];
  if (given !== undefined && given !== '') return given;
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'package-lock.json') !== '';
    return git('rev-parse', '--short=10', 'HEAD') + (changed ? '+' : '');
  } catch {
    return 'unknown';
  }
}

function totalOf(fault: string, entries: readonly SeedEntry[]): FaultTotal {
  const green = entries.filter((entry) => entry.fault === fault && entry.verdict === 'green');
  const sum = (of: (entry: SeedEntry) => number): number => green.reduce((all, entry) => all + of(entry), 0);
  const bySubject: Partial<Record<Subject, number>> = {};
  const worst: Record<string, number> = {};
  for (const entry of green) {
    bySubject[entry.subject] = (bySubject[entry.subject] ?? 0) + entry.faults;
    const figures = { ...entry.figures, ...(entry.gapMs === null ? {} : { gapMs: entry.gapMs }) };
    for (const [name, value] of Object.entries(figures)) worst[name] = Math.max(worst[name] ?? 0, value);
  }
  return {
    fault,
    runs: green.length,
    faults: sum((entry) => entry.faults),
    bySubject,
    messages: sum((entry) => entry.counts['expected'] ?? 0),
    lost: sum((entry) => entry.lost),
    duplicated: sum((entry) => entry.duplicated),
    reordered: sum((entry) => entry.reordered),
    wrong: sum((entry) => entry.wrong),
    worst,
  };
}

function planOf({ fault, subject, title, seed }: SeedEntry): string {
  return [fault, subject, title, seed].join('\n');
}
