/** Questions to a cluster whose broker is slow: an answer counts whenever it comes, whatever became of the search for another broker. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { startStubBroker } from '../../../test/support/stub-broker.ts';
import { systemClock } from '../../base/clock.ts';
import { Cluster } from './cluster.ts';

/** So long that who waits for it fails the test. */
const FOR_EVER_MS = 10 * 60_000;
const SLOWER_THAN_PATIENCE_MS = 1_500;

/** A way to the broker on which answers take so long, open once: whoever dials again is never answered. */
async function slowOnce(to: number): Promise<{ port: number; delayMs: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const way = {
    port: 0,
    delayMs: 0,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  const server = createServer((near) => {
    const isFirst = sockets.size === 0;
    sockets.add(near.on('error', () => undefined));
    if (!isFirst) return;
    const far = connect(to, '127.0.0.1').on('error', () => undefined);
    sockets.add(far);
    near.pipe(far);
    far.on('data', (bytes: Buffer) => systemClock.after(way.delayMs, () => near.write(bytes)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  way.port = (server.address() as AddressInfo).port;
  return way;
}

test('two questions at once to a slow broker: both have its answer, though no other can be reached', async () => {
  await using broker = await startStubBroker({ topic: 'orders', partitions: 1, fault: () => 0 });
  const way = await slowOnce(Number(broker.bootstrap.split(':')[1]));
  const cluster = new Cluster(
    {
      brokers: [{ host: '127.0.0.1', port: way.port }],
      clientId: 'test',
      createTopics: false,
      connectTimeoutMs: FOR_EVER_MS,
      requestTimeoutMs: FOR_EVER_MS,
      security: { forBroker: async () => ({}) },
    },
    systemClock,
  );
  try {
    await cluster.control();
    way.delayMs = SLOWER_THAN_PATIENCE_MS;
    const given = new AbortController();
    const answers = Promise.all([cluster.topic('orders', 0, 'send'), cluster.topic('orders', 0, 'look')]);
    const all = await Promise.race([answers, systemClock.sleep(20_000, given.signal).then(() => null)]);
    given.abort();
    assert.deepEqual(
      all?.map(({ errorCode }) => errorCode),
      [0, 0],
    );
  } finally {
    way.close();
    await cluster.close();
  }
});
