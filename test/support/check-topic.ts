/** The oracle's judgement: what was sent, what was seen of it and what stands in the topics must fit together. */
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import type { Counts } from '../../src/model/index.ts';
import type { OperationState } from './ledger.ts';

/** A record as it must stand in Kafka. */
export interface ExpectedRecord {
  readonly id: string;
  readonly topic: string;
  /** null: no key, and so no order to keep. */
  readonly key: Buffer | string | null;
  /** Rises within a topic and key, in the order in which the records were handed in. */
  readonly sequence: number;
  /** The partition by Java's own partitioner; null: any. */
  readonly partition: number | null;
  /** `hashValue` of the bytes; null: a tombstone; undefined: judged by `checkValue`. */
  readonly valueHash: string | null | undefined;
  /** All headers in order; undefined: any. */
  readonly headers?: readonly (readonly [string, Buffer | string | null])[] | undefined;
  /** undefined: any. */
  readonly timestampMs?: number | undefined;
}

/** A record as the Java client reads it. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
}

export interface CheckInput {
  readonly seed: string;
  readonly expected: Iterable<ExpectedRecord>;
  /** The state of each operation; where there is no ledger, all are `ok`. */
  readonly ledger?: { state(id: string): OperationState | undefined };
  /** All partitions of all topics, read by the Java client: never by our own. */
  readonly read: Iterable<ReadRecord> | AsyncIterable<ReadRecord>;
  /** Names the record; by default the text of its header `id`. */
  readonly idOf?: (record: ReadRecord) => string | null;
  /** Ids that are kept as dead letters. */
  readonly deadLetters?: ReadonlySet<string>;
  /** Copies of `ok` records beyond the first that the mode and the faults allow. */
  readonly maxDuplicates: number;
  /**
   * An operation without an answer may be there more than once, its copies counted as duplicates: it was safe on the disk
   * when the process was killed, and its progress was not. Otherwise once at most.
   */
  readonly unknownMayRepeat?: boolean;
  /** What is wrong with a value whose bytes are not known beforehand; null: nothing. */
  readonly checkValue?: (id: string, record: ReadRecord) => string | null;
  /** The program's own counts, which must add up (Promise 4). */
  readonly counts?: Counts;
  readonly versions?: Readonly<Record<string, string>>;
}

export type Assertion =
  | 'lost'
  | 'failed_but_there'
  | 'unknown_twice'
  | 'too_many_duplicates'
  | 'reordered'
  | 'altered'
  | 'alien'
  | 'unbalanced';

export interface Verdict {
  readonly verdict: 'green' | 'red';
  readonly seed: string;
  readonly commit: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly counts: Readonly<
    Record<'expected' | 'ok' | 'fail' | 'unknown' | 'read' | 'distinct' | 'duplicates' | 'deadLetters', number>
  >;
  /** How often each assertion was broken, with the first few cases; empty when green. */
  readonly violations: Readonly<Partial<Record<Assertion, { count: number; examples: string[] }>>>;
}

/** Judges; throws never. Memory: some hundred bytes for each expected record. */
export async function checkTopics(input: CheckInput): Promise<Verdict> {
  const violations = new Violations();
  const cases = expectedCases(input);
  const counts = { expected: cases.size, ok: 0, fail: 0, unknown: 0, read: 0, distinct: 0, duplicates: 0 };
  const lastSequence = new Map<string, number>();
  const idOf = input.idOf ?? headerId;
  for await (const record of input.read) {
    counts.read++;
    const id = idOf(record);
    const found = id === null ? undefined : cases.get(id);
    if (found === undefined) {
      violations.add('alien', `${where(record)}: ${id === null ? 'has no id' : `id ${id} was never sent`}`);
      continue;
    }
    checkContents(found.expected, record, input, violations);
    found.copies++;
    if (found.copies === 1) {
      counts.distinct++;
      checkOrder(found.expected, record, lastSequence, violations);
    }
  }
  for (const found of cases.values()) {
    counts[found.state]++;
    if (found.state === 'ok' || input.unknownMayRepeat === true) counts.duplicates += Math.max(0, found.copies - 1);
    checkPresence(found, input, violations);
  }
  if (counts.duplicates > input.maxDuplicates)
    violations.add('too_many_duplicates', `${counts.duplicates}, at most ${input.maxDuplicates} allowed`);
  if (input.counts !== undefined) checkBalance(input.counts, violations);
  return {
    verdict: violations.none ? 'green' : 'red',
    seed: input.seed,
    commit: commit(),
    versions: { node: process.version, ...input.versions },
    counts: { ...counts, deadLetters: input.deadLetters?.size ?? 0 },
    violations: violations.list,
  };
}

/** The one line that a run leaves behind. */
export function verdictLine(verdict: Verdict): string {
  return JSON.stringify(verdict);
}

export function hashValue(value: Buffer | string): string {
  return hash('sha256', value, 'base64url');
}

interface Case {
  readonly expected: ExpectedRecord;
  readonly state: OperationState;
  copies: number;
}

