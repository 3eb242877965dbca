/** What all chaos tests share: how long they run, their seed, and the road from a load to a verdict. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { checkTopics, verdictLine, type CheckInput, type ReadRecord, type Verdict } from './check-topic.ts';
import { drawKeys, flow, type FlowOptions, type FlowResult } from './flow.ts';
import { newTopic } from './kafka.ts';
import { javaPartitions, oracle } from './oracle.ts';
import { announceSeed, random, type Random } from './random.ts';

/** `HEADRACE_CHAOS=long`: the amounts of `npm run chaos`; else those of `npm test`. */
export const longChaos = process.env['HEADRACE_CHAOS'] === 'long';

export function amount<T>(short: T, long: T): T {
  return longChaos ? long : short;
}

export interface Scenario {
  readonly random: Random;
  readonly seed: string;
}

/** The seed of a test, told in its diagnostics: HEADRACE_SEED repeats the plan. */
export function scenario(t: TestContext, name: string): Scenario {
  return { seed: announceSeed((line) => t.diagnostic(line)), random: random(name) };
}

export interface FlowPlan {
  /** Of brokers that nobody breaks while the topics are made and read. */
  readonly bootstrap: string;
  /** Where the load enters, e.g. a proxy; by default the brokers themselves. */
  readonly through?: string;
  readonly messages: number;
  readonly keys?: number;
  /** Of each topic. */
  readonly partitions: readonly number[];
  readonly replication?: number;
  /** Of each topic, in Kafka's names. */
  readonly config?: Readonly<Record<string, string>>;
  /** Told their names before the load begins. */
  readonly onTopics?: (names: readonly string[]) => void;
  readonly flow?: Partial<FlowOptions>;
}

/** Makes topics and keys, lets the load flow, and judges what Java reads back: nothing lost, doubled or reordered. */
export async function flowAndJudge(
  t: TestContext,
  run: Scenario & { judge?(input: Omit<CheckInput, 'seed'>): Promise<Verdict> },
  plan: FlowPlan,
): Promise<{
  result: FlowResult;
  verdict: Verdict;
}> {
  const { seed, random: draw } = run;
  const topics = await Promise.all(
    plan.partitions.map(async (partitions) => {
      const replication = plan.replication === undefined ? {} : { replication: plan.replication };
      const config = plan.config === undefined ? {} : { config: plan.config };
      const name = await newTopic(plan.bootstrap, 'chaos', { partitions, ...replication, ...config });
      return { name, partitions };
    }),
  );
  plan.onTopics?.(topics.map((topic) => topic.name));
  const keys = drawKeys(draw.stream('keys'), plan.keys ?? 500);
  const result = await flow({
    bootstrap: plan.through ?? plan.bootstrap,
    topics,
    messages: plan.messages,
    keys,
    random: draw.stream('load'),
    javaPartition: await partitionTable(keys, plan.partitions),
    ...plan.flow,
  });
  const names = topics.map((topic) => topic.name);
  const input = {
    expected: result.expected,
    ledger: result.ledger,
    read: readTopics(plan.bootstrap, names),
    maxDuplicates: 0,
  };
  const verdict = await (run.judge === undefined ? judge(t, { seed, ...input }) : run.judge(input));
  return { result, verdict };
}

/** Prints the verdict and fails unless it is green; `told` hears it in any case. */
export async function judge(
  t: TestContext,
  input: CheckInput,
  told: (verdict: Verdict) => void = () => {},
): Promise<Verdict> {
  const verdict = await checkTopics(input);
  t.diagnostic(verdictLine(verdict));
  told(verdict);
  assert.equal(verdict.verdict, 'green', JSON.stringify(verdict.violations, null, 2));
  return verdict;
}

/** All records of several topics, by the Java client. */
export async function* readTopics(bootstrap: string, topics: readonly string[]): AsyncGenerator<ReadRecord> {
  for (const topic of topics) yield* oracle(bootstrap).read(topic);
}

/** Java's own partition of each key, for each number of partitions. */
export async function partitionTable(
  keys: readonly string[],
  counts: readonly number[],
): Promise<(key: string, partitions: number) => number> {
  const rows = await javaPartitions(
    keys.map((key) => Buffer.from(key)),
    counts,
  );
  const tables = new Map(counts.map((count, at) => [count, new Map(keys.map((key, i) => [key, rows[at]![i]!]))]));
  return (key, partitions) => tables.get(partitions)!.get(key)!;
}
