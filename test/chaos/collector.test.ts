/**
 * The collector under faults: what was answered 200 is in Kafka once, in order for each key, whether the process is
 * killed with -9, told to end, or finds Kafka away (Promises 1, 3 and 5; P18, F1, F4, F14).
 */
import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { CollectorLoad, type Answer } from '../support/collector-load.ts';
import { drawKeys } from '../support/flow.ts';
import { startHeadrace, type Server } from '../support/headrace.ts';
import { newTopic, ownKafka, sharedKafka } from '../support/kafka.ts';
import { startProxy } from '../support/proxy.ts';
import { amount, judge, partitionTable, readTopics, scenario, type Scenario } from '../support/scenario.ts';
import { setUp, type Setup } from '../support/setup.ts';
import { until } from '../support/until.ts';

const WRITE_KEY = 'chaos-key';
const PARTITIONS = 6;

describe('faults around the collector', { timeout: amount(180_000, 3_600_000) }, () => {
  let shared: string;
  before(async () => {
    shared = await sharedKafka();
  });

  test('killed with -9 under 64 connections and started again on the same data', async (t) => {
    const run = scenario(t, 'collector killed');
    const { load, setup, verdict } = await prepare(t, run, shared, 64);
    const draw = run.random.stream('faults');
    const kills = amount(4, 200);
    let server = await start(setup);
    load.goTo(server.address);
    let over = false;
    const sending = load.run(() => over);
    for (let kill = 0; kill < kills; kill++) {
      const at = load.acknowledged + draw.between(200, 3000);
      await until(`${at} acknowledged`, () => load.acknowledged >= at, { everyMs: 1, deadlineMs: 60_000 });
      load.pause();
      await server.kill();
      server = await start(setup);
      load.goTo(server.address);
    }
    const last = load.acknowledged + 1000;
    await until('the load goes on', () => load.acknowledged >= last, { deadlineMs: 60_000 });
    over = true;
    await sending;
    assert.equal((await server.stop()).code, 0);
    // What was under way at a kill was never answered; nothing sends it again: so even the unknown come at most once.
    const { counts } = await verdict();
    assert.ok(counts.unknown > 0, 'a kill met nothing under way');
    t.diagnostic(`${kills} kills, answers ${JSON.stringify([...load.statuses])}`);
  });

  test('SIGTERM under load: exit 0, everything answered is there once', async (t) => {
    const run = scenario(t, 'collector stopped');
    const [host, port] = shared.split(':');
    await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
    const { load, setup, verdict } = await prepare(t, run, shared, 64, proxy.bootstrap);
    const draw = run.random.stream('faults');
    for (let stop = 0; stop < amount(3, 100); stop++) {
      const server = await start(setup);
      load.goTo(server.address);
      // Sending goes on until the door is shut.
      let over = false;
      const answers: Answer[] = [];
      const sending = load.run(
        () => over,
        (answer) => {
          answers.push(answer);
          over ||= answer.unsent;
        },
      );
      const at = load.acknowledged + draw.between(200, 3000);
      await until(`${at} acknowledged`, () => load.acknowledged >= at, { everyMs: 1, deadlineMs: 60_000 });
      // Slow answers of Kafka, so that every sender waits for one when the signal comes.
      proxy.shape = { latencyMs: 400 };
      const slow = answers.length;
      await until('all wait', () => answers.length >= slow + 64, { everyMs: 1 });
      const began = performance.now();
      const { code, stderr } = await server.stop('SIGTERM', 10_000);
      await sending;
      assert.equal(code, 0, stderr);
      proxy.shape = {};
      // A request that was in well before the signal is finished (P18).
      const inBefore = answers.filter(({ beganMs, ms }) => beganMs < began - 150 && beganMs + ms > began);
      assert.ok(inBefore.length > 10, `${inBefore.length} requests were under way`);
      assert.deepEqual([...new Set(inBefore.map((answer) => answer.status))], [200]);
      t.diagnostic(`ended ${Math.round(performance.now() - began)} ms after SIGTERM`);
    }
    await verdict();
    t.diagnostic(`answers ${JSON.stringify([...load.statuses])}`);
  });

  test('Kafka away: 429 with Retry-After after 8 s; what waited behind a send is absent, and all goes on once it is back', async (t) => {
    const run = scenario(t, 'kafka away');
    const kafka = await ownKafka();
    const { load, setup, verdict } = await prepare(t, run, kafka.bootstrap, 128);
    const draw = run.random.stream('events');
    const server = await start(setup);
    load.goTo(server.address);
    const keys = drawKeys(run.random.stream('keys'), 64);
    await load.run(() => load.acknowledged >= 500);
    await kafka.nodes[0]!.kill('SIGKILL');
    // The first request of each key fills its lane; what comes later waits behind it and must be withdrawn.
    const answered = load.expected.length;
    const first = keys.map((key) => load.send([key], draw));
    await until('the first are in', async () => (await pending(server)) === load.expected.length - answered);
    const behind = keys.map((key) => load.send([key], draw));
    const ready = await fetch(`${server.address}/readyz`);
    assert.equal(ready.status, 200, '/readyz while Kafka is away');
    const answers = await Promise.all([...first, ...behind]);
    for (const answer of answers) {
      assert.equal(answer.status, 429);
      assert.match(answer.retryAfter ?? '', /^[1-9]\d*$/);
      assert.ok(answer.ms < 10_000, `answered after ${answer.ms} ms`);
    }
    for (const { ids } of await Promise.all(behind)) load.ledger.settle(ids, 'fail');
    await kafka.nodes[0]!.restart();
    const sofar = load.acknowledged;
    await until('events are accepted again', async () => (await load.send(keys, draw)).status === 200);
    await load.run(() => load.acknowledged >= sofar + 1000);

    // Away once more, and told to end: it does not wait for what cannot come, and says so to those who do.
    await kafka.nodes[0]!.kill('SIGKILL');
    const before = load.expected.length;
    const waiting = keys.map((key) => load.send([key], draw));
    await until('all are in', async () => (await pending(server)) === load.expected.length - before);
    const began = performance.now();
    assert.equal((await server.stop('SIGTERM', 15_000)).code, 0);
    t.diagnostic(`ended ${Math.round(performance.now() - began)} ms after SIGTERM, Kafka away`);
    for (const answer of await Promise.all(waiting)) assert.notEqual(answer.status, 200);
    await kafka.nodes[0]!.restart();
    await verdict();
  });
});