function expectedCases(input: CheckInput): Map<string, Case> {
  const cases = new Map<string, Case>();
  for (const expected of input.expected) {
    if (cases.has(expected.id)) throw new Error(`the load is wrong: id ${expected.id} stands for two records`);
    const state = input.ledger === undefined ? 'ok' : (input.ledger.state(expected.id) ?? 'unknown');
    cases.set(expected.id, { expected, state, copies: 0 });
  }
  return cases;
}

/** (a) every ok record is in a topic or a dead letter, (b) a failed one is absent and an unknown one at most once. */
function checkPresence(found: Case, input: CheckInput, violations: Violations): void {
  const { id, topic, sequence } = found.expected;
  const dead = input.deadLetters?.has(id) === true;
  const name = `id ${id} (topic ${topic}, sequence ${sequence})`;
  if (found.state === 'ok' && found.copies === 0 && !dead) violations.add('lost', name);
  if (found.state === 'fail' && found.copies > 0) violations.add('failed_but_there', `${name}: ${found.copies} copies`);
  if (found.state === 'unknown' && found.copies > 1 && input.unknownMayRepeat !== true)
    violations.add('unknown_twice', `${name}: ${found.copies} copies`);
  if (found.copies > 0 && dead) violations.add('too_many_duplicates', `${name}: delivered, and a dead letter too`);
}

/** (d) by first sight, the sequences of a topic and key never go back. */
function checkOrder(
  expected: ExpectedRecord,
  record: ReadRecord,
  last: Map<string, number>,
  violations: Violations,
): void {
  if (expected.key === null) return;
  const lane = `${expected.topic}/${Buffer.from(expected.key as string).toString('base64')}`;
  const before = last.get(lane);
  if (before !== undefined && expected.sequence <= before)
    violations.add('reordered', `${where(record)}: id ${expected.id} is ${expected.sequence} after ${before}`);
  else last.set(lane, expected.sequence);
}

/** (e) topic, partition, key, value, headers and timestamp are what was handed in, in every copy. */
function checkContents(expected: ExpectedRecord, record: ReadRecord, input: CheckInput, violations: Violations): void {
  const wrong = (what: string): void => violations.add('altered', `${where(record)}: id ${expected.id}: ${what}`);
  if (record.topic !== expected.topic) wrong(`topic is not ${expected.topic}`);
  if (expected.partition !== null && record.partition !== expected.partition)
    wrong(`partition ${record.partition}, by Java ${expected.partition}`);
  if (!sameBytes(record.key, expected.key)) wrong(`key ${show(record.key)}, sent ${show(expected.key)}`);
  if (expected.timestampMs !== undefined && record.timestampMs !== expected.timestampMs)
    wrong(`timestamp ${record.timestampMs}, sent ${expected.timestampMs}`);
  if (expected.headers !== undefined && !sameHeaders(record.headers, expected.headers)) wrong('headers differ');
  const problem = valueProblem(expected, record, input);
  if (problem !== null) wrong(problem);
}

function valueProblem(expected: ExpectedRecord, record: ReadRecord, input: CheckInput): string | null {
  if (expected.valueHash === undefined) return input.checkValue?.(expected.id, record) ?? null;
  const actual = record.value === null ? null : hashValue(record.value);
  return actual === expected.valueHash ? null : `value of ${record.value?.length ?? 'null'} bytes differs`;
}

/** (g) the counts reconcile: read + departed = delivered + rejected + filtered + unchanged + ignored. */
function checkBalance(counts: Counts, violations: Violations): void {
  const left = counts.read + counts.departed;
  const right = counts.delivered + counts.rejected + counts.filtered + counts.unchanged + counts.ignored;
  if (left !== right) violations.add('unbalanced', JSON.stringify(counts));
}

class Violations {
  readonly list: Partial<Record<Assertion, { count: number; examples: string[] }>> = {};

  get none(): boolean {
    return Object.keys(this.list).length === 0;
  }

  add(assertion: Assertion, example: string): void {
    const entry = (this.list[assertion] ??= { count: 0, examples: [] });
    entry.count++;
    if (entry.examples.length < 5) entry.examples.push(example);
  }
}

function headerId(record: ReadRecord): string | null {
  return record.headers.find(([name]) => name === 'id')?.[1]?.toString() ?? null;
}

function sameBytes(actual: Buffer | null, expected: Buffer | string | null): boolean {
  if (actual === null || expected === null) return actual === expected;
  return actual.equals(typeof expected === 'string' ? Buffer.from(expected) : expected);
}

function sameHeaders(actual: ReadRecord['headers'], expected: NonNullable<ExpectedRecord['headers']>): boolean {
  return (
    actual.length === expected.length &&
    actual.every(([name, value], index) => name === expected[index]![0] && sameBytes(value, expected[index]![1]))
  );
}

function show(bytes: Buffer | string | null): string {
  return bytes === null ? 'null' : JSON.stringify(bytes.toString());
}

function where(record: ReadRecord): string {
  return `${record.topic}-${record.partition}@${record.offset}`;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
