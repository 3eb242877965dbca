/** `ordering: key | preserve | none`: what each keeps under faults, what it costs, and that neither touches the other (Promise 3). */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Ordering, ProducerSettings } from '../../src/model/index.ts';
import type { IntakeOptions } from '../../src/delivery/index.ts';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { laneBreaches } from '../support/lane-discipline.ts';
import { oracle } from '../support/oracle.ts';
import { startProxy, type KafkaProxy } from '../support/proxy.ts';
import { random } from '../support/random.ts';
import { until } from '../support/until.ts';

/** Beyond what a topic takes by default. */
const POISON_MS = Date.UTC(2126, 0, 1);

interface Way {
  readonly bootstrap: string;
  readonly topic: string;
  readonly proxy: KafkaProxy;
  readonly outcomes: Outcomes;
  readonly delivery: ReturnType<typeof deliveryTo>;
  /** By partition: the numbers of the messages as they stand. */
  readonly standing: () => Promise<number[][]>;
}

async function way(t: TestContext, partitions: number, settings: Partial<ProducerSettings> = {}): Promise<Way> {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'ordering', { partitions });
  const [host, port] = bootstrap.split(':');
  const proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
  const delivery = deliveryTo(proxy.bootstrap, { requestTimeoutMs: 2_000, ...settings });
  t.after(async () => {
    await delivery.close(0);
    await proxy.close();
  });
  const standing = async (): Promise<number[][]> => {
    const found: number[][] = [];
    for (const { partition, value } of await oracle(bootstrap).readAll(topic))
      (found[partition] ??= []).push(Number(String(value)));
    return found;
  };
  return { bootstrap, topic, proxy, outcomes: new Outcomes(), delivery, standing };
}

const ordered = (numbers: readonly number[]): boolean =>
  numbers.every((number, i) => i === 0 || numbers[i - 1]! < number);
const optionsOf = (ordering: Ordering): IntakeOptions => ({ ...intake, ordering });

