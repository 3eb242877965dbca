/** Messages that are too large: known before they are sent, judged as the broker judges them, never tried for ever (P6, P7). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { compileTruncation } from '../../src/mapping/index.ts';
import type { Message, Outcome, ProducerSettings } from '../../src/model/index.ts';
import { previewSync } from '../../src/syncs/preview.ts';
import { openFiles } from '../../src/sources/tables/index.ts';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { engine } from '../support/engine.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

const LIMIT = 20_000;
/** Of a batch with one message: its header; then length, attributes, three deltas of one byte, key and headers of none. */
const AROUND = 61 + 3 + 1 + 1 + 1 + 1 + 3 + 1;

function reasonOf(outcome: Outcome | undefined): string {
  assert.ok(outcome?.state === 'rejected', JSON.stringify(outcome));
  assert.equal(outcome.code, 'too_large');
  return outcome.reason;
}

async function deliver(
  t: TestContext,
  messages: (topic: string) => readonly Message[],
  given: { settings?: Partial<ProducerSettings>; limit?: number; shrink?: readonly string[] } = {},
): Promise<{ outcomes: Outcomes; attempts: number; values: () => Promise<string[]> }> {
  const bootstrap = await sharedKafka();
  const limit = String(given.limit ?? LIMIT);
  const topic = await newTopic(bootstrap, 'oversized', { config: { 'max.message.bytes': limit } });
  let attempts = 0;
  const delivery = deliveryTo(bootstrap, given.settings, { attempted: () => void attempts++ });
  t.after(() => delivery.close(0));
  const outcomes = new Outcomes();
  const options = given.shrink === undefined ? intake : { ...intake, shrink: compileTruncation(given.shrink) };
  const all = messages(topic);
  all.forEach((one, index) => delivery.accept(one, outcomes, index, options));
  await outcomes.all(all.length);
  const values = async (): Promise<string[]> =>
    (await oracle(bootstrap).readAll(topic)).map((record) => String(record.value));
  return { outcomes, attempts, values };
}

test('the largest message that the topic takes is delivered, and one byte more is rejected without being sent', async (t) => {
  const largest = LIMIT - AROUND;
  const { outcomes, attempts } = await deliver(t, (topic) => [message(topic, { text: 'x'.repeat(largest) })]);
  assert.equal(outcomes.count('delivered'), 1);
  assert.equal(attempts, 1, 'the broker took it at once');
  const more = await deliver(t, (topic) => [message(topic, { text: 'x'.repeat(largest + 1) })]);
  assert.equal(more.attempts, 0);
  assert.match(
    reasonOf(more.outcomes.byIndex.get(0)),
    /^the message has 20001 bytes; topic \S+ takes 20000 \(max\.message\.bytes\)$/,
  );
});

test('what is larger than a request is rejected whatever the topic takes, counted before compression, as Java does', async (t) => {
  for (const compression of ['none', 'lz4'] as const) {
    const { outcomes, values } = await deliver(
      t,
      (topic) => [
        message(topic, { text: 'before' }),
        message(topic, { text: 'x'.repeat(30_000) }),
        message(topic, { text: 'after' }),
      ],
      { settings: { maxRequestBytes: 25_000, batchBytes: 25_000, compression }, limit: 1_000_000 },
    );
    assert.match(
      reasonOf(outcomes.byIndex.get(1)),
      /^the message has 30072 bytes; a request takes \d+ of it \(max_request_size is 25000\)$/,
    );
    assert.deepEqual(await values(), ['before', 'after']);
  }
});

for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`with ${compression} a message that fits when packed is delivered, one that does not is rejected with its packed size`, async (t) => {
    const { outcomes, values, attempts } = await deliver(
      t,
      (topic) => [
        message(topic, { text: 'x'.repeat(100_000) }),
        message(topic, { value: randomBytes(30_000) }),
        message(topic, { text: 'after' }),
      ],
      { settings: { compression } },
    );
    assert.match(reasonOf(outcomes.byIndex.get(1)), new RegExp(`takes 20000 with ${compression} \\(max\\.message`));
    assert.deepEqual(
      (await values()).map((value) => value.length),
      [100_000, 5],
    );
    assert.equal(attempts, 2);
  });
}

test('one in a thousand: the others are delivered once, in order', async (t) => {
  const { outcomes, values } = await deliver(t, (topic) =>
    Array.from({ length: 1_000 }, (_, i) => message(topic, { text: i === 500 ? 'x'.repeat(30_000) : `${i}` })),
  );
  reasonOf(outcomes.byIndex.get(500));
  assert.equal(outcomes.count('delivered'), 999);
  assert.deepEqual(
    await values(),
    Array.from({ length: 1_000 }, (_, i) => `${i}`).filter((text) => text !== '500'),
  );
});

