/**
 * A run over a file, killed with -9 and run again until it is done: nothing lost, order kept by first sight, and no more
 * doubled than was under way at each kill (Promises 2 to 5; F1). Told to end, it doubles nothing.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { ExpectedRecord } from '../support/check-topic.ts';
import { hashValue } from '../support/check-topic.ts';
import { drawKeys } from '../support/flow.ts';
import { launchHeadrace, type Child, type Exit } from '../support/headrace.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { amount, judge, partitionTable, readTopics, scenario, type Scenario } from '../support/scenario.ts';
import { setUp, type Setup } from '../support/setup.ts';

const PARTITIONS = 6;
/** The window of a run: records handed in and not yet covered by a saved checkpoint, plus one batch of the reader. */
const UNSAVED_RECORDS = 20_000 + 4_000;

describe('faults of a file run', { timeout: amount(180_000, 3_600_000) }, () => {
  test('killed with -9 several times and run again until it is done', async (t) => {
    const run = scenario(t, 'run killed');
    const rows = amount(200_000, 2_000_000);
    const { setup, topic, bootstrap, expected } = await prepare(t, run, rows);
    const draw = run.random.stream('faults');
    let kills = 0;
    for (; kills < amount(4, 60); kills++) {
      const child = startRun(setup);
      const at = (await messagesIn(bootstrap, topic)) + draw.between(1, Math.floor(rows / 8));
      if (await endsBefore(child, () => reached(bootstrap, topic, at))) break;
      assert.equal((await child.kill()).signal, 'SIGKILL');
    }
    const facts = await finish(setup);
    assert.equal(facts['read'], rows);
    assert.equal(facts['delivered'], rows);
    const verdict = await judge(t, {
      seed: run.seed,
      expected,
      read: readTopics(bootstrap, [topic]),
      maxDuplicates: kills * UNSAVED_RECORDS,
    });
    assert.ok(kills >= 2, `the run was over after ${kills} kills`);
    t.diagnostic(`${kills} kills, ${Math.round(verdict.counts.duplicates / kills)} duplicates for each`);
  });

  test('SIGTERM: the run is cancelled, and taken up again it doubles nothing', async (t) => {
    const run = scenario(t, 'run stopped');
    const rows = amount(100_000, 1_000_000);
    const { setup, topic, bootstrap, expected } = await prepare(t, run, rows);
    const draw = run.random.stream('faults');
    let stops = 0;
    for (; stops < amount(3, 30); stops++) {
      const child = startRun(setup);
      const at = (await messagesIn(bootstrap, topic)) + draw.between(1, Math.floor(rows / 6));
      if (await endsBefore(child, () => reached(bootstrap, topic, at))) break;
      const exit = await child.stop('SIGTERM', 10_000);
      if (exit.code === 0) break; // it was over before it heard
      assert.equal(exit.code, 1, exit.stderr);
      assert.equal(factsOf(exit)['state'], 'cancelled');
    }
    assert.equal((await finish(setup))['delivered'], rows);
    await judge(t, { seed: run.seed, expected, read: readTopics(bootstrap, [topic]), maxDuplicates: 0 });
    assert.ok(stops >= 1, 'the run was over before it was stopped');
  });
});

async function prepare(
  t: TestContext,
  run: Scenario,
  rows: number,
): Promise<{ setup: Setup; topic: string; bootstrap: string; expected: ExpectedRecord[] }> {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'chaos-file', { partitions: PARTITIONS });
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
  const setup = setUp(
    t,
    {
      destinations: { main: { brokers: bootstrap } },
      sources: { lake: { type: 'files', path: '.' } },
      syncs: {
        rows: {
          source: 'lake',
          destination: 'main',
          read: { file: 'rows.jsonl' },
          behaviour: 'send',
          message: { topic, key: '$.key', headers: { id: '$.id' }, payload: { '@path': '$.' } },
        },
      },
    },
    { 'rows.jsonl': `${lines.join('\n')}\n` },
  );
  return { setup, topic, bootstrap, expected };
}

function startRun(setup: Setup): Child {
  return launchHeadrace(['run', 'rows', '--config', setup.config, '--data', setup.data, '--json']);
}

/** Runs it to the end. */
async function finish(setup: Setup): Promise<Record<string, unknown>> {
  const exit = await startRun(setup).exit;
  assert.equal(exit.code, 0, `${exit.stdout}\n${exit.stderr}`);
  const facts = factsOf(exit);
  assert.equal(facts['state'], 'succeeded');
  return facts;
}

function factsOf(exit: Exit): Record<string, unknown> {
  return JSON.parse(exit.stdout) as Record<string, unknown>;
}

async function messagesIn(bootstrap: string, topic: string): Promise<number> {
  return (await oracle(bootstrap).endOffsets(topic)).reduce((sum, end) => sum + end, 0);
}

async function reached(bootstrap: string, topic: string, count: number): Promise<boolean> {
  return (await messagesIn(bootstrap, topic)) >= count;
}

/** True when the process ended by itself before the condition held. */
async function endsBefore(child: Child, condition: () => Promise<boolean>): Promise<boolean> {
  while (child.running) {
    if (await condition()) return !child.running;
  }
  const exit = await child.exit;
  assert.equal(exit.code, 0, `${exit.stdout}\n${exit.stderr}`);
  return true;
}
