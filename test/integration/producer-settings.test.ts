/** Each producer setting shows on the wire, in the broker's log, or in what happens (PRODUCT: none is ignored in silence). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { systemClock } from '../../src/base/clock.ts';
import { Cluster, type ClusterSettings } from '../../src/kafka/wire/cluster.ts';
import { encodeRecordBatch } from '../../src/kafka/wire/record-batch.ts';
import { SetupTimeouts, bootstrapBrokers, targetsOf, type Resolver } from '../../src/kafka/wire/addresses.ts';
import type { Compression, ProducerSettings } from '../../src/model/index.ts';
import { deliveryTo, intake, message, Outcomes, producerDefaults } from '../support/delivery.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { startProxy, type KafkaProxy, type SeenRequest } from '../support/proxy.ts';
import { until } from '../support/until.ts';

interface Line {
  readonly topic: string;
  readonly bootstrap: string;
  readonly proxy: KafkaProxy;
  readonly outcomes: Outcomes;
  readonly requests: SeenRequest[];
  /** Hands in so many messages of so many bytes and waits for their outcomes. */
  readonly send: (count: number, bytes?: number) => Promise<void>;
  /** The same without waiting. */
  readonly hand: (count: number, bytes?: number) => void;
  readonly delivery: ReturnType<typeof deliveryTo>;
}

/** A topic, and a delivery to it through a proxy that sees every request. */
async function line(t: TestContext, settings: Partial<ProducerSettings>, partitions = 1): Promise<Line> {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'setting', { partitions });
  const [host, port] = bootstrap.split(':');
  const proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
  const requests: SeenRequest[] = [];
  proxy.onRequest = (request) => request.api === 'Produce' && requests.push(request);
  const delivery = deliveryTo(proxy.bootstrap, settings);
  t.after(async () => {
    await delivery.close(0);
    await proxy.close();
  });
  const outcomes = new Outcomes();
  let next = 0;
  const hand = (count: number, bytes = 100): void => {
    for (let i = 0; i < count; i++) {
      const text = `${next}`.padEnd(bytes, '.');
      delivery.accept(message(topic, { partition: next % partitions, text }), outcomes, next++, intake);
    }
  };
  const send = async (count: number, bytes?: number): Promise<void> => {
    hand(count, bytes);
    await outcomes.all(next);
  };
  return { topic, bootstrap, proxy, outcomes, requests, delivery, send, hand };
}

for (const acks of [-1, 1, 0] as const) {
  test(`acks ${acks} goes out with every request`, async (t) => {
    const { send, requests, topic, bootstrap, outcomes } = await line(t, { acks, idempotence: acks === -1 });
    await send(20);
    await until('a request is seen', () => requests.length > 0);
    assert.deepEqual([...new Set(requests.map((request) => request.acks))], [acks]);
    assert.equal(outcomes.count('delivered'), 20);
    await until('all are there', async () => (await oracle(bootstrap).endOffsets(topic))[0] === 20);
  });
}

for (const idempotence of [true, false]) {
  test(`idempotence ${idempotence}: batches ${idempotence ? 'carry a producer and sequence' : 'are nobody’s'}`, async (t) => {
    const { send, proxy, topic } = await line(t, { idempotence });
    await send(5);
    await send(5);
    const batches = proxy.batchesOf(topic, 0);
    assert.deepEqual(
      batches.map(({ producerId, baseSequence }) => [producerId >= 0n, baseSequence]),
      idempotence
        ? [
            [true, 0],
            [true, 5],
          ]
        : [
            [false, -1],
            [false, -1],
          ],
    );
  });
}

