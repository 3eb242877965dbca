/**
 * The process ended at named points of its code: killed where something becomes durable or is promised (F3), or broken by
 * an error that nobody foresaw, after which it ends, says so, and starts again as if it had been killed (P42).
 */
import assert from 'node:assert/strict';
import { before, describe } from 'node:test';
import { acknowledged, chaosCollector, type ChaosCollector } from '../support/chaos-collector.ts';
import { chaosFiles, UNSAVED_RECORDS } from '../support/chaos-files.ts';
import { collectorPoints, failingAt, runPoints, spoolPoints, type FailAction } from '../support/failpoints.ts';
import { faultTest, type FaultRun } from '../support/fault-test.ts';
import type { Child } from '../support/headrace.ts';
import { sharedKafka } from '../support/kafka.ts';
import { amount } from '../support/scenario.ts';
import { startProxy } from '../support/proxy.ts';

const subject = 'collector';
/** What was on the disk and in a send, of six lanes. */
const REPEATED = 6 * 1002;

describe('ended at named points of the code', () => {
  let shared: string;
  before(async () => {
    shared = await sharedKafka();
  });

  faultTest(
    { fault: 'F3', subject, title: 'killed with -9 at each point between a post and its answer' },
    async (t, run) => {
      const collector = await chaosCollector(t, run, { bootstrap: shared });
      const points = run.random.shuffle(collectorPoints.filter((name) => name !== 'ready.before'));
      let ended = 0;
      for (const name of points.slice(0, amount(1, points.length))) {
        ended += await endsAt(run, collector, name, run.random.between(1, 60), 'kill');
        assert.ok(run.timeLeft);
      }
      await goesOn(collector);
      await collector.judge({ maxDuplicates: ended * REPEATED, unknownMayRepeat: true });
    },
  );

  faultTest({ fault: 'F3', subject, title: 'killed with -9 at each point of the spool' }, async (t, run) => {
    const [host, port] = shared.split(':');
    await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
    const collector = await chaosCollector(t, run, { bootstrap: shared, through: proxy.bootstrap });
    const points = run.random.shuffle(spoolPoints);
    let ended = 0;
    for (const name of points.slice(0, amount(1, 2 * points.length))) {
      // Kafka is away when it begins; what is on the disk is removed once it is back.
      const removing = name.startsWith('spool.remove');
      proxy.accept(removing && ended > 0);
      ended += await endsAt(
        run,
        collector,
        name,
        run.random.between(1, name.includes('create') || removing ? 1 : 30),
        'kill',
        () => proxy.accept(true),
      );
      if (!run.timeLeft) break;
    }
    proxy.accept(true);
    await goesOn(collector);
    await collector.judge({ maxDuplicates: ended * REPEATED, unknownMayRepeat: true });
  });

  faultTest({ fault: 'F3', subject: 'files', title: 'killed with -9 at each point of a run' }, async (t, run) => {
    const files = await chaosFiles(t, run, { bootstrap: shared, rows: amount(20_000, 100_000) });
    const points = run.random.shuffle(runPoints);
    let kills = 0;
    for (const name of points.slice(0, amount(1, points.length))) {
      const hit = name === 'run-end.before' ? 1 : run.random.between(1, 4);
      const exit = await files.start({ env: failingAt(name, hit, 'kill') }).exit;
      if (exit.code === 0) continue; // it was over before
      assert.equal(exit.signal, 'SIGKILL', exit.stderr);
      kills++;
      run.carriedOut(1);
    }
    await files.finish();
    await files.judge({ maxDuplicates: kills * UNSAVED_RECORDS });
  });

  faultTest(
    { fault: 'P42', subject, title: 'an error that nobody foresaw: told in the log, exit 1, and a clean start' },
    async (t, run) => {
      const collector = await chaosCollector(t, run, { bootstrap: shared });
      const points = run.random.shuffle(collectorPoints.filter((name) => name !== 'ready.before'));
      let ended = 0;
      for (let round = 0; round < amount(1, 20) && run.timeLeft; round++) {
        const action = run.random.pick(['throw', 'reject'] as const);
        ended += await endsAt(run, collector, points[round % points.length]!, run.random.between(1, 40), action);
      }
      await goesOn(collector);
      await collector.judge({ maxDuplicates: ended * REPEATED, unknownMayRepeat: true });
    },
  );
});

/** Starts it so that it fails there, posts until it has; 1 when it did, 0 when the point was not reached. */
async function endsAt(
  run: FaultRun,
  { start, load }: ChaosCollector,
  name: string,
  hit: number,
  action: FailAction,
  later: () => void = () => {},
): Promise<number> {
  const server = await start({ env: failingAt(name, hit, action) }).catch((error: unknown) => {
    // What was left on the disk takes it there before it is ready.
    if (action === 'kill' && /exit SIGKILL/.test(String(error))) return null;
    throw error;
  });
  if (server === null) {
    run.carriedOut(1);
    return 1;
  }
  load.goTo(server.address);
  const began = performance.now();
  let letGo = false;
  await load.run(() => {
    const ms = performance.now() - began;
    if (ms > 12_000 && !letGo) {
      letGo = true;
      later();
    }
    return !server.running || ms > 25_000;
  });
  load.pause();
  if (server.running) {
    const { stdout } = await server.kill();
    assert.ok(!stdout.includes(`at ${name}`), `it went on after what nobody foresaw\n${stdout}`);
    return 0;
  }
  await endedSo(server, name, action);
  run.carriedOut(1);
  return 1;
}

async function endedSo(server: Child, name: string, action: FailAction): Promise<void> {
  const exit = await server.exit;
  if (action === 'kill') return assert.equal(exit.signal, 'SIGKILL', exit.stderr);
  assert.equal(exit.code, 1, exit.stderr);
  const told = `${action === 'throw' ? 'thrown' : 'rejected'} at ${name}`;
  assert.ok(
    exit.stdout.split('\n').some((line) => line.includes(told)),
    `its log does not tell "${told}"\n${exit.stdout}`,
  );
}

/** It needs no hand: the next start takes events, and delivers all that was answered. */
async function goesOn({ start, load, settled }: ChaosCollector): Promise<void> {
  const server = await start();
  load.goTo(server.address);
  let over = false;
  const sending = load.run(() => over);
  await acknowledged(load, 300);
  over = true;
  await sending;
  await settled(server);
  assert.equal((await server.stop()).code, 0);
}
