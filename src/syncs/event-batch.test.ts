/** When the events of a request leave for the disk: Kafka away, or slow for long (G7). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldClock } from '../../test/support/held-clock.ts';
import { RecordedFiles } from '../../test/support/recorded-files.ts';
import { PlayedDelivery, item, openSpool, turns } from '../../test/support/spool.ts';
import { intake } from '../../test/support/delivery.ts';
import { emptyCounts, type SourceRecord } from '../model/index.ts';
import type { IntakeAnswer } from '../sources/ports.ts';
import { EventBatch, type EventRoute } from './event-batch.ts';
import type { Flow } from './flows.ts';

const WAIT_MS = 8_000;
/** Names every message; reading it is counted. */
let positionsRead = 0;

async function stage(maxBytes = 1 << 30) {
  const clock = heldClock();
  const delivery = new PlayedDelivery();
  delivery.flows = false;
  const { spool } = await openSpool(new RecordedFiles(), { clock, maxBytes });
  spool.attach(delivery.as);
  const post = (topic: string): IntakeAnswer[] => {
    const flow = {
      sync: { name: topic },
      mapping: { map: () => item('m', { topic }).message, literalTopic: topic },
      options: intake,
      counts: emptyCounts(),
      meter: { read: () => undefined },
      held: null,
    } as unknown as Flow;
    const route = { flow, delivery: delivery.as, spool, routeText: '{"sync":"s"}', passes: () => true };
    const event = {
      get position() {
        positionsRead++;
        return 'm';
      },
    };
    const answers: IntakeAnswer[] = [];
    const observer = { eventsSettled: () => undefined, held: () => undefined };
    new EventBatch(
      [event as SourceRecord],
      [route as unknown as EventRoute],
      { deadLetters: { add: async () => undefined }, observer: observer as never, clock, waitMs: WAIT_MS },
      (answer) => answers.push(answer),
    ).start();
    return answers;
  };
  /** Events of a parked sync that go on; their dead letters cannot be stored. */
  const release = (...names: string[]): { batch: EventBatch; answers: IntakeAnswer[] } => {
    const rejected = { state: 'rejected', code: 'mapping_failed', reason: 'it was meant to be' };
    const flow = {
      sync: { name: 's', maxRejected: null },
      mapping: {
        map: ({ position }: SourceRecord) => (position === 'refused' ? rejected : item(position).message),
        literalTopic: 'orders',
      },
      options: intake,
      counts: emptyCounts(),
      meter: { read: () => undefined, rejected: () => null },
      held: null,
    } as unknown as Flow;
    const route = { flow, delivery: delivery.as, spool, routeText: '{}', passes: () => true, released: true };
    const answers: IntakeAnswer[] = [];
    const observer = { eventsSettled: () => undefined, held: () => undefined };
    const batch = new EventBatch(
      names.map((position) => ({ position, bytes: Buffer.from('{}') }) as SourceRecord),
      [route as unknown as EventRoute],
      {
        deadLetters: { add: () => Promise.reject(new Error('not now')) },
        observer: observer as never,
        clock,
        waitMs: WAIT_MS,
      },
      (answer) => answers.push(answer),
    );
    batch.start();
    return { batch, answers };
  };
  return { clock, delivery, spool, post, release };
}

test('where Kafka takes nothing they go to the disk after 300 ms, and are answered', async () => {
  const { clock, spool, post } = await stage();
  const answers = post('orders');
  clock.to(299);
  assert.equal(spool.status.messages, 0);
  clock.to(300);
  assert.equal(spool.status.messages, 1);
  await turns();
  assert.deepEqual(answers, [{ state: 'safe' }]);
});

test('where Kafka delivers others they wait, and go to the disk after two seconds', async () => {
  const { clock, delivery, spool, post } = await stage();
  const answers = post('slow');
  for (let ms = 200; ms < 2_000; ms += 200) {
    const others = post('quick');
    clock.to(ms);
    delivery.settleTopic('quick', 1);
    assert.equal(others.length, 1);
    assert.equal(spool.status.messages, 0, `after ${ms} ms`);
  }
  assert.equal(answers.length, 0);
  clock.to(2_300);
  assert.equal(spool.status.messages, 1);
  await turns();
  assert.deepEqual(answers, [{ state: 'safe' }]);
});

test('once nothing was delivered for a second they do not wait longer', async () => {
  const { clock, delivery, spool, post } = await stage();
  post('slow');
  post('quick');
  clock.to(100);
  delivery.settleTopic('quick', 1);
  clock.to(1_099);
  assert.equal(spool.status.messages, 0);
  clock.to(1_300);
  assert.equal(spool.status.messages, 1);
});

test('where neither Kafka nor the disk takes them they are answered, and nothing more is planned for them', async () => {
  const { clock, delivery, post } = await stage(0);
  const before = clock.pending;
  const answers = post('orders');
  delivery.inSend = 1;
  clock.to(300);
  assert.deepEqual(
    answers.map(({ state }) => state),
    ['unavailable'],
  );
  assert.equal(clock.pending, before);
});

test('a position, for which an event may have to be read, is not asked for where Kafka takes the message', async () => {
  const { delivery, post } = await stage();
  delivery.flows = true;
  positionsRead = 0;
  assert.deepEqual(post('orders'), [{ state: 'safe' }]);
  assert.equal(positionsRead, 0);
});

test('of parked events that go on, those that are delivered do not go again with those that are not', async () => {
  const { clock, delivery, release } = await stage(0);
  const { batch, answers } = release('m0', 'm1', 'refused');
  delivery.inSend = 1;
  clock.to(300);
  await turns();
  assert.deepEqual(answers, [], 'the disk has no room, and what is in a send may be delivered yet');
  delivery.settle(1);
  await turns();
  assert.deepEqual(
    answers.map(({ state }) => state),
    ['unavailable'],
  );
  assert.deepEqual(
    [0, 1, 2].map((index) => batch.isLeft(index)),
    [false, true, true],
    'm1 was taken back, and of the last the dead letter could not be stored',
  );
});