const codecs: readonly (readonly [Compression, number])[] = [
  ['none', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
];
for (const [compression, codec] of codecs) {
  test(`compression ${compression} is in the batch, Java reads it back, and the event loop is not held up (P23)`, async (t) => {
    const { send, proxy, topic, bootstrap } = await line(t, { compression, batchMessages: 1_000_000 });
    await send(10);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await send(2_000, 2_000);
    delay.disable();
    const batches = proxy.batchesOf(topic, 0);
    assert.deepEqual([...new Set(batches.map((batch) => batch.codec))], [codec]);
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0);
    assert.equal(bytes < 2_000_000, compression !== 'none', `${bytes} bytes`);
    const values = (await oracle(bootstrap).readAll(topic)).map((record) => Number(String(record.value).split('.')[0]));
    assert.deepEqual(
      values,
      Array.from({ length: 2_010 }, (_, i) => i),
    );
    t.diagnostic(
      `${compression}: loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, largest ${(delay.max / 1e6).toFixed(1)} ms, 4 MB as ${bytes} bytes`,
    );
  });
}

for (const [compression] of codecs) {
  test(`4 MB that are slow to compress do not hold up the event loop: ${compression} (P23)`, async (t) => {
    const letters = Buffer.from(randomBytes(4_000_000).map((byte) => 97 + (byte & 1)));
    const messages = Array.from({ length: 4 }, (_, i) => {
      const value = letters.subarray(i * 1_000_000, (i + 1) * 1_000_000);
      return { topic: 't', partition: 0, partitionKey: null, key: null, value, headers: [], timestampMs: 1 };
    });
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    // It measures from one of its ticks to the next.
    await systemClock.sleep(20);
    const stamp = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
    const batch = await encodeRecordBatch(messages, stamp, compression, compression === 'zstd' ? 12 : null);
    // What the loop was held up for is measured when it goes on.
    await systemClock.sleep(20);
    delay.disable();
    const longestMs = delay.max / 1e6;
    // What it would be held up for if it compressed by itself, on this machine, as busy as it is now.
    const inOnePieceMs = timeOf(() => {
      if (compression === 'gzip') gzipSync(letters);
      if (compression === 'zstd') zstdCompressSync(letters, zstdLevel12);
    });
    const limitMs = compression === 'gzip' || compression === 'zstd' ? inOnePieceMs / 2 : 1_000;
    t.diagnostic(
      `${batch.length} bytes, held up ${longestMs.toFixed(1)} ms, in one piece ${inOnePieceMs.toFixed(1)} ms`,
    );
    assert.ok(longestMs < limitMs, `held up ${longestMs} ms, at most ${limitMs}`);
  });
}

const zstdLevel12 = { pledgedSrcSize: 4_000_000, params: { [constants.ZSTD_c_compressionLevel]: 12 } };

function timeOf(work: () => void): number {
  const startedMs = performance.now();
  work();
  return performance.now() - startedMs;
}

test('a level of compression makes batches smaller', async (t) => {
  const sizes: number[] = [];
  for (const compressionLevel of [1, 9]) {
    const { proxy, topic, outcomes, delivery } = await line(t, { compression: 'gzip', compressionLevel });
    const text = Array.from({ length: 4_000 }, (_, i) => `${(i * 7919) % 613} ${i % 17}`).join(',');
    delivery.accept(message(topic, { text }), outcomes, 0, intake);
    await outcomes.all(1);
    sizes.push(proxy.batchesOf(topic, 0)[0]!.bytes);
  }
  assert.ok(sizes[1]! < sizes[0]! * 0.95, sizes.join(' and '));
});

test('batch_messages cuts by count', async (t) => {
  const { send, proxy, topic } = await line(t, { batchMessages: 7 });
  await send(50);
  assert.deepEqual(
    proxy.batchesOf(topic, 0).map(({ records }) => records),
    [7, 7, 7, 7, 7, 7, 7, 1],
  );
});

test('batch_bytes cuts by bytes', async (t) => {
  const { send, proxy, topic } = await line(t, { batchBytes: 5_000 });
  await send(40, 1_000);
  for (const batch of proxy.batchesOf(topic, 0))
    assert.ok(batch.bytes <= 5_000 && batch.records === 4, JSON.stringify(batch.records));
});

test('a sync cuts its batches smaller than its destination, by count and by bytes', async (t) => {
  const { delivery, outcomes, proxy, topic } = await line(t, {});
  for (let i = 0; i < 30; i++)
    delivery.accept(message(topic, { text: `${i}` }), outcomes, i, { ...intake, batchMessages: 10 });
  await outcomes.all(30);
  for (let i = 30; i < 60; i++)
    delivery.accept(message(topic, { text: 'x'.repeat(930) }), outcomes, i, { ...intake, batchBytes: 5_000 });
  await outcomes.all(60);
  assert.deepEqual(
    proxy.batchesOf(topic, 0).map(({ records }) => records),
    [10, 10, 10, 5, 5, 5, 5, 5, 5],
  );
});

