/**
 * Faults between Headrace and Kafka: lost answers, resets, dead routes, slow links. While this process lives nothing is
 * lost, doubled or reordered (Promises 3 and 5; P1, P2, F10 to F12).
 */
import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { sharedKafka } from '../support/kafka.ts';
import { laneBreaches } from '../support/lane-discipline.ts';
import { startProxy, type KafkaProxy } from '../support/proxy.ts';
import { amount, flowAndJudge, scenario, type FlowPlan } from '../support/scenario.ts';
import { until } from '../support/until.ts';

let bootstrap: string;
let proxy: KafkaProxy;

describe('faults of the connection', { timeout: amount(120_000, 1_200_000) }, () => {
  before(async () => {
    bootstrap = await sharedKafka();
  });
  test('answers swallowed after the broker has appended: the same batch again, and nothing newer before it', async (t) => {
    await using run = await begin(t, 'swallow');
    const cuts = amount(50, 1000);
    const opens = amount(6, 100);
    const lost = proxy.inject({
      api: 'Produce',
      every: 5,
      times: cuts,
      fault: { do: 'swallow', connection: 'cut' },
    });
    // On an open connection what stays away is noticed by the clock alone: half a second here.
    const silent = proxy.inject({
      api: 'Produce',
      every: 23,
      times: opens,
      fault: { do: 'swallow', connection: 'open' },
    });
    await run.judge({ messages: amount(25_000, 1_000_000), partitions: [1, 3, 6], flow: small(500) });
    assert.equal(lost.fired, cuts);
    assert.equal(silent.fired, opens);
  });

  test('one partition, each second answer lost several times in a row', async (t) => {
    await using run = await begin(t, 'swallow one');
    const lost = proxy.inject({
      api: 'Produce',
      every: 2,
      times: amount(60, 2000),
      fault: { do: 'swallow', connection: 'cut' },
    });
    await run.judge({ messages: amount(10_000, 400_000), partitions: [1], flow: small(1000) });
    await lost.done;
  });

  // Brokers name the refused records from version 8 of the answer on; before, they must be searched for.
  for (const version of [11, 7]) {
    test(`refused messages in batches whose answers get lost, Produce ${version}: the others arrive once and in order`, async (t) => {
      await using run = await begin(t, 'swallow poison');
      proxy.caps = { Produce: version };
      proxy.inject({ api: 'Produce', every: 3, times: amount(40, 1000), fault: { do: 'swallow', connection: 'cut' } });
      const { result } = await run.judge({
        messages: amount(3000, 30_000),
        partitions: [2, 2, 2],
        flow: { ...small(1000), poisonPercent: 1 },
      });
      assert.ok(result.rejected > 10);
      assert.equal(result.delivered + result.rejected, result.expected.length);
    });
  }

  test('resets before, within and after requests', async (t) => {
    await using run = await begin(t, 'resets');
    const resets = proxy.scatterResets({
      random: run.random.stream('resets'),
      times: amount(200, 10_000),
      requests: { from: 1, to: 4 },
    });
    await run.judge({ messages: amount(30_000, 1_000_000), partitions: [1, 3, 6], flow: small(1000) });
    await resets.done;
  });

  test('resets at any moment, about six a second', async (t) => {
    await using run = await begin(t, 'resets by time');
    const plan = { random: run.random.stream('resets'), times: amount(30, 2000), perSecond: 6 };
    const resets = proxy.scatterResets(plan);
    proxy.shape = { latencyMs: 2, jitterMs: 8 };
    const messages = amount(20_000, 2_000_000);
    await run.judge({ messages, partitions: [1, 3, 6], flow: small(1000) });
    assert.ok(resets.fired >= 5, `${resets.fired} resets`);
    resets.cancel();
  });

  test('connections that die without a word, and a route that is lost for a while', async (t) => {
    await using run = await begin(t, 'black hole');
    const dead = proxy.inject({
      api: 'Produce',
      after: 20,
      every: 40,
      times: amount(5, 50),
      fault: { do: 'half_open' },
    });
    let frozen = 0;
    const onProgress = (settled: number): void => {
      if (frozen >= amount(2, 20) || settled < (frozen + 1) * 4000) return;
      frozen++;
      // Longer than the client waits for an answer: what comes late then is from a connection it has left.
      proxy.freeze();
      setTimeout(() => proxy.thaw(), 900);
    };
    const messages = amount(20_000, 400_000);
    await run.judge({ messages, partitions: [1, 3], flow: { ...small(500), onProgress } });
    assert.ok(frozen >= 2);
    await dead.done;
  });

  test('a slow link that carries one byte at a time', async (t) => {
    await using run = await begin(t, 'bytes');
    proxy.shape = { pieceBytes: 1 };
    await run.judge({ messages: amount(500, 20_000), partitions: [3], flow: small(20_000) });
  });
});

/**
 * Small batches and small requests, so that there are many to break, and several to one broker at the same time; the
 * time after which an answer is taken for lost.
 */
function small(requestTimeoutMs: number): NonNullable<FlowPlan['flow']> {
  return {
    producer: { batchMessages: 25, requestTimeoutMs, bufferMemoryBytes: 256 * 1024, maxRequestBytes: 16 * 1024 },
  };
}

async function begin(
  t: TestContext,
  name: string,
): Promise<{
  random: ReturnType<typeof scenario>['random'];
  judge(plan: Omit<FlowPlan, 'bootstrap'>): ReturnType<typeof flowAndJudge>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const run = scenario(t, name);
  const [host, port] = bootstrap.split(':');
  proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }], random: run.random.stream('proxy') });
  return {
    random: run.random,
    async judge(plan) {
      const judged = await flowAndJudge(t, run, { bootstrap, through: proxy.bootstrap, ...plan });
      t.diagnostic(`${proxy.requests('Produce')} Produce requests, ${proxy.batches.length} batches`);
      assert.deepEqual(laneBreaches(proxy.batches), []);
      await until('closed delivery has no connection left', () => proxy.connections === 0, { deadlineMs: 5000 });
      return judged;
    },
    [Symbol.asyncDispose]: () => proxy.close(),
  };
}