function start(setup: Setup): Promise<Server> {
  return startHeadrace({ data: setup.data, config: setup.config });
}

/** Messages handed in and without an outcome, by the server's own account. */
async function pending(server: Server): Promise<number> {
  const text = await (await fetch(`${server.address}/metrics`)).text();
  return Number(/^headrace_pending_messages\{.*\} (\d+)$/m.exec(text)?.[1]);
}

async function prepare(
  t: TestContext,
  run: Scenario,
  bootstrap: string,
  connections: number,
  through = bootstrap,
): Promise<{ load: CollectorLoad; setup: Setup; verdict: () => ReturnType<typeof judge> }> {
  const topic = await newTopic(bootstrap, 'chaos-collector', { partitions: PARTITIONS });
  const keys = drawKeys(run.random.stream('keys'), 64 * 8);
  const load = new CollectorLoad({
    writeKey: WRITE_KEY,
    topic,
    partitions: PARTITIONS,
    javaPartition: await partitionTable(keys, [PARTITIONS]),
    keys,
    connections,
    random: run.random.stream('load'),
  });
  t.after(() => load.close());
  const setup = setUp(t, {
    destinations: { main: { brokers: through } },
    sources: { website: { type: 'events', write_key: WRITE_KEY } },
    syncs: {
      tracks: {
        source: 'website',
        destination: 'main',
        types: ['track'],
        message: { topic, key: '$.userId', headers: { id: '$.messageId' }, payload: { '@path': '$.' } },
      },
    },
  });
  const verdict = async (): ReturnType<typeof judge> =>
    await judge(t, {
      seed: run.seed,
      expected: load.expected,
      ledger: load.ledger,
      read: readTopics(bootstrap, [topic]),
      maxDuplicates: 0,
      checkValue: (id, record) => load.checkValue(id, record),
    });
  return { load, setup, verdict };
}