test('linger_ms waits for company from the first message on, and no longer once a batch is full', async (t) => {
  const { hand, outcomes, proxy, topic } = await line(t, { lingerMs: 400, batchMessages: 5 });
  const started = performance.now();
  hand(1);
  await until('the first waits', () => performance.now() - started > 50);
  hand(1);
  await outcomes.all(2);
  assert.ok(performance.now() - started >= 390, 'it lingered');
  assert.deepEqual(
    proxy.batchesOf(topic, 0).map(({ records }) => records),
    [2],
  );
});

test('a full batch ends the linger', async (t) => {
  const { hand, outcomes, proxy, topic } = await line(t, { lingerMs: 60_000, batchMessages: 5 });
  hand(3);
  await until('the topic is known', () => proxy.requests('Metadata') > 0);
  hand(2);
  await outcomes.all(5);
  assert.deepEqual(
    proxy.batchesOf(topic, 0).map(({ records }) => records),
    [5],
  );
});

test('no request is larger than max_request_size, though many partitions share one', async (t) => {
  const { send, requests, proxy, topic } = await line(t, { maxRequestBytes: 20_000, batchBytes: 5_000 }, 12);
  await send(600, 1_000);
  const largest = Math.max(...requests.map(({ bytes }) => bytes));
  assert.ok(largest <= 20_000, `${largest} bytes`);
  assert.ok(largest > 15_000, `${largest} bytes: requests are filled`);
  assert.ok(
    requests.some(({ batches }) => batches.length > 1),
    'partitions share requests',
  );
  assert.ok(proxy.batchesOf(topic, 0).length > 0);
});

test('max_in_flight bounds the requests under way to a broker', async (t) => {
  for (const maxInFlight of [1, 2]) {
    const { hand, outcomes, proxy, requests } = await line(
      t,
      { maxInFlight, maxRequestBytes: 60_000, batchBytes: 50_000 },
      6,
    );
    hand(6);
    await outcomes.all(6);
    const before = requests.length;
    proxy.shape = { latencyMs: 300 };
    hand(600, 1_000);
    await until('requests are under way', () => requests.length > before);
    const waited = performance.now();
    await until('half a round trip', () => performance.now() - waited > 150);
    assert.equal(requests.length - before, maxInFlight);
    proxy.shape = {};
    await outcomes.all(606);
  }
});

test('buffer_memory bounds what waits: sources see it full, and wake when there is room', async (t) => {
  const { delivery, hand, proxy, outcomes } = await line(t, { bufferMemoryBytes: 100_000 });
  hand(1);
  await outcomes.all(1);
  proxy.freeze();
  let handed = 1;
  while (!delivery.full) {
    hand(1, 1_000);
    handed++;
  }
  assert.ok(delivery.pending.bytes >= 100_000 && delivery.pending.bytes < 102_000, `${delivery.pending.bytes}`);
  let woken = false;
  const room = delivery.whenRoom().then(() => (woken = true));
  assert.equal(woken, false);
  proxy.thaw();
  await room;
  assert.ok(delivery.pending.bytes < 100_000);
  await outcomes.all(handed);
});

test('request_timeout_ms ends the wait for an answer, and the same batch goes again', async (t) => {
  const { send, proxy, topic, outcomes } = await line(t, { requestTimeoutMs: 300 });
  await send(1);
  proxy.inject({ api: 'Produce', fault: { do: 'swallow', connection: 'open' } });
  const started = performance.now();
  await send(3);
  const tookMs = performance.now() - started;
  assert.ok(tookMs >= 290 && tookMs < 10_000, `${tookMs} ms`);
  const batches = proxy.batchesOf(topic, 0).slice(1);
  assert.ok(batches.length >= 2);
  for (const batch of batches) assert.deepEqual(batch, batches[0]);
  assert.equal(outcomes.count('delivered'), 4);
});

