/**
 * The spool under faults: while Kafka is away events are taken and answered, and all of them are in Kafka once it is back,
 * in order for each key, also when this process is killed or ended meanwhile (Promises 1, 3, 5; G7, F4, F14).
 */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { RunningKafka } from '../../src/local/kafka.ts';
import { CollectorLoad } from '../support/collector-load.ts';
import { drawKeys } from '../support/flow.ts';
import { startHeadrace, type Server } from '../support/headrace.ts';
import { newTopic, ownKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { amount, judge, partitionTable, readTopics, scenario, type Scenario } from '../support/scenario.ts';
import { setUp, type Setup } from '../support/setup.ts';
import { until } from '../support/until.ts';

const WRITE_KEY = 'spool-key';
const PARTITIONS = 6;

describe('Kafka away, with a spool', { timeout: amount(600_000, 3_600_000) }, () => {
  test('broker killed under load and back: everything answered 200, nothing lost, doubled or reordered', async (t) => {
    const run = scenario(t, 'spool broker');
    const kafka = await ownKafka();
    const { load, setup, verdict } = await prepare(t, run, kafka.bootstrap);
    const draw = run.random.stream('faults');
    const server = await start(setup);
    load.goTo(server.address);
    let over = false;
    const sending = load.run(() => over);
    for (let fault = 0; fault < amount(2, 40); fault++) {
      await acknowledged(load, draw.between(300, 2000));
      await kafka.nodes[0]!.kill('SIGKILL');
      const killedMs = performance.now();
      // Enough to be sure that they went to the disk.
      await acknowledged(load, draw.between(2000, 6000));
      await checkOutageMetrics(server, load, killedMs);
      await kafka.nodes[0]!.restart();
      await acknowledged(load, draw.between(300, 2000));
    }
    await untilEmpty(server);
    await acknowledged(load, 500);
    over = true;
    await sending;
    assert.deepEqual([...load.statuses.keys()], [200], `answers ${JSON.stringify([...load.statuses])}`);
    await untilEmpty(server);
    assert.deepEqual(await spoolMetrics(server), { messages: 0, bytes: 0, oldest_age_seconds: 0, unusable: 0 });
    await checkThatItSaysWhenItIsOver(server, load, kafka);
    assert.equal((await server.stop()).code, 0);
    await verdict(0);
    assert.deepEqual(segments(setup), [], 'what is delivered is removed');
  });

  test('killed with -9 while Kafka is away, again and again: all that was answered is sent after the start', async (t) => {
    const run = scenario(t, 'spool killed');
    const kafka = await ownKafka();
    const { load, setup, verdict } = await prepare(t, run, kafka.bootstrap);
    const draw = run.random.stream('faults');
    let server = await start(setup);
    load.goTo(server.address);
    let over = false;
    const sending = load.run(() => over);
    await acknowledged(load, 500);
    await kafka.nodes[0]!.kill('SIGKILL');
    for (let kill = 0; kill < amount(3, 200); kill++) {
      await acknowledged(load, draw.between(200, 3000));
      load.pause();
      await server.kill();
      server = await start(setup);
      load.goTo(server.address);
    }
    await acknowledged(load, 500);
    await kafka.nodes[0]!.restart();
    await acknowledged(load, draw.between(1, 1500));
    // And while it drains.
    load.pause();
    await server.kill();
    server = await start(setup);
    load.goTo(server.address);
    await acknowledged(load, 500);
    over = true;
    await sending;
    await untilEmpty(server);
    assert.equal((await server.stop()).code, 0);
    // What was in a send at the first kill, and at the last one what was sent since progress was saved.
    await verdict(6_000);
  });

  test('SIGTERM while Kafka is away: exit 0 within 3 s, and what was answered is sent by the next process', async (t) => {
    const run = scenario(t, 'spool ended');
    const kafka = await ownKafka();
    const { load, setup, verdict } = await prepare(t, run, kafka.bootstrap);
    let server = await start(setup);
    load.goTo(server.address);
    let over = false;
    const sending = load.run(() => over);
    await acknowledged(load, 500);
    await kafka.nodes[0]!.kill('SIGKILL');
    for (let stop = 0; stop < amount(2, 40); stop++) {
      await acknowledged(load, 1000);
      const began = performance.now();
      const ended = server.stop('SIGTERM', 15_000);
      await until('it has closed the door', async () => !(await isReady(server)));
      load.pause();
      const { code, stdout, stderr } = await ended;
      assert.match(stdout + stderr, /nothing was left without an answer/);
      const took = performance.now() - began;
      t.diagnostic(`ended ${Math.round(took)} ms after SIGTERM`);
      assert.equal(code, 0);
      // On a machine that starts it in 1.5 s; one that is busy is slower in everything.
      assert.ok(took < Math.max(3_000, server.readyAfterMs * 2), `${took} ms, started in ${server.readyAfterMs} ms`);
      server = await start(setup);
      load.goTo(server.address);
    }
    await acknowledged(load, 500);
    await kafka.nodes[0]!.restart();
    over = true;
    await sending;
    await untilEmpty(server);
    assert.equal((await server.stop()).code, 0);
    // The batches in a send when the broker died: nobody can tell whether they were written.
    await verdict(PARTITIONS * 1002);
  });

  test('a topic that is missing waits on the disk, and holds up no other topic', async (t) => {
    const run = scenario(t, 'spool parked');
    const kafka = await ownKafka();
    const missing = uniqueTopic('spool-missing');
    const { load, setup, verdict } = await prepare(t, run, kafka.bootstrap, missing);
    const server = await start(setup);
    load.goTo(server.address);
    await load.run(() => load.acknowledged >= 2_000);
    assert.deepEqual([...load.statuses.keys()], [200]);
    const { destinations } = await status(server);
    assert.ok(destinations[0]!.spool.messages > 0, JSON.stringify(destinations));
    const why = async (): Promise<string> =>
      (await status(server)).syncs.find(({ name }) => name === 'copies')?.held ?? '';
    await until('it is told why', async () => /does not exist/.test(await why()));
    await oracle(kafka.bootstrap).createTopic(missing, { partitions: PARTITIONS });
    await untilEmpty(server);
    await load.run(() => load.acknowledged >= 2_500);
    await untilEmpty(server);
    assert.equal((await server.stop()).code, 0);
    await verdict(0);
  });
});

function start(setup: Setup): Promise<Server> {
  return startHeadrace({ data: setup.data, config: setup.config, deadlineMs: 120_000 });
}

async function acknowledged(load: CollectorLoad, more: number): Promise<void> {
  const at = load.acknowledged + more;
  await until(`${at} acknowledged`, () => load.acknowledged >= at, { everyMs: 2, deadlineMs: 120_000 });
}

interface Status {
  readonly destinations: readonly {
    readonly name: string;
    readonly pendingMessages: number;
    readonly spool: { readonly messages: number; readonly bytes: number; readonly oldestAgeSeconds: number };
  }[];
  readonly syncs: readonly { readonly name: string; readonly held: string | null }[];
}

async function status(server: Server): Promise<Status> {
  const answer = await fetch(`${server.address}/api/status`, { headers: { authorization: `Bearer ${server.token}` } });
  return (await answer.json()) as Status;
}

async function untilEmpty(server: Server): Promise<void> {
  const empty = async (): Promise<boolean> => {
    const [destination] = (await status(server)).destinations;
    return destination!.spool.messages === 0 && destination!.spool.bytes === 0;
  };
  await until('the spool is empty', empty, { deadlineMs: 150_000 });
}

const metricNames = ['messages', 'bytes', 'oldest_age_seconds', 'unusable'] as const;

/** What `/metrics` says of the spool, as a scraper reads it. */
async function spoolMetrics(server: Server): Promise<Record<(typeof metricNames)[number], number>> {
  const text = await (await fetch(`${server.address}/metrics`)).text();
  const valueOf = (name: string): number => {
    const found = new RegExp(`^headrace_spool_${name}\\{destination="main"\\} (\\S+)$`, 'm').exec(text);
    assert.ok(found, `headrace_spool_${name} is missing:\n${text}`);
    return Number(found[1]);
  };
  return Object.fromEntries(metricNames.map((name) => [name, valueOf(name)])) as Awaited<
    ReturnType<typeof spoolMetrics>
  >;
}

/** While Kafka is away: what waits is told, and its age grows with time and with nothing else. */
async function checkOutageMetrics(server: Server, load: CollectorLoad, killedMs: number): Promise<void> {
  const first = await spoolMetrics(server);
  const firstMs = performance.now();
  const told = JSON.stringify(first);
  assert.ok(first.messages > 0 && first.messages <= load.expected.length, told);
  // A frame of one event: some sixty bytes besides the event.
  assert.ok(first.bytes > first.messages * 60, told);
  assert.equal(first.unusable, 0);
  const outage = (performance.now() - killedMs) / 1000;
  // The oldest may have been accepted while the broker was dying.
  assert.ok(first.oldest_age_seconds > 0 && first.oldest_age_seconds < outage + 2, `${told}, away for ${outage} s`);
  await until('it gets older', async () => {
    const { oldest_age_seconds: age, messages } = await spoolMetrics(server);
    assert.ok(messages >= first.messages, 'nothing is delivered');
    const passed = (performance.now() - firstMs) / 1000;
    const grown = age - first.oldest_age_seconds;
    assert.ok(Math.abs(grown - passed) < 1, `older by ${grown} s after ${passed} s`);
    return grown > 0.5;
  });
}

/** Why a sync waits is told, and no longer once the disk is empty, also when no new event comes. */
async function checkThatItSaysWhenItIsOver(server: Server, load: CollectorLoad, kafka: RunningKafka): Promise<void> {
  const why = async (): Promise<string | null> => (await status(server)).syncs[0]!.held;
  await kafka.nodes[0]!.kill('SIGKILL');
  const at = load.acknowledged + 50;
  await load.run(() => load.acknowledged >= at);
  await until('it is told why', async () => (await why()) !== null);
  await kafka.nodes[0]!.restart();
  await untilEmpty(server);
  assert.equal(await why(), null);
}

async function isReady(server: Server): Promise<boolean> {
  const answer = await fetch(`${server.address}/readyz`).catch(() => null);
  await answer?.arrayBuffer();
  return answer?.status === 200;
}

function segments({ data }: Setup): string[] {
  const folder = join(data, 'spool', 'main');
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  return readdirSync(folder).filter((name) => name.endsWith('.seg'));
}

async function prepare(
  t: TestContext,
  run: Scenario,
  bootstrap: string,
  second?: string,
): Promise<{ load: CollectorLoad; setup: Setup; verdict: (maxDuplicates: number) => Promise<void> }> {
  const topic = await newTopic(bootstrap, 'chaos-spool', { partitions: PARTITIONS });
  const keys = drawKeys(run.random.stream('keys'), 256);
  const javaPartition = await partitionTable(keys, [PARTITIONS]);
  const load = new CollectorLoad({
    writeKey: WRITE_KEY,
    topic,
    partitions: PARTITIONS,
    javaPartition,
    keys,
    connections: 32,
    random: run.random.stream('load'),
  });
  t.after(() => load.close());
  const sync = (to: string): object => ({
    source: 'website',
    destination: 'main',
    types: ['track'],
    message: { topic: to, key: '$.userId', headers: { id: '$.messageId' }, payload: { '@path': '$.' } },
  });
  const setup = setUp(t, {
    destinations: { main: { brokers: bootstrap } },
    sources: { website: { type: 'events', write_key: WRITE_KEY } },
    syncs: { tracks: sync(topic), ...(second === undefined ? {} : { copies: sync(second) }) },
  });
  const verdict = async (maxDuplicates: number): Promise<void> => {
    for (const name of second === undefined ? [topic] : [topic, second]) {
      const { counts } = await judge(t, {
        seed: run.seed,
        expected: load.expected.map((one) => ({ ...one, topic: name })),
        ledger: load.ledger,
        read: readTopics(bootstrap, [name]),
        maxDuplicates,
        // One that was on the disk and unanswered at a kill is as any other.
        unknownMayRepeat: maxDuplicates > 0,
        checkValue: (id, record) => load.checkValue(id, record),
      });
      t.diagnostic(`${name}: ${counts.duplicates} duplicates`);
    }
  };
  return { load, setup, verdict };
}
