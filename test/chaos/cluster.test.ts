/**
 * Three brokers under faults while keyed messages flow: leaders killed, brokers frozen, all restarted in turn, two of three
 * down. While this process lives nothing is lost, doubled or reordered (Promises 3 and 5; F6 to F9, P19, G3, G6).
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { KafkaNode, RunningKafka } from '../../src/local/kafka.ts';
import { AckMeter } from '../support/ack-meter.ts';
import { ClusterFaults, threeBrokers, type Figures } from '../support/cluster-faults.ts';
import { Faults } from '../support/fault-plan.ts';
import { faultTest, type FaultRun } from '../support/fault-test.ts';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, ownKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { amount, flowAndJudge, longChaos } from '../support/scenario.ts';
import type { TestContext } from 'node:test';
import { random, type Random } from '../support/random.ts';
import { until } from '../support/until.ts';

type Kind = (faults: ClusterFaults, random: Random) => Promise<Figures>;

const killLeader: Kind = (faults, random) => faults.killLeader(random);
const freeze: Kind = (faults, random) => faults.freeze(random, { from: 2000, to: amount(4000, 10_000) });
const roll: Kind = (faults) => faults.roll();
const killTwo: Kind = (faults, random) => faults.killTwo(random, { from: 500, to: amount(3000, 12_000) });

/** Milliseconds; how much longer than promised a recovery may take on a machine that does other things beside. */
const SLACK_MS = 4000;

describe('faults of one of three brokers', () => {
  let kafka: RunningKafka;
  before(async () => {
    kafka = await ownKafka(threeBrokers);
  });

  test(
    'a leader that was lost is left for the next one at once, however old metadata and requests may get',
    leftAtOnce,
  );

  async function leftAtOnce(t: TestContext): Promise<void> {
    const forEver = { metadataMaxAgeMs: 3_600_000, requestTimeoutMs: 600_000, deliveryTimeoutMs: 1_200_000 };
    const delivery = deliveryTo(kafka.bootstrap, {
      ...forEver,
      connectTimeoutMs: 600_000,
      connectTimeoutMaxMs: 600_000,
    });
    t.after(() => delivery.close(0));
    const topic = await newTopic(kafka.bootstrap, 'left-at-once', { replication: 3 });
    const outcomes = new Outcomes();
    const faults = new ClusterFaults(kafka, new AckMeter());
    faults.topics = [topic];
    let handed = 0;
    const handOne = async (): Promise<void> => {
      delivery.accept(message(topic), outcomes, handed++, intake);
      await until(`${handed} delivered`, async () => outcomes.count('delivered') === handed, { deadlineMs: 60_000 });
    };
    for (const [lose, bringBack] of [
      ['SIGKILL', (node: KafkaNode) => node.restart()],
      ['SIGSTOP', (node: KafkaNode) => node.kill('SIGCONT')],
    ] as const) {
      await handOne();
      const { leader } = (await oracle(kafka.bootstrap).describe(topic)).partitions[0]!;
      const node = kafka.nodes.find(({ id }) => id === leader)!;
      await node.kill(lose);
      const began = performance.now();
      try {
        await handOne();
        t.diagnostic(`${lose}: delivered ${Math.round(performance.now() - began)} ms after the leader was lost`);
      } finally {
        await bringBack(node);
      }
      await faults.inSync();
    }
  }

  // The short form: by the seed, a leader's death and a freeze under one load, or one of the longer faults.
  const short = { only: 'short', subject: 'delivery' } as const;
  if (longChaos || random('three brokers: what').chance(0.6))
    faultTest({ fault: 'F6', title: 'a leader killed, a broker frozen', ...short }, async (t, run) => {
      const figures = await flowUnder(t, run, kafka, run.random.shuffle([killLeader, freeze]));
      for (const { waitMs, electionMs } of figures)
        if (electionMs !== undefined)
          within(waitMs!, electionMs + 2000 + 5 * SLACK_MS, 'for a message of a lost leader');
    });
  else
    faultTest({ fault: 'F9', title: 'two of three down, or all restarted in turn', ...short }, async (t, run) => {
      await flowUnder(t, run, kafka, [run.random.pick([killTwo, roll])]);
    });

  const long = { only: 'long', subject: 'delivery' } as const;
  faultTest({ fault: 'F6', title: 'the leader killed with -9', ...long }, async (t, run) => {
    const figures = await flowUnder(t, run, kafka, repeat(killLeader, 20));
    for (const { gapMs, electionMs } of figures) within(gapMs!, electionMs! + 2000, 'after a leader was lost');
  });
  faultTest({ fault: 'F7', title: 'frozen 2 to 10 s', ...long }, async (t, run) => {
    const figures = await flowUnder(t, run, kafka, repeat(freeze, 20));
    for (const { gapMs } of figures) within(gapMs!, 6000, 'while a leader was frozen');
  });
  faultTest({ fault: 'F8', title: 'all brokers restarted in turn, leaders moved back', ...long }, async (t, run) => {
    await flowUnder(t, run, kafka, repeat(roll, 20));
  });
  faultTest({ fault: 'F9', title: 'two of three down', ...long }, async (t, run) => {
    await flowUnder(t, run, kafka, repeat(killTwo, 20));
  });
});

/** A steady load that goes on until the last of the faults is over; what they measured. */
async function flowUnder(
  t: TestContext,
  run: FaultRun,
  kafka: RunningKafka,
  kinds: readonly Kind[],
): Promise<readonly Figures[]> {
  const meter = new AckMeter();
  const cluster = new ClusterFaults(kafka, meter);
  const faults = new Faults({
    random: run.random.stream('faults'),
    times: kinds.length,
    apart: { from: 200, to: 3000 },
    carryOut: (random, index) => kinds[index]!(cluster, random),
    meter,
  });
  try {
    await flowAndJudge(t, run, {
      bootstrap: kafka.bootstrap,
      messages: 2_000_000,
      // P19: the second topic takes nothing as soon as one broker is away.
      partitions: [3, 6],
      replication: 3,
      onTopics: (names) => (cluster.topics = names),
      flow: {
        perSecond: 1000,
        // A leader that is lost is to be noticed by its errors, long before its metadata are old.
        producer: { batchMessages: 500, metadataMaxAgeMs: 120_000 },
        meter,
        onProgress: faults.onProgress,
        over: () => faults.over,
        stalledAfterSeconds: 120,
        onLate: tellOnce(t),
      },
    });
    await faults.done;
  } finally {
    run.noteAll(faults);
  }
  assert.ok(faults.carriedOut >= Math.min(2, kinds.length), `${faults.carriedOut} of ${kinds.length}`);
  return faults.figures;
}

/** At most once in a few seconds. */
function tellOnce(t: TestContext): (waitedMs: number, attempts: string) => void {
  let lastMs = 0;
  return (waitedMs, attempts) => {
    if (performance.now() - lastMs < 3000) return;
    lastMs = performance.now();
    t.diagnostic(`${new Date().toISOString().slice(11, 23)} a message waited ${Math.round(waitedMs)} ms: ${attempts}`);
  };
}

function repeat(kind: Kind, times: number): Kind[] {
  return Array.from({ length: times }, () => kind);
}

function within(ms: number, limitMs: number, when: string): void {
  assert.ok(ms <= limitMs + SLACK_MS, `${ms} ms without an acknowledgement ${when}, ${limitMs} promised`);
  assert.ok(longChaos || ms < 60_000);
}
