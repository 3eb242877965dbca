/** Keys and headers of every kind arrive in Kafka as Java reads them: order, repeated names, null and empty kept apart (P26, P27). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Header } from '../../src/model/index.ts';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const nullable = fc.option(bytes, { nil: null });
// Names that a plain object would reorder, or would take for its own members, too.
const name = fc.oneof(
  fc.constantFrom('', '1', '0', '__proto__', 'constructor', 'a', 'ключ'),
  // Java's answers come in lines, and these two end one.
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => text.isWellFormed() && !/[\u2028\u2029]/.test(text)),
);
const headers = fc.array(fc.tuple(name, nullable), { maxLength: 8 });

test('random keys and lists of headers are read by Java as they were handed in', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'headers', { partitions: 3 });
  const delivery = deliveryTo(bootstrap);
  const outcomes = new Outcomes();
  const given: (readonly [Buffer | null, readonly Header[]])[] = fc.sample(fc.tuple(nullable, headers), 1000);
  given.forEach(([key, list], index) =>
    delivery.accept(
      message(topic, { key, partitionKey: key, headers: list, text: String(index) }),
      outcomes,
      index,
      intake,
    ),
  );
  await outcomes.all(given.length);
  assert.equal(outcomes.count('delivered'), given.length);
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, given.length);
  for (const record of read) {
    const [key, list] = given[Number(record.value!.toString())]!;
    assert.deepEqual(record.key, key);
    assert.deepEqual(record.headers, list);
  }
  await delivery.close(5_000);
});
