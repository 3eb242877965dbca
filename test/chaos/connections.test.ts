/**
 * Faults between Headrace and Kafka: lost answers, resets, dead routes, slow links, quotas. While this process lives nothing
 * is lost, doubled or reordered (Promises 3 and 5; P1, P2, P22, F10 to F12).
 */
import assert from 'node:assert/strict';
import { before, describe, type TestContext } from 'node:test';
import { AckMeter } from '../support/ack-meter.ts';
import { faultTest, type FaultRun } from '../support/fault-test.ts';
import { ownKafka, sharedKafka } from '../support/kafka.ts';
import { laneBreaches } from '../support/lane-discipline.ts';
import { oracle } from '../support/oracle.ts';
import { startProxy, type KafkaProxy } from '../support/proxy.ts';
import { amount, flowAndJudge, type FlowPlan } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const subject = 'delivery';
let bootstrap: string;
let proxy: KafkaProxy;

describe('faults of the connection', () => {
  before(async () => {
    bootstrap = await sharedKafka();
  });

  const swallowed =
    'answers swallowed after the broker has appended: the same batch again, and nothing newer before it';
  faultTest({ fault: 'F11', subject, title: swallowed }, async (t, run) => {
    await using link = await begin(t, run);
    const cuts = amount(50, 500);
    const opens = amount(6, 30);
    const lost = proxy.inject({ api: 'Produce', every: 5, times: cuts, fault: { do: 'swallow', connection: 'cut' } });
    // On an open connection what stays away is noticed by the clock alone: half a second here.
    const silent = proxy.inject({
      api: 'Produce',
      every: 23,
      times: opens,
      fault: { do: 'swallow', connection: 'open' },
    });
    await link.judge({
      messages: amount(25_000, 500_000),
      partitions: [1, 3, 6],
      flow: { ...small(500), over: () => lost.fired >= cuts && silent.fired >= opens },
    });
    run.carriedOut(lost.fired + silent.fired);
    assert.equal(lost.fired, cuts);
    assert.equal(silent.fired, opens);
  });

  faultTest(
    { fault: 'F11', subject, title: 'one partition, each second answer lost several times in a row' },
    async (t, run) => {
      await using link = await begin(t, run);
      const lost = proxy.inject({
        api: 'Produce',
        every: 2,
        times: amount(60, 400),
        fault: { do: 'swallow', connection: 'cut' },
      });
      await link.judge({ messages: amount(10_000, 200_000), partitions: [1], flow: small(1000) });
      run.carriedOut(lost.fired);
      await lost.done;
    },
  );

  // Brokers name the refused records from version 8 of the answer on; before, they must be searched for.
  for (const version of [11, 7]) {
    const title = `refused messages in batches whose answers get lost, Produce ${version}: the others arrive once and in order`;
    faultTest({ fault: 'F11', subject, title }, async (t, run) => {
      await using link = await begin(t, run);
      proxy.caps = { Produce: version };
      const lost = proxy.inject({
        api: 'Produce',
        every: 3,
        times: amount(40, 200),
        fault: { do: 'swallow', connection: 'cut' },
      });
      // A changed batch goes under a fresh producer id, whose answer gets lost too.
      const ids = proxy.inject({
        api: 'InitProducerId',
        every: 2,
        times: amount(25, 200),
        fault: { do: 'swallow', connection: 'cut' },
      });
      const { result } = await link.judge({
        messages: amount(3000, 20_000),
        partitions: [2, 2, 2],
        flow: { ...small(1000), poisonPercent: 1 },
      });
      run.carriedOut(lost.fired + ids.fired);
      assert.ok(ids.fired > 2, `${ids.fired} producer ids were lost`);
      assert.ok(result.rejected > 10);
      assert.equal(result.delivered + result.rejected, result.expected.length);
    });
  }

  faultTest({ fault: 'F10', subject, title: 'resets before, within and after requests' }, async (t, run) => {
    await using link = await begin(t, run);
    const resets = proxy.scatterResets({
      random: run.random.stream('resets'),
      times: amount(200, 1200),
      requests: { from: 1, to: 4 },
    });
    const over = (): boolean => resets.fired >= amount(200, 1200);
    await link.judge({ messages: amount(30_000, 1_000_000), partitions: [1, 3, 6], flow: { ...small(1000), over } });
    run.carriedOut(resets.fired);
    await resets.done;
  });

  faultTest({ fault: 'F10', subject, title: 'resets at any moment, about six a second' }, async (t, run) => {
    await using link = await begin(t, run);
    const plan = { random: run.random.stream('resets'), times: amount(30, 800), perSecond: 6 };
    const resets = proxy.scatterResets(plan);
    proxy.shape = { latencyMs: 2, jitterMs: 8 };
    const flow = { ...small(1000), over: () => resets.fired >= plan.times };
    await link.judge({ messages: amount(20_000, 1_000_000), partitions: [1, 3, 6], flow });
    run.carriedOut(resets.fired);
    assert.ok(resets.fired >= 5, `${resets.fired} resets`);
    resets.cancel();
  });

  faultTest(
    { fault: 'F12', subject, title: 'connections that die without a word, and a route that is lost for a while' },
    async (t, run) => {
      await using link = await begin(t, run);
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
        setTimeout(() => proxy.thaw(), amount(900, 2200));
      };
      const messages = amount(20_000, 200_000);
      await link.judge({ messages, partitions: [1, 3], flow: { ...small(500), onProgress } });
      run.carriedOut(dead.fired + frozen);
      assert.ok(frozen >= 2);
      await dead.done;
    },
  );

  faultTest({ fault: 'F12', subject, title: 'a slow link that carries one byte at a time' }, async (t, run) => {
    await using link = await begin(t, run);
    proxy.shape = { pieceBytes: 1 };
    await link.judge({ messages: amount(500, 10_000), partitions: [3], flow: small(20_000) });
    run.carriedOut(1);
  });

  faultTest({ fault: 'F12', subject, title: '200 ms ± 150 of latency at 64 KB/s' }, async (t, run) => {
    await using link = await begin(t, run);
    proxy.shape = { latencyMs: 50, jitterMs: 300, bytesPerSecond: 64 * 1024 };
    await link.judge({ messages: amount(1000, 40_000), partitions: [1, 3], flow: small(5000) });
    run.carriedOut(1);
  });

  faultTest(
    { fault: 'P22', subject, title: 'a broker that throttles is waited for; nothing is tried again' },
    async (t, run) => {
      const kafka = await ownKafka();
      await oracle(kafka.bootstrap).setClientQuota(100 * 1024);
      const meter = new AckMeter();
      const { result } = await flowAndJudge(t, run, {
        bootstrap: kafka.bootstrap,
        messages: amount(7000, 100_000),
        partitions: [1, 3],
        flow: { producer: { bufferMemoryBytes: 256 * 1024 }, meter },
      });
      run.carriedOut(1);
      run.figure('gapMs', meter.take().gapMs);
      assert.deepEqual(result.held, []);
      assert.ok(result.retried <= 2, `${result.retried} throttled requests were taken for lost`);
    },
  );
});