test('retries and their backoff: so many more attempts, then a person is told, and no message is rejected', async (t) => {
  const { hand, send, proxy, outcomes, topic, bootstrap } = await line(t, {
    retries: 3,
    retryBackoffMs: 200,
    retryBackoffMaxMs: 200,
  });
  await send(1);
  const fault = proxy.inject({ api: 'Produce', times: 1_000_000, fault: { do: 'cut_before' } });
  const started = performance.now();
  hand(5);
  await outcomes.until(() => outcomes.holds.some((held) => held?.code === 'delivery_timeout'));
  const tookMs = performance.now() - started;
  const held = outcomes.holds.at(-1)!;
  assert.equal(held.action, 'park');
  assert.match(held.reason, /^not delivered in 4 attempts: /);
  assert.ok(tookMs >= 290, `three waits of 100 to 200 ms took ${tookMs} ms`);
  assert.equal(outcomes.byIndex.size, 1, 'no outcome was made up');
  fault.cancel();
  await outcomes.all(6);
  assert.equal(outcomes.count('delivered'), 6);
  assert.equal(outcomes.holds.at(-1), null, 'and it goes on by itself');
  assert.deepEqual(await oracle(bootstrap).endOffsets(topic), [6]);
});

test('delivery_timeout_ms ends a try and never rejects a message', async (t) => {
  const { hand, send, proxy, outcomes } = await line(t, { deliveryTimeoutMs: 500, requestTimeoutMs: 300 });
  await send(1);
  proxy.accept(false);
  const started = performance.now();
  hand(5);
  await outcomes.until(() => outcomes.holds.some((held) => held?.action === 'park'));
  assert.ok(performance.now() - started >= 490);
  assert.match(outcomes.holds.at(-1)!.reason, /^not delivered within 500 ms: /);
  proxy.accept(true);
  await outcomes.all(6);
  assert.equal(outcomes.count('delivered'), 6);
});

test('max_block_ms ends the wait for the partitions of a topic', async (t) => {
  const { hand, proxy, outcomes } = await line(t, { maxBlockMs: 400, requestTimeoutMs: 300, connectTimeoutMs: 300 });
  proxy.accept(false);
  const started = performance.now();
  hand(3);
  await outcomes.until(() => outcomes.holds.some((held) => held?.code === 'delivery_timeout'));
  assert.ok(performance.now() - started >= 390);
  assert.match(outcomes.holds.at(-1)!.reason, /^not delivered within 400 ms: /);
  proxy.accept(true);
  await outcomes.all(3);
  assert.equal(outcomes.count('delivered'), 3);
});

test('metadata_max_age_ms: added partitions are used once it has passed', async (t) => {
  const { delivery, outcomes, topic, bootstrap } = await line(t, { metadataMaxAgeMs: 200 });
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.all(1);
  await oracle(bootstrap).addPartitions(topic, 3);
  let index = 1;
  await until('partition 2 takes messages', async () => {
    delivery.accept(message(topic), outcomes, index++, intake);
    await outcomes.all(index);
    return (await oracle(bootstrap).endOffsets(topic))[2]! > 0;
  });
});

test('the time to connect doubles with each failure in a row up to its maximum, a fifth more or less, and starts anew', () => {
  const broker = { host: 'a', port: 1 };
  for (const [random, factor] of [
    [0, 0.8],
    [0.5, 1],
    [1, 1.2],
  ] as const) {
    const timeouts = new SetupTimeouts(1000, 5000, () => random);
    const seen = [timeouts.nextMs(broker)];
    for (let i = 0; i < 4; i++) {
      timeouts.failed(broker);
      seen.push(timeouts.nextMs(broker));
    }
    assert.deepEqual(seen, [1000, ...[2000, 4000, 5000, 5000].map((ms) => Math.round(ms * factor))]);
    assert.equal(timeouts.nextMs({ host: 'b', port: 1 }), 1000, 'each broker has its own');
    timeouts.connected(broker);
    assert.equal(timeouts.nextMs(broker), 1000);
  }
});

