/** Memory is bounded: with 128 MB of heap and far more events than Kafka takes, events are refused for now, none that was taken is lost (Promises 1 and 9; F18, P43). */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { chaosCollector } from '../support/chaos-collector.ts';
import { faultTest } from '../support/fault-test.ts';
import { sharedKafka } from '../support/kafka.ts';
import { startProxy } from '../support/proxy.ts';
import { amount } from '../support/scenario.ts';

const MIB = 1024 * 1024;
/** Heap, code, buffers outside the heap (`buffer_memory`, uploads), and what V8 keeps for itself. */
const MOST_RESIDENT = 450 * MIB;

describe('little memory', () => {
  const spools = [
    { title: 'no spool: 429 while Kafka is slow, and no death for want of memory', spool: false },
    { title: 'a small spool: it fills, then 429, and no death for want of memory', spool: { max_bytes: 4_194_304 } },
  ] as const;
  for (const { title, spool } of spools) {
    const only = spool === false ? {} : ({ only: 'long' } as const);
    faultTest({ fault: 'F18', subject: 'collector', title, ...only }, async (t, run) => {
      const bootstrap = await sharedKafka();
      const [host, port] = bootstrap.split(':');
      await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
      const collector = await chaosCollector(t, run, {
        bootstrap,
        through: proxy.bootstrap,
        connections: 512,
        destination: { spool, producer: { buffer_memory: 1_000_000 } },
      });
      const { load } = collector;
      const server = await collector.start({ env: { NODE_OPTIONS: '--max-old-space-size=128' } });
      load.goTo(server.address);
      // Far less than is posted.
      proxy.shape = { bytesPerSecond: 48 * 1024 };
      const began = performance.now();
      const refused = (): number => load.statuses.get(429) ?? 0;
      await load.run(() => performance.now() - began > amount(12_000, 240_000) || !server.running);
      assert.ok(server.running, `it ended\n${server.stderr.slice(-2000)}`);
      run.carriedOut(1);
      run.figure('residentMiB', server.peakRssBytes() / MIB);
      proxy.shape = {};
      assert.ok(refused() > 0, `never refused: ${JSON.stringify([...load.statuses])}`);
      assert.ok(server.peakRssBytes() < MOST_RESIDENT, `${server.peakRssBytes() / MIB} MiB`);
      // What was taken is delivered, and events are taken again.
      const at = load.acknowledged + 300;
      await load.run(() => load.acknowledged >= at);
      await collector.settled(server);
      assert.equal((await server.stop()).code, 0);
      await collector.judge();
      t.diagnostic(`answers ${JSON.stringify([...load.statuses])}`);
    });
  }
});