/**
 * Small batches and small requests, so that there are many to break, and several to one broker at the same time; the
 * time after which an answer is taken for lost.
 */
function small(requestTimeoutMs: number): NonNullable<FlowPlan['flow']> {
  // The long form has to do with machines that have other work too: an answer that is late is not a fault of the link.
  const timeoutMs = requestTimeoutMs * amount(1, 3);
  return {
    producer: {
      batchMessages: 25,
      requestTimeoutMs: timeoutMs,
      bufferMemoryBytes: 256 * 1024,
      maxRequestBytes: 16 * 1024,
    },
    stalledAfterSeconds: amount(60, 180),
  };
}

interface BrokenLink {
  judge(plan: Omit<FlowPlan, 'bootstrap'>): ReturnType<typeof flowAndJudge>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function begin(t: TestContext, run: FaultRun): Promise<BrokenLink> {
  const [host, port] = bootstrap.split(':');
  proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }], random: run.random.stream('proxy') });
  return {
    async judge(plan) {
      const judged = await flowAndJudge(t, run, { bootstrap, through: proxy.bootstrap, ...plan }).finally(() => {
        const asked = ['ApiVersions', 'Metadata', 'InitProducerId', 'DescribeConfigs', 'Produce'];
        const counts = asked.map((api) => `${api} ${proxy.requests(api)}`).join(', ');
        t.diagnostic(`requests: ${counts}; ${proxy.batches.length} batches, ${proxy.connections} connections open`);
      });
      assert.deepEqual(laneBreaches(proxy.batches), []);
      await until('closed delivery has no connection left', () => proxy.connections === 0, { deadlineMs: 5000 });
      return judged;
    },
    [Symbol.asyncDispose]: () => proxy.close(),
  };
}