for (const ordering of ['key', 'preserve'] as const) {
  test(`${ordering}: under cuts, swallowed answers and rejects each partition stands in the source's order, once`, async (t) => {
    const { topic, proxy, outcomes, delivery, standing } = await way(t, 3, { batchMessages: 20 });
    const draw = random(`ordering ${ordering}`);
    const faults = proxy.scatterResets({ random: draw, times: 25, requests: { from: 1, to: 4 } });
    const lost = proxy.inject({
      api: 'Produce',
      after: 7,
      every: 9,
      times: 3,
      fault: { do: 'swallow', connection: 'open' },
    });
    const poison = new Set<number>();
    for (let i = 0; i < 3_000; i++) {
      const bad = draw.chance(0.005);
      if (bad) poison.add(i);
      delivery.accept(
        message(topic, { key: Buffer.from(`k${i % 40}`), text: `${i}`, ...(bad ? { timestampMs: POISON_MS } : {}) }),
        outcomes,
        i,
        optionsOf(ordering),
      );
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('all have their outcome', () => outcomes.byIndex.size === 3_000, { deadlineMs: 120_000 });
    assert.ok(faults.fired + lost.fired > 10, `${faults.fired} and ${lost.fired} faults`);
    assert.equal(outcomes.count('rejected'), poison.size);
    const found = await standing();
    for (const [partition, numbers] of found.entries()) assert.ok(ordered(numbers), `partition ${partition}`);
    const all = found.flat().sort((a, b) => a - b);
    assert.deepEqual(
      all,
      Array.from({ length: 3_000 }, (_, i) => i).filter((i) => !poison.has(i)),
    );
    assert.deepEqual(laneBreaches(proxy.batches), []);
  });
}

test('none: messages overtake one another under faults, and still none is lost or doubled', async (t) => {
  const { topic, proxy, outcomes, delivery, standing } = await way(t, 1, { batchMessages: 20 });
  const lost = proxy.inject({
    api: 'Produce',
    after: 3,
    every: 5,
    times: 8,
    fault: { do: 'swallow', connection: 'open' },
  });
  const cut = proxy.inject({ api: 'Produce', after: 4, every: 7, times: 8, fault: { do: 'cut_before' } });
  for (let i = 0; i < 3_000; i++) delivery.accept(message(topic, { text: `${i}` }), outcomes, i, optionsOf('none'));
  await until('all have their outcome', () => outcomes.byIndex.size === 3_000, { deadlineMs: 120_000 });
  assert.ok(lost.fired + cut.fired > 4, `${lost.fired} and ${cut.fired} faults`);
  const [numbers] = await standing();
  assert.equal(ordered(numbers!), false, 'some have overtaken others: else nothing was gained');
  assert.deepEqual(
    numbers!.toSorted((a, b) => a - b),
    Array.from({ length: 3_000 }, (_, i) => i),
  );
});

test('none is several times as fast as key where the way to the broker is long', async (t) => {
  const tookMs: Partial<Record<Ordering, number>> = {};
  for (const ordering of ['key', 'none'] as const) {
    const { topic, proxy, outcomes, delivery } = await way(t, 1, { batchMessages: 10, maxInFlight: 5 });
    // Every lane has its identity before the time counts.
    for (let i = 0; i < 100; i++) delivery.accept(message(topic), outcomes, i, optionsOf(ordering));
    await outcomes.all(100);
    proxy.shape = { latencyMs: 100 };
    const started = performance.now();
    for (let i = 100; i < 300; i++) delivery.accept(message(topic), outcomes, i, optionsOf(ordering));
    await outcomes.all(300);
    tookMs[ordering] = performance.now() - started;
    assert.equal(outcomes.count('delivered'), 300);
  }
  t.diagnostic(`20 batches over 100 ms: key ${Math.round(tookMs.key!)} ms, none ${Math.round(tookMs.none!)} ms`);
  assert.ok(tookMs.none! * 2 < tookMs.key!, JSON.stringify(tookMs));
});

test('at most max_in_flight batches of a partition are under way with none, one with key', async (t) => {
  for (const [ordering, most] of [
    ['key', 1],
    ['preserve', 1],
    ['none', 3],
  ] as const) {
    const { topic, proxy, outcomes, delivery } = await way(t, 1, { batchMessages: 10, maxInFlight: 3 });
    for (let i = 0; i < 100; i++) delivery.accept(message(topic), outcomes, i, optionsOf(ordering));
    await outcomes.all(100);
    const before = proxy.batches.length;
    proxy.shape = { latencyMs: 400 };
    for (let i = 100; i < 200; i++) delivery.accept(message(topic), outcomes, i, optionsOf(ordering));
    await until('batches are under way', () => proxy.batches.length > before);
    const waited = performance.now();
    await until('half a round trip', () => performance.now() - waited > 200);
    assert.equal(proxy.batches.length - before, most, ordering);
    proxy.shape = {};
    await outcomes.all(200);
  }
});

test('a sync without order beside one with it: neither holds the other up, and the order of the one is kept', async (t) => {
  const { topic, proxy, outcomes, delivery, standing } = await way(t, 1, { batchMessages: 20 });
  const cut = proxy.inject({ api: 'Produce', after: 5, every: 4, times: 10, fault: { do: 'cut_after' } });
  for (let i = 0; i < 2_000; i++) {
    const ordering = i % 2 === 0 ? 'key' : 'none';
    delivery.accept(message(topic, { text: `${i}` }), outcomes, i, optionsOf(ordering));
  }
  await until('all have their outcome', () => outcomes.byIndex.size === 2_000, { deadlineMs: 120_000 });
  assert.ok(cut.fired > 3);
  const [numbers] = await standing();
  assert.equal(numbers!.length, 2_000);
  assert.ok(ordered(numbers!.filter((number) => number % 2 === 0)), 'the messages of the sync with order');
});

for (const ordering of ['key', 'preserve'] as const) {
  test(`${ordering}: partitions added under load: each partition stands in order, and each key on each side of the change`, async (t) => {
    const { bootstrap, topic, outcomes, delivery } = await way(t, 2, { metadataMaxAgeMs: 100, batchMessages: 20 });
    let index = 0;
    const hand = (count: number): void => {
      for (let i = 0; i < count; i++, index++)
        delivery.accept(
          message(topic, { key: Buffer.from(`k${index % 30}`), text: `${index}` }),
          outcomes,
          index,
          optionsOf(ordering),
        );
    };
    hand(300);
    await oracle(bootstrap).addPartitions(topic, 5);
    await until('the new partitions are used', async () => {
      hand(60);
      await outcomes.all(index);
      return (await oracle(bootstrap).endOffsets(topic)).slice(2).some((end) => end > 0);
    });
    hand(300);
    await outcomes.all(index);
    const partitions: number[][] = [];
    const keys = new Map<string, number[]>();
    for (const { partition, key, value } of await oracle(bootstrap).readAll(topic)) {
      (partitions[partition] ??= []).push(Number(String(value)));
      const place = `${partition} ${String(key)}`;
      keys.set(place, [...(keys.get(place) ?? []), Number(String(value))]);
    }
    for (const numbers of [...partitions.filter(Boolean), ...keys.values()]) assert.ok(ordered(numbers));
    assert.equal(partitions.flat().length, index);
  });
}

test('a withdrawn owner leaves the queue of messages without order, and idle is told', async (t) => {
  const { topic, proxy, outcomes, delivery } = await way(t, 1, { batchMessages: 10 });
  delivery.accept(message(topic), outcomes, 0, optionsOf('none'));
  await outcomes.all(1);
  proxy.freeze();
  for (let i = 1; i <= 200; i++) delivery.accept(message(topic), outcomes, i, optionsOf('none'));
  await until('as many as may be are under way', () => proxy.batches.length >= 2);
  const taken = delivery.withdraw(() => true);
  assert.ok(taken >= 100 && taken < 200, `${taken}`);
  proxy.thaw();
  await delivery.whenIdle();
  assert.equal(outcomes.byIndex.size, 201);
  assert.equal(outcomes.count('withdrawn'), taken);
});
