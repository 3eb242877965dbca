/** The one way to run a fault: a test with a seed, whose end is one line that says what was done and what became of it. */
import { test, type TestContext } from 'node:test';
import { KAFKA_VERSION } from '../../src/local/java.ts';
import type { CheckInput, Verdict } from './check-topic.ts';
import { worstOf, type Faults } from './fault-plan.ts';
import type { Random } from './random.ts';
import { judge, longChaos, scenario, type Scenario } from './scenario.ts';
import { appendEntry, commitOfTree, type SeedEntry, type Subject } from './seed-ledger.ts';

export interface FaultTest {
  readonly fault: string;
  readonly subject: Subject;
  readonly title: string;
  /** In the short form of `npm test`, or in the long one alone. */
  readonly only?: 'long' | 'short';
  readonly timeoutMs?: number;
}

/** What a test of faults is given, beside the context of the runner. */
export interface FaultRun extends Scenario {
  readonly random: Random;
  /** Whether another fault may begin: a slice has ten minutes, and the verdict needs some of them. */
  readonly timeLeft: boolean;
  /** So many faults more were carried out. */
  carriedOut(faults: number): void;
  /** All of a plan that were carried out, and what they measured. */
  noteAll(faults: Faults): void;
  /** Measured; the worst of each name stays. */
  figure(name: string, value: number): void;
  judge(input: Omit<CheckInput, 'seed'>): Promise<Verdict>;
}

/** Where the lines are kept; by default they are only told. */
const ledger = process.env['HEADRACE_LEDGER'];

/** Registers a test `<fault> <subject>: <title>`. */
export function faultTest(spec: FaultTest, body: (t: TestContext, run: FaultRun) => Promise<void>): void {
  const { fault, subject, title, only, timeoutMs } = spec;
  const skip = (only === 'long' && !longChaos) || (only === 'short' && longChaos);
  const timeout = timeoutMs ?? (longChaos ? 600_000 : 180_000);
  test(
    `${fault} ${subject}: ${title}`,
    { timeout, ...(skip ? { skip: `only in the ${only} form` } : {}) },
    async (t) => {
      const run = new Recorded(t, spec);
      try {
        await body(t, run);
        run.end(null);
      } catch (error) {
        run.end(error);
        throw error;
      }
    },
  );
}

const BEGIN_WITHIN_MS = 360_000;

interface Judged {
  readonly verdict: Verdict;
  readonly allowed: number;
}

class Recorded implements FaultRun {
  readonly random: Random;
  readonly seed: string;
  readonly #t: TestContext;
  readonly #spec: FaultTest;
  readonly #began = performance.now();
  readonly #verdicts: Judged[] = [];
  #figures: Record<string, number> = {};
  #faults = 0;

  constructor(t: TestContext, spec: FaultTest) {
    const { random, seed } = scenario(t, `${spec.fault} ${spec.subject} ${spec.title}`);
    this.random = random;
    this.seed = seed;
    this.#t = t;
    this.#spec = spec;
  }

  get timeLeft(): boolean {
    return performance.now() - this.#began < BEGIN_WITHIN_MS;
  }

  carriedOut(faults: number): void {
    this.#faults += faults;
  }

  noteAll(faults: Faults): void {
    this.carriedOut(faults.carriedOut);
    this.#figures = worstOf([this.#figures, ...faults.figures]);
    this.#t.diagnostic(`${faults.carriedOut} faults: ${JSON.stringify(faults.figures)}`);
  }

  figure(name: string, value: number): void {
    this.#figures = worstOf([this.#figures, { [name]: value }]);
  }

  judge(input: Omit<CheckInput, 'seed'>): Promise<Verdict> {
    return judge(this.#t, { seed: this.seed, ...input }, (verdict) =>
      this.#verdicts.push({ verdict, allowed: input.maxDuplicates }),
    );
  }

  /** One line, also when it went wrong before there was a verdict. */
  end(error: unknown): void {
    const sum = (of: (one: Judged) => number): number => this.#verdicts.reduce((all, one) => all + of(one), 0);
    const counts: Record<string, number> = {};
    for (const { verdict } of this.#verdicts)
      for (const [name, count] of Object.entries(verdict.counts)) counts[name] = (counts[name] ?? 0) + count;
    const broken = (name: keyof Verdict['violations']): number =>
      sum(({ verdict }) => verdict.violations[name]?.count ?? 0);
    const all = sum(({ verdict }) =>
      Object.values(verdict.violations).reduce((count, violation) => count + violation.count, 0),
    );
    const { gapMs = null, ...figures } = this.#figures as Record<string, number> & { gapMs?: number };
    const { fault, subject, title } = this.#spec;
    const red = error !== null || this.#verdicts.some(({ verdict }) => verdict.verdict === 'red');
    const entry: SeedEntry = {
      fault,
      subject,
      title,
      seed: this.seed,
      commit: commitOfTree(),
      at: new Date().toISOString(),
      versions: { node: process.version, kafka: KAFKA_VERSION },
      faults: this.#faults,
      counts,
      lost: broken('lost'),
      duplicated: sum(({ verdict }) => verdict.counts.duplicates),
      allowed: sum(({ allowed }) => allowed),
      reordered: broken('reordered'),
      wrong: all - broken('lost') - broken('reordered'),
      gapMs,
      figures,
      seconds: Math.round((performance.now() - this.#began) / 1000),
      verdict: red ? 'red' : 'green',
      ...(red ? { why: String(error instanceof Error ? error.message : error).slice(0, 500) } : {}),
    };
    this.#t.diagnostic(JSON.stringify(entry));
    if (ledger !== undefined && ledger !== '') appendEntry(ledger, entry);
  }
}
