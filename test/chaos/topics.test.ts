/** A topic that changes under way: deleted and made anew with fewer partitions, every message has its outcome (P8, P9). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { startProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';

describe('faults of a topic', { timeout: 120_000 }, () => {
  test('deleted and made anew with fewer partitions while batches are under way: none is left without an outcome', async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'chaos-shrunk', { partitions: 6 });
    const [host, port] = bootstrap.split(':');
    await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
    const delivery = deliveryTo(proxy.bootstrap, { metadataMaxAgeMs: 300, requestTimeoutMs: 1000, batchMessages: 10 });
    t.after(() => delivery.close(0));
    const outcomes = new Outcomes();
    let index = 0;
    const hand = (count: number): void => {
      for (let i = 0; i < count; i++)
        delivery.accept(
          message(topic, { key: Buffer.from(`key ${index}`), text: `${index}` }),
          outcomes,
          index++,
          intake,
        );
    };
    hand(600);
    await outcomes.all(600);
    proxy.freeze();
    hand(600);
    const explicit = index++;
    delivery.accept(message(topic, { partition: 5, text: 'explicit' }), outcomes, explicit, intake);
    await until('batches are under way', () => proxy.requests('Produce') > 0);
    await oracle(bootstrap).deleteTopic(topic);
    await oracle(bootstrap).createTopic(topic, { partitions: 3 });
    proxy.thaw();
    hand(600);
    await until(`${index} outcomes`, () => outcomes.byIndex.size === index, { deadlineMs: 30_000 });
    const refused = outcomes.byIndex.get(explicit)!;
    assert.ok(refused.state === 'rejected' && refused.code === 'partition_invalid', JSON.stringify(refused));
    assert.equal(outcomes.count('delivered'), index - 1);
    const read = await oracle(bootstrap).readAll(topic);
    const values = new Set(read.map((record) => String(record.value)));
    for (let i = explicit + 1; i < index; i++) assert.ok(values.has(String(i)), `message ${i} is in the new topic`);
  });
});
