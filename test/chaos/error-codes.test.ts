/** F13: every error code at every call that Headrace makes: the class of the table, no message lost, doubled or reordered. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { Delivery } from '../../src/delivery/index.ts';
import { classifyCode } from '../../src/kafka/classify.ts';
import { kafkaErrors } from '../../src/kafka/error-table.ts';
import { createSender } from '../../src/kafka/index.ts';
import { destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { startStubBroker, type StubBroker, type StubCall, type StubOptions } from '../support/stub-broker.ts';

/** What waits seconds for a person waits here for a blink. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 200, signal) };
const MESSAGES = 12;
const NONE = 0;
const DUPLICATE_SEQUENCE_NUMBER = 46;
/** A broker newer than the table. */
const UNKNOWN_CODES = [134, 4711];

const codes = [...kafkaErrors.keys(), ...UNKNOWN_CODES];

async function scenario(
  fault: StubOptions['fault'],
  { batchMessages = 1, appendsAnyway = false, partitions = 1 } = {},
): Promise<{ outcomes: Outcomes; stub: StubBroker }> {
  const topic = 'scripted';
  const stub = await startStubBroker({ topic, partitions, fault, appendsAnyway });
  const destination = destinationAt(stub.bootstrap, { requestTimeoutMs: 2_000 });
  const delivery = new Delivery({
    sender: createSender(destination, hasty),
    clock: hasty,
    ...destination.producer,
    batchMessages,
  });
  const outcomes = new Outcomes();
  try {
    for (let i = 0; i < MESSAGES; i++)
      delivery.accept(message(topic, { partition: i % partitions, text: `${i}` }), outcomes, i, intake);
    await Promise.race([
      outcomes.all(MESSAGES),
      systemClock.sleep(20_000).then(() => assert.fail(`${outcomes.byIndex.size} outcomes`)),
    ]);
    return { outcomes, stub };
  } finally {
    await delivery.close(0);
    await stub[Symbol.asyncDispose]();
  }
}

/** All that are not rejected are written, each once, in their order. */
function assertExact({ outcomes, stub }: Awaited<ReturnType<typeof scenario>>, what: string): void {
  const delivered = [...outcomes.byIndex].filter(([, { state }]) => state === 'delivered').map(([index]) => index);
  for (const [partition, values] of stub.written.entries()) {
    const expected = delivered.filter((index) => index % stub.written.length === partition).sort((a, b) => a - b);
    assert.deepEqual(values, expected.map(String), what);
  }
  assert.equal(outcomes.count('delivered') + outcomes.count('rejected'), MESSAGES, what);
}

const calls: readonly StubCall[] = ['ApiVersions', 'Metadata', 'Metadata partition', 'InitProducerId', 'Produce'];

describe('every error code once', { timeout: 600_000 }, () => {
  for (const call of calls)
    test(`at ${call}`, async () => {
      for (const code of codes) {
        // Said of a batch that was never written, it would be a lie that no client could see through.
        if (call === 'Produce' && code === DUPLICATE_SEQUENCE_NUMBER) continue;
        const what = `${kafkaErrors.get(code)?.name ?? 'unknown'} (${code}) at ${call}`;
        const position = call === 'Produce' ? 5 : 1;
        const result = await scenario((asked, count) => (asked === call && count === position ? code : NONE));
        assertExact(result, what);
        const rejects = call === 'Produce' && classifyCode(code, null).action === 'reject';
        assert.equal(result.outcomes.count('rejected'), rejects ? 1 : 0, what);
        if (rejects) assert.equal(result.outcomes.byIndex.get(4)?.state, 'rejected', what);
      }
    });
});

describe('an error code that lasts', { timeout: 600_000 }, () => {
  test('parks or stops who waits for it, with the code of the table, and lets all go on once it is over', async () => {
    for (const [code, { action, code: errorCode, name }] of kafkaErrors) {
      if (action !== 'park' && action !== 'stop') continue;
      const result = await scenario((call, count) => (call === 'Produce' && count <= 6 ? code : NONE));
      assertExact(result, name);
      const told = result.outcomes.holds.map((held) => held?.code ?? null);
      assert.ok(told.includes(errorCode), `${name}: ${told.join()}`);
      assert.equal(result.outcomes.holds.find((held) => held?.code === errorCode)?.action, action, name);
    }
  });
});

describe('a batch that is taken for damaged', { timeout: 600_000 }, () => {
  test('is sent again; where it lasts, messages without a key are at fault, and the others go on', async () => {
    const twice = await scenario((call, count) => (call === 'Produce' && count <= 2 ? 2 : NONE));
    assertExact(twice, 'twice');
    assert.equal(twice.outcomes.count('delivered'), MESSAGES);
    const lasting = await scenario((call, count) => (call === 'Produce' && count <= 3 ? 2 : NONE));
    assertExact(lasting, 'lasting');
    const first = lasting.outcomes.byIndex.get(0);
    assert.ok(first?.state === 'rejected' && first.code === 'record_refused', JSON.stringify(first));
    assert.equal(lasting.outcomes.count('delivered'), MESSAGES - 1);
  });
});

describe('a lost producer (P1)', { timeout: 600_000 }, () => {
  for (const [name, code] of [
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 45],
    ['UNKNOWN_PRODUCER_ID', 59],
  ] as const)
    test(`${name} at every position: order and count are exact`, async () => {
      for (let position = 1; position <= MESSAGES; position++)
        for (const options of [{ batchMessages: 1 }, { batchMessages: 3 }, { batchMessages: 2, partitions: 2 }]) {
          const result = await scenario(
            (call, count) => (call === 'Produce' && count === position ? code : NONE),
            options,
          );
          assertExact(result, `at ${position}`);
          assert.equal(result.outcomes.count('delivered'), MESSAGES);
        }
    });
});

describe('an answer that lies', { timeout: 600_000 }, () => {
  test('written, and answered with an error that passes: the same batch again is known for its double', async () => {
    for (const [code, { action, identityLost, name }] of kafkaErrors) {
      if (action !== 'retry' || identityLost === true) continue;
      const result = await scenario((call, count) => (call === 'Produce' && count === 4 ? code : NONE), {
        appendsAnyway: true,
      });
      assertExact(result, name);
      assert.equal(result.outcomes.count('delivered'), MESSAGES, name);
    }
  });
});
