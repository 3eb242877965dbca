/**
 * The collector under faults: what was answered 200 is in Kafka once, in order for each key, whether the process is
 * killed with -9, told to end, or finds Kafka away (Promises 1, 3 and 5; P18, F1, F2, F4, F14).
 */
import assert from 'node:assert/strict';
import { before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chaosCollector, acknowledged, pending } from '../support/chaos-collector.ts';
import type { Answer } from '../support/collector-load.ts';
import { faultTest } from '../support/fault-test.ts';
import { drawKeys } from '../support/flow.ts';
import { launchHeadrace } from '../support/headrace.ts';
import { ownKafka, sharedKafka } from '../support/kafka.ts';
import { startProxy } from '../support/proxy.ts';
import { amount } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const subject = 'collector';

/** At each kill, what was on the disk and in a send is sent again: a batch of each lane, and what was done since progress was saved. */
function mayRepeat(kills: number): { maxDuplicates: number; unknownMayRepeat: true } {
  return { maxDuplicates: kills * 6 * 1002, unknownMayRepeat: true };
}

describe('faults around the collector', () => {
  let shared: string;
  before(async () => {
    shared = await sharedKafka();
  });

  faultTest(
    { fault: 'F1', subject, title: 'killed with -9 under 64 connections and started again on the same data' },
    async (t, run) => {
      const collector = await chaosCollector(t, run, { bootstrap: shared });
      const { load } = collector;
      const draw = run.random.stream('faults');
      const kills = amount(4, 60);
      let server = await collector.start();
      load.goTo(server.address);
      let over = false;
      const sending = load.run(() => over);
      let kill = 0;
      for (; kill < kills && run.timeLeft; kill++) {
        await acknowledged(load, draw.between(50, 2000));
        load.pause();
        await server.kill();
        run.carriedOut(1);
        server = await collector.start();
        run.figure('readyAfterMs', server.readyAfterMs);
        load.goTo(server.address);
      }
      await acknowledged(load, 1000);
      over = true;
      await sending;
      await collector.settled(server);
      assert.equal((await server.stop()).code, 0);
      const { counts } = await collector.judge(mayRepeat(kill));
      assert.ok(counts.unknown > 0, 'a kill met nothing under way');
      t.diagnostic(`answers ${JSON.stringify([...load.statuses])}`);
    },
  );

  const spooling = { fault: 'F1', subject, title: 'killed with -9, Kafka away in part of them', only: 'long' } as const;
  faultTest(spooling, async (t, run) => {
    const kafka = await ownKafka();
    const collector = await chaosCollector(t, run, { bootstrap: kafka.bootstrap });
    const { load } = collector;
    const draw = run.random.stream('faults');
    const broker = kafka.nodes[0]!;
    let server = await collector.start();
    load.goTo(server.address);
    let over = false;
    const sending = load.run(() => over);
    let kills = 0;
    let away = 0;
    for (; kills < 40 && run.timeLeft; kills++) {
      await acknowledged(load, draw.between(50, 1500));
      // It goes away, stays away or comes back: killed while events go to the disk, wait there or leave it.
      if (draw.chance(0.4)) await (broker.pid === null ? broker.restart() : broker.kill('SIGKILL'));
      if (draw.chance(0.5)) await acknowledged(load, draw.between(1, 1500));
      load.pause();
      await server.kill();
      run.carriedOut(1);
      if (broker.pid === null) run.figure('killsWithKafkaAway', (away += 1));
      server = await collector.start();
      load.goTo(server.address);
    }
    if (broker.pid === null) await broker.restart();
    await acknowledged(load, 1000);
    over = true;
    await sending;
    await collector.settled(server);
    assert.equal((await server.stop()).code, 0);
    assert.deepEqual(
      [...load.statuses.keys()].filter((status) => status !== null),
      [200],
    );
    await collector.judge(mayRepeat(kills));
  });

  faultTest({ fault: 'F2', subject, title: 'killed with -9 while it starts, again and again' }, async (t, run) => {
    const collector = await chaosCollector(t, run, { bootstrap: shared });
    const { load, setup } = collector;
    const draw = run.random.stream('faults');
    for (let round = 0; round < amount(1, 10) && run.timeLeft; round++) {
      for (let kill = 0; kill < amount(3, 8); kill++) {
        const child = launchHeadrace(['start', '--data', setup.data, '--port', '0', '--config', setup.config]);
        await sleep(draw.between(20, 900));
        assert.ok(child.running, `it ended by itself\n${child.stdout}\n${child.stderr}`);
        await child.kill();
        run.carriedOut(1);
      }
      // It never needs a hand: the next start finds everything in order, and is killed under load.
      const server = await collector.start();
      load.goTo(server.address);
      const at = load.acknowledged + 300;
      await load.run(() => load.acknowledged >= at);
      load.pause();
      await server.kill();
    }
    const server = await collector.start();
    load.goTo(server.address);
    const at = load.acknowledged + 300;
    await load.run(() => load.acknowledged >= at);
    await collector.settled(server);
    assert.equal((await server.stop()).code, 0);
    await collector.judge();
  });

  faultTest(
    { fault: 'F4', subject, title: 'SIGTERM under load: exit 0, everything answered is there once' },
    async (t, run) => {
      const [host, port] = shared.split(':');
      await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
      const collector = await chaosCollector(t, run, {
        bootstrap: shared,
        through: proxy.bootstrap,
        destination: { spool: false },
      });
      const { load } = collector;
      const draw = run.random.stream('faults');
      for (let stop = 0; stop < amount(3, 60) && run.timeLeft; stop++) {
        const server = await collector.start();
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
        await acknowledged(load, draw.between(200, 3000));
        // Slow answers of Kafka, so that every sender waits for one when the signal comes.
        proxy.shape = { latencyMs: 1000 };
        const slow = answers.length;
        await until('all wait', () => answers.length >= slow + 64, { everyMs: 1 });
        const waiting = performance.now();
        await until('they are well in', () => performance.now() > waiting + 300, { everyMs: 10 });
        const began = performance.now();
        const { code, stderr } = await server.stop('SIGTERM', 10_000);
        run.carriedOut(1);
        run.figure('endedMs', performance.now() - began);
        await sending;
        assert.equal(code, 0, stderr);
        proxy.shape = {};
        // A request that was in well before the signal is finished (P18).
        const inBefore = answers.filter(({ beganMs, ms }) => beganMs < began - 150 && beganMs + ms > began);
        assert.ok(inBefore.length > 10, `${inBefore.length} requests were under way`);
        assert.deepEqual([...new Set(inBefore.map((answer) => answer.status))], [200]);
      }
      await collector.judge();
      t.diagnostic(`answers ${JSON.stringify([...load.statuses])}`);
    },
  );

  const away =
    'Kafka away, no spool: 429 with Retry-After after 8 s; what waited behind a send is absent, and all goes on once it is back';
  faultTest({ fault: 'F14', subject, title: away }, async (t, run) => {
    const kafka = await ownKafka();
    const collector = await chaosCollector(t, run, {
      bootstrap: kafka.bootstrap,
      connections: 128,
      destination: { spool: false },
    });
    const { load } = collector;
    const draw = run.random.stream('events');
    const server = await collector.start();
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
    run.carriedOut(1);

    // Away once more, and told to end: it does not wait for what cannot come, and says so to those who do.
    await kafka.nodes[0]!.kill('SIGKILL');
    const before = load.expected.length;
    const waiting = keys.map((key) => load.send([key], draw));
    await until('all are in', async () => (await pending(server)) === load.expected.length - before);
    const began = performance.now();
    assert.equal((await server.stop('SIGTERM', 15_000)).code, 0);
    run.figure('endedAwayMs', performance.now() - began);
    run.carriedOut(1);
    for (const answer of await Promise.all(waiting)) assert.notEqual(answer.status, 200);
    await kafka.nodes[0]!.restart();
    await collector.judge();
  });
});