test('socket_connection_setup_timeout_ms ends the wait for a broker that sets up no connection', async (t) => {
  const open = new Set<Socket>();
  const silent = createServer((socket) => void open.add(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  // With encryption the connection is not set up before the broker says something.
  const security = { forBroker: async () => ({ tls: {} }) };
  const cluster = clusterAt([{ host: '127.0.0.1', port }], {
    connectTimeoutMs: 200,
    connectTimeoutMaxMs: 400,
    security,
  });
  t.after(async () => {
    await cluster.close();
    for (const socket of open) socket.destroy();
    silent.close();
  });
  const waits: number[] = [];
  while (waits.length < 3) {
    const started = performance.now();
    await assert.rejects(cluster.control(), /timed out|TIMEOUT/i);
    const tookMs = performance.now() - started;
    // For a moment after a dial that failed there is no other.
    if (tookMs < 50) await systemClock.sleep(10);
    else waits.push(tookMs);
  }
  assert.ok(waits[0]! >= 190 && waits[1]! >= 310 && waits[2]! >= 310, waits.join(', '));
});

test('client_dns_lookup use_all_dns_ips tries every address of a name, default the first alone', async (t) => {
  const bootstrap = await sharedKafka();
  const port = Number(bootstrap.split(':')[1]);
  // Nothing listens at the first.
  const names: Resolver = { addressesOf: async () => ['127.9.9.9', '127.0.0.1'], nameOf: async (address) => address };
  const brokers = [{ host: 'kafka.test', port }];
  const all = clusterAt(brokers, { clientDnsLookup: 'use_all_dns_ips', resolver: names });
  const first = clusterAt(brokers, { clientDnsLookup: 'default', resolver: names });
  t.after(() => Promise.all([all.close(), first.close()]));
  assert.equal((await all.control()).address.host, 'kafka.test', 'for TLS and SASL it is still the name');
  await assert.rejects(first.control());
});

test('client_dns_lookup resolve_canonical_bootstrap_servers_only names each bootstrap address canonically', async (t) => {
  const names: Resolver = {
    addressesOf: async (host) => (host === 'alias.test' ? ['127.0.0.1', '127.0.0.2'] : ['127.0.0.1']),
    nameOf: async (address) => (address === '127.0.0.1' ? 'one.canonical.test' : 'two.canonical.test'),
  };
  const port = Number((await sharedKafka()).split(':')[1]);
  const brokers = [{ host: 'alias.test', port }];
  const lookup = 'resolve_canonical_bootstrap_servers_only' as const;
  assert.deepEqual(await bootstrapBrokers(brokers, lookup, names), [
    { host: 'one.canonical.test', port },
    { host: 'two.canonical.test', port },
  ]);
  assert.deepEqual(await bootstrapBrokers(brokers, 'use_all_dns_ips', names), brokers);
  assert.equal((await targetsOf(brokers[0]!, 'default', names)).length, 1);
  const asked: string[] = [];
  const cluster = clusterAt(brokers, {
    clientDnsLookup: lookup,
    resolver: names,
    security: { forBroker: async ({ host }) => (asked.push(host), {}) },
  });
  t.after(() => cluster.close());
  assert.equal((await cluster.control()).address.host, 'one.canonical.test');
  assert.deepEqual(asked, ['one.canonical.test'], 'certificates and logins are for that name');
});

test('a topic that nobody made holds its messages with the three remedies', async (t) => {
  const { delivery, outcomes } = await line(t, {});
  delivery.accept(message(uniqueTopic('missing')), outcomes, 0, intake);
  await outcomes.until(() => outcomes.holds.length > 0);
  assert.match(outcomes.holds[0]!.remedy, /Create the topic, correct its name, or let it be made: `topics: \{create: /);
});

function clusterAt(brokers: ClusterSettings['brokers'], settings: Partial<ClusterSettings>): Cluster {
  const { connectTimeoutMs, requestTimeoutMs } = producerDefaults;
  const security = { forBroker: async () => ({}) };
  return new Cluster(
    { brokers, clientId: 'test', connectTimeoutMs, requestTimeoutMs, createTopics: false, security, ...settings },
    systemClock,
  );
}
