/** Delivery by itself: an outcome for each, also at the end (Promise 4), and order when partitions go (Promise 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outcomes, intake, message } from '../../test/support/delivery.ts';
import { heldClock } from '../../test/support/held-clock.ts';
import { turnClock } from '../../test/support/spool.ts';
import type { Held } from '../model/index.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import type { LaneBatch, LaneChannel, Sender, SendResult, TopicFacts } from './ports.ts';

/** A cluster of one topic, whose sends are answered when the test says so. */
class PlayedSender implements Sender {
  partitions = 6;
  readonly written: string[] = [];
  /** Answers at once when set. */
  answer: ((batch: LaneBatch) => SendResult) | null = (batch) => this.now(batch);
  #open: { batch: LaneBatch; resolve: (result: SendResult) => void }[] = [];

  topic = (): Promise<TopicFacts> => Promise.resolve({ partitions: this.partitions, maxMessageBytes: null });
  openChannel = (topic: string, partition: number): LaneChannel => ({ topic, partition });
  close = (): Promise<void> => Promise.resolve();

  async send(batch: LaneBatch): Promise<SendResult> {
    await nextTurn();
    if (this.answer !== null) return this.answer(batch);
    return new Promise((resolve) => this.#open.push({ batch, resolve }));
  }

  /** What was not answered is answered now, as the topic is now. */
  answerAll(): void {
    for (const { batch, resolve } of this.#open.splice(0)) resolve(this.now(batch));
  }

  now(batch: LaneBatch): SendResult {
    if (batch.partition >= this.partitions) return missing;
    this.written.push(...batch.messages.map(({ value }) => String(value)));
    return { state: 'written' };
  }
}

const held: Held = { action: 'park', code: 'topic_missing', reason: 'missing', remedy: '', topic: 't' };
const missing: SendResult = { state: 'held', held };

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Partition by the number that is the key. */
const byNumber = {
  ...intake,
  assign: ({ key }: { key: Buffer | null }, partitions: number) => Number(key) % partitions,
};

function played(options: Partial<DeliveryOptions> = {}): {
  sender: PlayedSender;
  delivery: Delivery;
  outcomes: Outcomes;
  hand: (key: number, text: string) => void;
} {
  const sender = new PlayedSender();
  const delivery = new Delivery({
    sender,
    clock: turnClock(),
    lingerMs: 0,
    metadataMaxAgeMs: 60_000,
    batchBytes: 1_000_000,
    batchMessages: 100,
    bufferMemoryBytes: 10_000_000,
    ...options,
  });
  const outcomes = new Outcomes();
  let count = 0;
  const hand = (key: number, text: string): void =>
    delivery.accept(message('t', { key: Buffer.from(String(key)), text }), outcomes, count++, byNumber);
  return { sender, delivery, outcomes, hand };
}

test(
  'fewer partitions: messages of a key keep their order, whichever lane notices first',
  { timeout: 60_000 },
  async () => {
    const { sender, delivery, outcomes, hand } = played();
    for (let key = 0; key < 6; key++) hand(key, 'warm');
    await outcomes.all(6);
    sender.written.length = 0;
    // One lane has a batch whose answer is not there yet, another learns that its partition is gone.
    sender.answer = null;
    hand(4, 'A0');
    hand(1, 'B0');
    await turnsOf(5);
    hand(4, 'A1');
    hand(1, 'B1');
    sender.partitions = 3;
    sender.answer = (batch) => sender.now(batch);
    hand(3, 'C0');
    await turnsOf(10);
    for (let i = 2; i < 10; i++) {
      hand(4, `A${i}`);
      hand(1, `B${i}`);
      await nextTurn();
    }
    sender.answerAll();
    await outcomes.all(6 + 21);
    const of = (letter: string): string[] => sender.written.filter((text) => text.startsWith(letter));
    assert.deepEqual(
      of('A'),
      Array.from({ length: 10 }, (_, i) => `A${i}`),
    );
    assert.deepEqual(
      of('B'),
      Array.from({ length: 10 }, (_, i) => `B${i}`),
    );
    assert.deepEqual(of('C'), ['C0']);
    await delivery.close(0);
  },
);

test('closed with a batch whose answer never came: each owner is told, once, and what comes later is not taken', async () => {
  const { sender, delivery, outcomes, hand } = played();
  sender.answer = null;
  hand(1, 'in a send');
  hand(1, 'in it too');
  await turnsOf(5);
  hand(1, 'behind it');
  await turnsOf(2);
  assert.equal(await delivery.close(0), 2);
  const unanswered = { state: 'withdrawn', unanswered: true };
  assert.deepEqual(
    [...outcomes.byIndex].sort(([one], [other]) => one - other),
    [
      [0, unanswered],
      [1, unanswered],
      [2, { state: 'withdrawn' }],
    ],
  );
  hand(1, 'too late');
  assert.deepEqual(outcomes.byIndex.get(3), { state: 'withdrawn' });
  assert.deepEqual(delivery.pending, { bytes: 0, messages: 0 });
  // The answer comes after all: Outcomes throws at a second one.
  sender.answerAll();
  await turnsOf(5);
  assert.deepEqual(delivery.pending, { bytes: 0, messages: 0 });
});

test('what is on the disk too is not counted among what has no answer at the end', async () => {
  const { sender, delivery, outcomes, hand } = played();
  sender.answer = null;
  hand(1, 'in a send');
  hand(1, 'in it too');
  await turnsOf(5);
  Object.assign(outcomes, { isSafe: (index: number) => index === 1 });
  assert.equal(await delivery.close(0), 1);
  assert.equal(outcomes.byIndex.size, 2);
});

test('closed while a batch is taken apart: only what has no outcome yet is told that there was no answer', async () => {
  const { sender, delivery, outcomes, hand } = played();
  let sends = 0;
  sender.answer = (batch) => {
    if (++sends === 1) return { state: 'rejected', code: 'too_large', reason: 'poison', indexes: [1] };
    return { state: 'retry', code: 'kafka_unreachable', reason: `${batch.messages.length} sent again` };
  };
  for (const text of ['a', 'poison', 'c']) hand(1, text);
  await outcomes.all(1);
  await turnsOf(5);
  assert.equal(await delivery.close(0), 2);
  assert.deepEqual(
    [0, 1, 2].map((index) => outcomes.byIndex.get(index)?.state),
    ['withdrawn', 'rejected', 'withdrawn'],
  );
  await turnsOf(5);
});

async function turnsOf(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}

test('Promise 5: a batch whose answer was lost is sent again as it was, also when a message in it has another place to go', async () => {
  const { sender, delivery, outcomes } = played({ retries: 0 });
  const batches: string[][] = [];
  let lost = 2;
  sender.answer = (batch) => {
    batches.push(batch.messages.map(({ value }) => String(value)));
    return lost-- > 0 ? { state: 'retry', code: 'kafka_unreachable', reason: 'lost' } : { state: 'written' };
  };
  const key = Buffer.from('0');
  delivery.accept(message('t', { key, text: 'other' }), outcomes, 0, byNumber);
  delivery.accept(message('t', { key, text: 'redriven' }), outcomes, 1, { ...byNumber, heldIsRejected: true });
  await outcomes.all(2);
  assert.deepEqual(
    batches,
    Array.from({ length: 3 }, () => ['other', 'redriven']),
  );
  assert.deepEqual(
    [...outcomes.byIndex.values()].map(({ state }) => state),
    ['delivered', 'delivered'],
  );
  await delivery.close(0);
});

test('G6: brokers that are back are found within half a second, and what their start takes is not waited for as long', async () => {
  const clock = heldClock();
  const { sender, delivery, outcomes, hand } = played({ clock });
  let answer: SendResult = { state: 'retry', code: 'kafka_unreachable', reason: 'nobody is there' };
  const sentAtMs: number[] = [];
  sender.answer = (batch) => {
    if (batch.partition === 0) sentAtMs.push(clock.monotonic());
    return answer.state === 'written' ? sender.now(batch) : answer;
  };
  hand(0, 'waits');
  const until = async (ms: number): Promise<void> => {
    while (clock.monotonic() < ms) {
      clock.to(clock.monotonic() + 5);
      await turnsOf(2);
    }
  };
  // Long enough that a person is told (delivery_timeout_ms is 2 minutes by default): found as soon all the same.
  await until(200_000);
  const waits = sentAtMs.slice(10).map((atMs, i) => atMs - sentAtMs[i + 9]!);
  assert.ok(Math.max(...waits) <= 510, `${Math.max(...waits)} ms between two tries`);
  assert.ok(Math.min(...waits) >= 245, `${Math.min(...waits)} ms between two tries`);
  answer = { state: 'retry', code: 'kafka_unavailable', reason: 'no leader yet' };
  sentAtMs.length = 0;
  await until(200_750);
  assert.ok(sentAtMs.length >= 3, `tried ${sentAtMs.length} times while the broker starts`);
  answer = { state: 'written' };
  await until(202_000);
  assert.equal(outcomes.count('delivered'), 1);
  await delivery.close(0);
});

test('G6: as soon as one partition is answered again the others try too', async () => {
  const clock = heldClock();
  const { sender, delivery, outcomes, hand } = played({ clock, retryBackoffMs: 10_000, retryBackoffMaxMs: 10_000 });
  sender.answer = () => ({ state: 'retry', code: 'kafka_unreachable', reason: 'nobody is there' });
  for (let key = 0; key < 6; key++) hand(key, `${key}`);
  await turnsOf(5);
  sender.answer = (batch) => sender.now(batch);
  while (outcomes.count('delivered') === 0) {
    clock.to(clock.monotonic() + 1);
    await turnsOf(1);
  }
  await turnsOf(10);
  assert.equal(outcomes.count('delivered'), 6, 'none waits for the end of its own time');
  await delivery.close(0);
});
