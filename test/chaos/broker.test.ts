/**
 * The broker killed with -9 and restarted at random moments while 200,000 keyed messages flow: none lost, none doubled,
 * order per key kept (Promises 3 and 5; F5 to F7).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KafkaNode } from '../../src/local/kafka.ts';
import { ownKafka } from '../support/kafka.ts';
import type { Random } from '../support/random.ts';
import { amount, flowAndJudge, longChaos, scenario } from '../support/scenario.ts';

describe('faults of the broker', { timeout: amount(180_000, 3_600_000) }, () => {
  test('killed with -9 and restarted while 200,000 keyed messages flow', async (t) => {
    const run = scenario(t, 'broker killed');
    const kafka = await ownKafka();
    const messages = amount(200_000, 4_000_000);
    const faults = brokerFaults(run.random.stream('faults'), messages, amount(3, 100), async (random) => {
      const broker = random.pick(kafka.nodes);
      await broker.kill('SIGKILL');
      await broker.restart();
    });
    const { result } = await flowAndJudge(t, run, {
      bootstrap: kafka.bootstrap,
      messages,
      partitions: [1, 3, 6, 12],
      // Smaller than a broker would like, so that a kill finds much under way.
      flow: { producer: { batchMessages: 200, bufferMemoryBytes: 4 * 1024 * 1024 }, onProgress: faults.onProgress },
    });
    await faults.over();
    t.diagnostic(`${faults.carriedOut} kills at ${faults.plan.join(', ')} of ${messages} messages`);
    assert.equal(result.delivered, messages);
    assert.equal(faults.carriedOut, faults.plan.length);
  });

  test('frozen for longer than an answer may take, then thawed: its late answers do no harm', async (t) => {
    const run = scenario(t, 'broker frozen');
    const kafka = await ownKafka();
    const messages = amount(50_000, 1_000_000);
    const faults = brokerFaults(run.random.stream('faults'), messages, amount(3, 60), async (random) => {
      await pause(random.pick(kafka.nodes), random.between(1200, 2500));
    });
    await flowAndJudge(t, run, {
      bootstrap: kafka.bootstrap,
      messages,
      partitions: [1, 3, 6],
      flow: {
        producer: { batchMessages: 200, requestTimeoutMs: 1000, bufferMemoryBytes: 1024 * 1024 },
        onProgress: faults.onProgress,
      },
    });
    await faults.over();
    assert.equal(faults.carriedOut, faults.plan.length);
  });

  // Three brokers take long to start: only in the long form.
  const only = longChaos ? {} : { skip: 'only in the long form' };
  test('one of three brokers killed with -9 at a time, leaders among them', only, async (t) => {
    const run = scenario(t, 'leader killed');
    const properties = {
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'broker.session.timeout.ms': '3000',
      'broker.heartbeat.interval.ms': '500',
    };
    const kafka = await ownKafka({ brokers: 3, properties });
    const messages = 400_000;
    const faults = brokerFaults(run.random.stream('faults'), messages, 20, async (random) => {
      const broker = random.pick(kafka.nodes);
      await broker.kill('SIGKILL');
      await broker.restart();
    });
    await flowAndJudge(t, run, {
      bootstrap: kafka.bootstrap,
      messages,
      partitions: [1, 3, 6],
      replication: 3,
      flow: {
        producer: { batchMessages: 200, bufferMemoryBytes: 1024 * 1024 },
        onProgress: faults.onProgress,
      },
    });
    await faults.over();
    assert.equal(faults.carriedOut, faults.plan.length);
  });
});

interface BrokerFaults {
  /** The numbers of settled messages at which a fault begins. */
  readonly plan: readonly number[];
  readonly carriedOut: number;
  readonly onProgress: (settled: number) => void;
  /** Resolves when the last fault has been undone. */
  over(): Promise<void>;
}

/** A plan made before the load: `times` faults at random points of its progress, one after the other. */
function brokerFaults(
  random: Random,
  messages: number,
  times: number,
  fault: (random: Random) => Promise<void>,
): BrokerFaults {
  const share = Math.floor((messages * 0.9) / times);
  const plan = Array.from({ length: times }, (_, index) => index * share + random.between(1, share));
  let begun = 0;
  let carriedOut = 0;
  let running = Promise.resolve();
  return {
    plan,
    get carriedOut() {
      return carriedOut;
    },
    onProgress(settled) {
      if (begun >= plan.length || settled < plan[begun]!) return;
      begun++;
      running = running.then(() => fault(random)).then(() => void carriedOut++);
    },
    over: () => running,
  };
}

async function pause(broker: KafkaNode, ms: number): Promise<void> {
  await broker.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, ms));
  await broker.kill('SIGCONT');
}
