/**
 * The only broker killed with -9 and restarted at random moments, or frozen, while keyed messages flow: none lost, none
 * doubled, order per key kept (Promises 3 and 5; F5, F7).
 */
import assert from 'node:assert/strict';
import { describe, type TestContext } from 'node:test';
import { AckMeter } from '../support/ack-meter.ts';
import { chaosCollector } from '../support/chaos-collector.ts';
import { chaosFiles, factsOf } from '../support/chaos-files.ts';
import { ClusterFaults } from '../support/cluster-faults.ts';
import { Faults } from '../support/fault-plan.ts';
import { faultTest, type FaultRun } from '../support/fault-test.ts';
import { ownKafka } from '../support/kafka.ts';
import { random } from '../support/random.ts';
import { amount, flowAndJudge, longChaos } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** In the short form the whole program meets the fault either as a collector or in a run, by the seed. */
const collectorIsNext = random('broker killed: whom').chance(0.5);

describe('faults of the only broker', () => {
  const title = 'killed with -9 and restarted while 200,000 keyed messages flow';
  faultTest({ fault: 'F5', subject: 'delivery', title }, async (t, run) => {
    const kafka = await ownKafka();
    const meter = new AckMeter();
    const cluster = new ClusterFaults(kafka, meter);
    const times = amount(3, 25);
    const messages = amount(200_000, 1_500_000);
    const faults = new Faults({
      random: run.random.stream('faults'),
      times,
      apart: { from: 1, to: Math.floor((messages * 0.9) / times) },
      carryOut: () => cluster.killOnly(),
      meter,
    });
    try {
      const { result } = await flowAndJudge(t, run, {
        bootstrap: kafka.bootstrap,
        messages,
        partitions: [1, 3, 6, 12],
        // Smaller than a broker would like, so that a kill finds much under way.
        flow: {
          producer: { batchMessages: 200, bufferMemoryBytes: 4 * 1024 * 1024 },
          meter,
          onProgress: faults.onProgress,
          over: () => longChaos && faults.over,
        },
      });
      assert.equal(result.delivered, result.expected.length);
    } finally {
      run.noteAll(faults);
    }
    assert.ok(faults.carriedOut >= 2, `${faults.carriedOut} of ${times}`);
  });

  if (longChaos || collectorIsNext)
    faultTest(
      { fault: 'F5', subject: 'collector', title: 'killed with -9 while events are posted' },
      killedUnderEvents,
    );
  if (longChaos || !collectorIsNext)
    faultTest({ fault: 'F5', subject: 'files', title: 'killed with -9 while a file is run' }, killedUnderRun);

  faultTest(
    { fault: 'F7', subject: 'delivery', title: 'frozen longer than an answer may take, then thawed' },
    async (t, run) => {
      const kafka = await ownKafka();
      const meter = new AckMeter();
      const cluster = new ClusterFaults(kafka, meter);
      const faults = new Faults({
        random: run.random.stream('faults'),
        times: amount(3, 20),
        apart: { from: 1, to: 15_000 },
        carryOut: (draw) => cluster.freeze(draw, { from: 1200, to: amount(2500, 6000) }),
        meter,
      });
      try {
        await flowAndJudge(t, run, {
          bootstrap: kafka.bootstrap,
          messages: amount(50_000, 400_000),
          partitions: [1, 3, 6],
          onTopics: (names) => (cluster.topics = names),
          // Late answers to requests that were given up do no harm.
          flow: {
            producer: { batchMessages: 200, requestTimeoutMs: 1000, bufferMemoryBytes: 1024 * 1024 },
            meter,
            onProgress: faults.onProgress,
          },
        });
      } finally {
        run.noteAll(faults);
      }
      assert.ok(faults.carriedOut >= 2, `${faults.carriedOut} freezes`);
    },
  );
});

async function killedUnderEvents(t: TestContext, run: FaultRun): Promise<void> {
  const kafka = await ownKafka();
  const meter = new AckMeter();
  const collector = await chaosCollector(t, run, { bootstrap: kafka.bootstrap });
  const { load } = collector;
  const faults = new Faults({
    random: run.random.stream('faults'),
    times: amount(1, 15),
    apart: { from: 500, to: 4000 },
    carryOut: () => new ClusterFaults(kafka, meter).killOnly(),
    meter,
  });
  const server = await collector.start();
  load.goTo(server.address);
  await load.run(
    () => faults.over,
    (answer) => {
      if (answer.status === 200) meter.acked(answer.ms);
      faults.onProgress(load.acknowledged);
    },
  );
  run.noteAll(faults);
  await faults.done;
  await collector.settled(server);
  assert.equal((await server.stop()).code, 0);
  await collector.judge();
  t.diagnostic(`answers ${JSON.stringify([...load.statuses])}`);
}

async function killedUnderRun(t: TestContext, run: FaultRun): Promise<void> {
  const kafka = await ownKafka();
  // Slowed down, so that the run lasts as long as its faults.
  const destination = { producer: { linger_ms: 50, batch_messages: 100 } };
  const times = amount(1, 12);
  const rows = amount(30_000, 300_000);
  const files = await chaosFiles(t, run, { bootstrap: kafka.bootstrap, rows, destination });
  const draw = run.random.stream('faults');
  const child = files.start();
  for (let kill = 0; kill < times && run.timeLeft; kill++) {
    const at = (await files.delivered()) + draw.between(1, Math.floor((rows * 0.8) / times));
    await until(`${at} delivered`, async () => !child.running || (await files.delivered()) >= at, {
      deadlineMs: 60_000,
    });
    if (!child.running) break;
    await kafka.nodes[0]!.kill('SIGKILL');
    await kafka.nodes[0]!.restart();
    run.carriedOut(1);
  }
  const exit = await child.exit;
  assert.equal(exit.code, 0, `${exit.stdout}\n${exit.stderr}`);
  assert.equal(factsOf(exit)['delivered'], rows);
  await files.judge();
}
