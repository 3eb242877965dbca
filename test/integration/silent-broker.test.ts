/** Brokers that take connections and say nothing cost a moment, not the time that a request may take (G6, F7). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createSecurity } from '../../src/kafka/security/index.ts';
import { Cluster } from '../../src/kafka/wire/cluster.ts';
import { deliveryTo, destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { startProxy, type KafkaProxy } from '../support/proxy.ts';

/** So long that who waits for it fails the test. */
const FOR_EVER_MS = 10 * 60_000;
const patient = {
  requestTimeoutMs: FOR_EVER_MS,
  connectTimeoutMs: FOR_EVER_MS,
  connectTimeoutMaxMs: FOR_EVER_MS,
  deliveryTimeoutMs: 2 * FOR_EVER_MS,
};
const LIMIT = { timeout: 60_000 };

/** Takes connections as a frozen process does: its system answers, it never does. */
async function silentBroker(t: TestContext): Promise<string> {
  const server = createServer((socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function proxied(t: TestContext): Promise<KafkaProxy> {
  const [host, port] = (await sharedKafka()).split(':');
  const proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
  t.after(() => proxy.close());
  return proxy;
}

function clusterAt(t: TestContext, bootstrap: string): Cluster {
  const destination = destinationAt(bootstrap);
  const settings = { brokers: destination.brokers, clientId: 'test', ...patient, createTopics: false };
  const cluster = new Cluster({ ...settings, security: createSecurity(destination, systemClock) }, systemClock);
  t.after(() => cluster.close());
  return cluster;
}

test('two silent bootstrap brokers before the one that answers', LIMIT, async (t) => {
  const kafka = await sharedKafka();
  const topic = await newTopic(kafka, 'silent-bootstrap');
  const delivery = deliveryTo(`${await silentBroker(t)},${await silentBroker(t)},${kafka}`, patient);
  t.after(() => delivery.close(0));
  const outcomes = new Outcomes();
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.all(1);
  assert.equal(outcomes.count('delivered'), 1);
});

test('the broker that is asked for metadata falls silent: another connection is asked, once', LIMIT, async (t) => {
  const proxy = await proxied(t);
  const topic = await newTopic(await sharedKafka(), 'silent-control');
  const cluster = clusterAt(t, proxy.bootstrap);
  await cluster.topic(topic, 0);
  const before = proxy.requests('Metadata');
  proxy.halfOpen();
  // As the lanes of several topics and partitions would, all at once.
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, i) => cluster.topic(i % 2 === 0 ? topic : `${topic}-not-there`, 0)),
  );
  assert.deepEqual(
    all.map(({ errorCode }) => errorCode),
    [0, 3, 0, 3, 0, 3, 0, 3],
  );
  assert.equal(proxy.requests('Metadata') - before, 2, 'each of the two questions once where it is answered');
});

test('the question for a producer id is not answered: another broker is asked', LIMIT, async (t) => {
  const proxy = await proxied(t);
  const topic = await newTopic(await sharedKafka(), 'silent-producer-id');
  const unanswered = proxy.inject({ api: 'InitProducerId', fault: { do: 'half_open' } });
  const delivery = deliveryTo(proxy.bootstrap, patient);
  t.after(() => delivery.close(0));
  const outcomes = new Outcomes();
  for (let i = 0; i < 10; i++) delivery.accept(message(topic), outcomes, i, intake);
  await outcomes.all(10);
  assert.equal(outcomes.count('delivered'), 10);
  assert.deepEqual([unanswered.fired, proxy.requests('InitProducerId')], [1, 2]);
});
