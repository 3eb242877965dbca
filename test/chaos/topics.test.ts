/** A topic that changes under way: made anew with fewer partitions, or given more; every message has its outcome (P8, P9, P10, F15). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { startProxy } from '../support/proxy.ts';
import { longChaos } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const ROUNDS = Array.from({ length: longChaos ? 20 : 1 }, (_, round) => round + 1);

describe('faults of a topic', { timeout: 120_000 + ROUNDS.length * 60_000 }, () => {
  for (const round of ROUNDS)
    test(`deleted and made anew with fewer partitions while batches are under way: none is left without an outcome (${round})`, async (t) => {
      const bootstrap = await sharedKafka();
      const topic = await newTopic(bootstrap, 'chaos-shrunk', { partitions: 6 });
      const [host, port] = bootstrap.split(':');
      await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
      const delivery = deliveryTo(proxy.bootstrap, {
        metadataMaxAgeMs: 300,
        requestTimeoutMs: 1000,
        batchMessages: 10,
      });
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

  for (const round of ROUNDS)
    test(`partitions added under load: nothing lost, order per key on each side of the switch (${round})`, async () => {
      const bootstrap = await sharedKafka();
      const topic = await newTopic(bootstrap, 'grown', { partitions: 3 });
      const delivery = deliveryTo(bootstrap, { metadataMaxAgeMs: 100 });
      const outcomes = new Outcomes();
      const keys = 40;
      let sent = 0;
      const send = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++, sent++) {
          delivery.accept(
            message(topic, { key: Buffer.from(`k${sent % keys}`), text: `${sent}` }),
            outcomes,
            sent,
            intake,
          );
          if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      };
      await send(2_000);
      await oracle(bootstrap).addPartitions(topic, 6);
      const used = async (): Promise<boolean> =>
        (await oracle(bootstrap).endOffsets(topic)).slice(3).some((end) => end > 0);
      for (let round = 0; round < 200 && !(await used()); round++) await send(200);
      await outcomes.all(sent);
      assert.equal(outcomes.count('delivered'), sent);
      const read = await oracle(bootstrap).readAll(topic);
      assert.ok(
        read.some((record) => record.partition > 2),
        'the new partitions are used',
      );
      assert.equal(new Set(read.map((record) => String(record.value))).size, sent);
      for (let key = 0; key < keys; key++) {
        const mine = read.filter((record) => String(record.key) === `k${key}`);
        const byPartition = Map.groupBy(mine, (record) => record.partition);
        assert.ok(byPartition.size <= 2, 'a key moves at most once');
        const sides = [...byPartition.values()].map((side) => side.map((record) => Number(String(record.value))));
        for (const side of sides)
          assert.deepEqual(
            side,
            side.toSorted((a, b) => a - b),
          );
        const [one, other] = sides.sort((a, b) => a[0]! - b[0]!);
        if (other !== undefined) assert.ok(one!.at(-1)! < other[0]!, 'the old side ends before the new begins');
      }
      await delivery.close(5_000);
    });
});
