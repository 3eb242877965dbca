/**
 * The trap of the silent duplicate: the broker has appended a batch, its answer is lost, and a *different* batch of the same
 * count under the same sequence would be answered with success and dropped. Round after round the connection is cut after
 * the append; each round's batch has as many messages as the one before (Promises 3 and 5; P1, P2, F11).
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { hashValue, type ExpectedRecord } from '../support/check-topic.ts';
import { deliveryTo, intake, message, Outcomes } from '../support/delivery.ts';
import { faultTest } from '../support/fault-test.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { laneBreaches } from '../support/lane-discipline.ts';
import { Ledger } from '../support/ledger.ts';
import { startProxy } from '../support/proxy.ts';
import { amount, readTopics } from '../support/scenario.ts';

/** Of each round: one batch. */
const MESSAGES = 10;
/** Beyond what a topic takes by default. */
const REFUSED_MS = Date.UTC(2126, 0, 1);

describe('the trap of the silent duplicate', () => {
  const title = 'the connection cut after the broker has appended, batch after batch of one size';
  faultTest({ fault: 'F11', subject: 'delivery', title }, async (t, run) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'trap', { partitions: 1 });
    const [host, port] = bootstrap.split(':');
    await using proxy = await startProxy({ brokers: [{ host: host!, port: Number(port) }] });
    const delivery = deliveryTo(proxy.bootstrap, { batchMessages: MESSAGES, requestTimeoutMs: 1000 });
    t.after(() => delivery.close(0));
    const outcomes = new Outcomes();
    const ledger = Ledger.inMemory();
    const expected: ExpectedRecord[] = [];
    const draw = run.random.stream('rounds');
    for (let round = 0; round < amount(50, 500) && run.timeLeft; round++) {
      // The answer is lost once, or several times in a row.
      const lost = proxy.inject({
        api: 'Produce',
        times: draw.chance(0.8) ? 1 : draw.between(2, 3),
        fault: { do: 'swallow', connection: 'cut' },
      });
      // Now and then the broker refuses one of them: then the batch is changed, under another producer.
      const poison = draw.chance(0.1) ? draw.below(MESSAGES) : -1;
      for (let at = 0; at < MESSAGES; at++) {
        const sequence = round * MESSAGES + at;
        const id = `r${round}-${at}`;
        const value = `{"round":${round},"at":${at}}`;
        const timestampMs = at === poison ? REFUSED_MS : Date.now();
        const headers = [['id', Buffer.from(id)] as const];
        expected.push({
          id,
          topic,
          key: 'one',
          sequence,
          partition: 0,
          valueHash: hashValue(value),
          headers,
          timestampMs,
        });
        ledger.begin([id]);
        delivery.accept(
          message(topic, { key: Buffer.from('one'), text: value, headers, timestampMs }),
          outcomes,
          sequence,
          intake,
        );
      }
      await outcomes.all((round + 1) * MESSAGES);
      await lost.done;
      run.carriedOut(lost.fired);
    }
    for (const [sequence, outcome] of outcomes.byIndex)
      ledger.settle([expected[sequence]!.id], outcome.state === 'delivered' ? 'ok' : 'fail');
    await delivery.close(1000);
    assert.deepEqual(laneBreaches(proxy.batches), []);
    await run.judge({ expected, ledger, read: readTopics(bootstrap, [topic]), maxDuplicates: 0 });
  });
});