for (const shrink of [undefined, ['$.body']]) {
  test(`a limit lowered behind our back: the broker's answer decides, and large ones are ${shrink === undefined ? 'rejected' : 'cut'}`, async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'lowered');
    let attempts = 0;
    const delivery = deliveryTo(bootstrap, { metadataMaxAgeMs: 3_600_000 }, { attempted: () => void attempts++ });
    t.after(() => delivery.close(0));
    const outcomes = new Outcomes();
    const options = shrink === undefined ? intake : { ...intake, shrink: compileTruncation(shrink) };
    delivery.accept(message(topic, { text: '{}' }), outcomes, 0, options);
    await outcomes.all(1);
    await oracle(bootstrap).configureTopic(topic, { 'max.message.bytes': '5000' });
    const bodyOf = (i: number): string => `${i}`.padEnd(i % 40 === 20 ? 30_000 : 50, 'x');
    for (let i = 1; i <= 100; i++)
      delivery.accept(message(topic, { text: JSON.stringify({ body: bodyOf(i) }) }), outcomes, i, options);
    await outcomes.all(101);
    const read = (await oracle(bootstrap).readAll(topic)).slice(1);
    const found = read.map(({ value }) => (JSON.parse(String(value)) as { body: string }).body);
    const large = [20, 60, 100];
    if (shrink === undefined) {
      for (const i of large) assert.match(reasonOf(outcomes.byIndex.get(i)), /larger than the topic/);
      assert.equal(outcomes.count('delivered'), 98);
      assert.deepEqual(
        found,
        Array.from({ length: 100 }, (_, i) => i + 1)
          .filter((i) => !large.includes(i))
          .map(bodyOf),
      );
    } else {
      assert.equal(outcomes.count('delivered'), 101);
      assert.deepEqual(
        found.map((body) => Number.parseInt(body, 10)),
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
      for (const i of large) {
        assert.ok(bodyOf(i).startsWith(found[i - 1]!) && found[i - 1]!.length > 1_000, `${found[i - 1]!.length}`);
        assert.deepEqual(
          read[i - 1]!.headers.map(([name, value]) => [name, String(value)]),
          [['headrace-truncated', '$.body']],
        );
      }
    }
    assert.ok(attempts < 100, `${attempts} attempts`);
  });
}

test('fields are cut until the message fits, order kept; without them in the value it is rejected', async (t) => {
  const { outcomes, values } = await deliver(
    t,
    (topic) => [
      message(topic, { text: '{"n":1}' }),
      message(topic, { text: JSON.stringify({ n: 2.5, body: '€'.repeat(20_000), tail: true }) }),
      message(topic, { text: JSON.stringify({ n: 3, other: 'x'.repeat(30_000) }) }),
      message(topic, { text: '{"n":4}' }),
    ],
    { shrink: ['$.missing', '$.body'] },
  );
  assert.match(reasonOf(outcomes.byIndex.get(2)), /none of the fields to truncate is in it$/);
  const found = (await values()).map((value) => JSON.parse(value) as { n: number; body?: string; tail?: boolean });
  assert.deepEqual(
    found.map(({ n }) => n),
    [1, 2.5, 4],
  );
  assert.match(found[1]!.body!, /^€+$/);
  assert.ok(found[1]!.body!.length > 6_000 && found[1]!.tail === true);
});

test('cut as short as it gets and still too large, it is rejected with both sizes', async (t) => {
  const { outcomes } = await deliver(
    t,
    (topic) => [message(topic, { text: JSON.stringify({ body: 'x'.repeat(9_000), other: 'y'.repeat(30_000) }) })],
    { shrink: ['$.body'] },
  );
  assert.match(
    reasonOf(outcomes.byIndex.get(0)),
    /has 39\d{3} bytes; .* with its fields truncated it still has 30\d{3}$/,
  );
});

test('a run cuts what preview shows cut, byte for byte, and a dead letter keeps the whole message (Promise 6)', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cut-run', { config: { 'max.message.bytes': String(LIMIT) } });
  const running = await engine(t, bootstrap);
  const rows = [
    { id: 1, body: 'short' },
    { id: 2, body: 'ü"\\'.repeat(10_000), total: 1 },
    { id: 3, other: 'x'.repeat(40_000) },
  ];
  running.write('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  running.apply({
    syncs: {
      rows: {
        source: 'files',
        destination: 'main',
        read: { file: 'rows.jsonl' },
        message: { topic, key: '$.id', payload: '$.' },
        oversized: { truncate: ['$.body'] },
      },
    },
  });
  const request = { sync: 'rows', limit: 10, record: undefined, atMs: Date.now(), run: 'r' };
  const shown = await previewSync(running.syncs, openFiles, request);
  const run = await running.run('rows');
  assert.deepEqual([run.counts.delivered, run.counts.rejected], [2, 1]);
  const read = await oracle(bootstrap).readAll(topic);
  for (const [index, record] of read.entries()) {
    const { result } = shown[index]!;
    assert.ok('value' in result);
    assert.deepEqual([record.value, record.headers], [result.value, result.headers]);
  }
  assert.deepEqual(
    read.map(({ headers }) => headers.length),
    [0, 1],
  );
  const { result } = shown[2]!;
  assert.ok('state' in result && result.state === 'rejected' && result.code === 'too_large');
  const [letter] = await running.store.deadLetters.list({ sync: 'rows', limit: 10 });
  assert.equal(letter?.reason, result.reason);
  assert.equal(String(letter?.value), JSON.stringify(rows[2]));
});
