/** A run over a file under faults: its configuration, its rows, and the verdict at the end. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { hashValue, type ExpectedRecord, type Verdict } from './check-topic.ts';
import type { FaultRun } from './fault-test.ts';
import { drawKeys } from './flow.ts';
import { launchHeadrace, type Child, type Exit, type LaunchOptions } from './headrace.ts';
import { newTopic } from './kafka.ts';
import { oracle } from './oracle.ts';
import { partitionTable, readTopics } from './scenario.ts';
import { setUp, type Setup } from './setup.ts';

export interface ChaosFiles {
  readonly setup: Setup;
  readonly rows: number;
  /** Starts the run, or takes it up where it stopped. */
  start(options?: LaunchOptions): Child;
  /** Runs it to its end, which must be success; its facts. */
  finish(): Promise<Record<string, unknown>>;
  /** Messages in the topic now. */
  delivered(): Promise<number>;
  judge(options?: { maxDuplicates?: number }): Promise<Verdict>;
}

/** The window of a run: records handed in and not yet covered by a saved checkpoint, plus one batch of the reader. */
export const UNSAVED_RECORDS = 20_000 + 4_000;
const PARTITIONS = 6;

/** `destination`: of `main`, beside its brokers. `through`: where Headrace dials. */
export async function chaosFiles(
  t: TestContext,
  run: FaultRun,
  options: { bootstrap: string; through?: string; rows: number; destination?: object },
): Promise<ChaosFiles> {
  const { bootstrap, through = bootstrap, rows, destination = {} } = options;
  const topic = await newTopic(bootstrap, 'chaos-file', { partitions: PARTITIONS });
  const { expected, text } = await draft(run, topic, rows);
  const message = { topic, key: '$.key', headers: { id: '$.id' }, payload: { '@path': '$.' } };
  const setup = setUp(
    t,
    {
      destinations: { main: { brokers: through, ...destination } },
      sources: { lake: { type: 'files', path: '.' } },
      syncs: {
        rows: { source: 'lake', destination: 'main', read: { file: 'rows.jsonl' }, behaviour: 'send', message },
      },
    },
    { 'rows.jsonl': text },
  );
  const start = (launch?: LaunchOptions): Child =>
    launchHeadrace(['run', 'rows', '--config', setup.config, '--data', setup.data, '--json'], launch);
  return {
    setup,
    rows,
    start,
    async finish() {
      const exit = await start().exit;
      assert.equal(exit.code, 0, `${exit.stdout}\n${exit.stderr}`);
      const facts = factsOf(exit);
      assert.equal(facts['state'], 'succeeded');
      return facts;
    },
    delivered: async () => (await oracle(bootstrap).endOffsets(topic)).reduce((sum, end) => sum + end, 0),
    judge: ({ maxDuplicates = 0 } = {}) => run.judge({ expected, read: readTopics(bootstrap, [topic]), maxDuplicates }),
  };
}

export function factsOf(exit: Exit): Record<string, unknown> {
  return JSON.parse(exit.stdout) as Record<string, unknown>;
}

/** True when the process ended by itself, and well, before the condition held. */
export async function endsBefore(child: Child, condition: () => Promise<boolean>): Promise<boolean> {
  while (child.running) if (await condition()) return !child.running;
  const exit = await child.exit;
  assert.equal(exit.code, 0, `${exit.stdout}\n${exit.stderr}`);
  return true;
}

async function draft(
  run: FaultRun,
  topic: string,
  rows: number,
): Promise<{ expected: ExpectedRecord[]; text: string }> {
  const keys = drawKeys(run.random.stream('keys'), 500);
  const java = await partitionTable(keys, [PARTITIONS]);
  const draw = run.random.stream('rows');
  const expected: ExpectedRecord[] = [];
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    const key = draw.pick(keys);
    // Spaces, a trailing zero and the order of names are the source's own: JSON lines keep their bytes.
    const line = `{"id": "r-${row}", "key": ${JSON.stringify(key)}, "price": ${row}.10, "text":"${draw.text(8).repeat(draw.between(1, 30))}"}`;
    lines.push(line);
    expected.push({
      id: `r-${row}`,
      topic,
      key,
      sequence: row,
      partition: java(key, PARTITIONS),
      valueHash: hashValue(line),
      headers: [['id', `r-${row}`]],
    });
  }
  return { expected, text: `${lines.join('\n')}\n` };
}
