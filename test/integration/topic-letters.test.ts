/** Dead letters in a topic, against a real cluster: listed, sent again once, passed over; several syncs share the topic. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { DeadLetters } from '../../src/syncs/dead-letters.ts';
import type { DeadLetterSink } from '../../src/syncs/ports.ts';
import type { Configuration } from '../../src/model/index.ts';
import { engine, type Engine } from '../support/engine.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import type { ReadRecord } from '../support/check-topic.ts';

/** Beyond what a topic takes by default (an hour ahead of the broker's clock). */
const REFUSED = '2126-01-01T00:00:00.000Z';
const TAKEN = { 'message.timestamp.after.max.ms': '9223372036854775807' };
const NOTHING = { delivered: 0, rejected: 0, filtered: 0, unreadable: 0, stopped: null };

const row = (id: number, more: object = {}): string => `${JSON.stringify({ id, at: REFUSED, ...more })}\n`;
const rows = (count: number): string => Array.from({ length: count }, (_, id) => row(id)).join('');
const upTo = (count: number): number[] => Array.from({ length: count }, (_, id) => id);
const ids = (records: readonly ReadRecord[]): number[] =>
  records.map(({ value }) => (JSON.parse(String(value)) as { id: number }).id);
const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

function sync(topic: string, more: object = {}, file = 'a.jsonl'): object {
  return {
    source: 'files',
    destination: 'main',
    read: { file },
    message: { topic, key: '$.id', timestamp: '$.at', payload: '$.', ...more },
  };
}

interface Place {
  readonly e: Engine;
  readonly bootstrap: string;
  /** Of the messages. */
  readonly topic: string;
  /** Of the dead letters. */
  readonly rejected: string;
  readonly apply: (syncs: object) => Configuration;
}

async function place(t: TestContext, name: string, partitions = 3): Promise<Place> {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, `${name}-messages`, { partitions: 2 });
  const rejected = await newTopic(bootstrap, `${name}-letters`, { partitions });
  await oracle(bootstrap).produce(rejected, [{ key: null, value: 'no dead letter' }]);
  const e = await engine(t, bootstrap);
  const destinations = { main: { brokers: bootstrap, dead_letters: { topic: rejected } } };
  return { e, bootstrap, topic, rejected, apply: (syncs) => e.apply({ destinations, syncs }) };
}

test('letters in a topic are listed and sent again once, those of one sync and not of others', async (t) => {
  const { e, bootstrap, topic, rejected, apply } = await place(t, 'shared');
  const kafka = oracle(bootstrap);
  e.write('a.jsonl', rows(500) + row(500, { at: 'never' }) + '{"id": 501, broken\n');
  e.write('b.jsonl', rows(40));
  apply({ s: sync(topic), other: sync(topic, {}, 'b.jsonl') });
  assert.equal((await e.run('s')).counts.rejected, 502);
  assert.equal((await e.run('other')).counts.rejected, 40);
  // A busy machine may keep some in the state: a topic that does not answer in three seconds is left alone.
  const inTopic = (await kafka.readAll(rejected)).length - 1;
  t.diagnostic(`${inTopic} of 542 letters in the topic`);

  const listed = await e.syncs.deadLetters.list('s', 20);
  assert.deepEqual([listed.total, listed.topic, listed.notes], [502, rejected, []]);
  const group = listed.groups.find(({ code }) => code === 'timestamp_invalid')!;
  assert.equal(group.count, 501);
  if (inTopic === 542) assert.equal(group.inTopic, 501);
  assert.equal(listed.letters.length, 20);
  if (inTopic === 542) assert.match(listed.letters[0]!.id, new RegExp(`^${rejected}/\\d/\\d+$`));
  assert.equal((await e.syncs.deadLetters.list('other', 100)).total, 40);

  // Nothing has changed: what is rejected again is a new letter, which this redrive does not take up.
  assert.deepEqual(await e.syncs.redrive('s'), { ...NOTHING, rejected: 501, unreadable: 1 });
  assert.equal((await e.syncs.deadLetters.list('s', 1)).total, 502, 'counted after the saved position');
  assert.equal((await kafka.readAll(topic)).length, 0);

  await kafka.configureTopic(topic, TAKEN);
  apply({ s: sync(topic), other: sync(topic, {}, 'b.jsonl') });
  assert.deepEqual(await e.syncs.redrive('s'), { ...NOTHING, delivered: 500, rejected: 1, unreadable: 1 });
  apply({ s: { ...sync(topic), message: { topic, key: '$.id', payload: '$.' } }, other: sync(topic, {}, 'b.jsonl') });
  assert.deepEqual(await e.syncs.redrive('s'), { ...NOTHING, delivered: 1, unreadable: 1 });
  assert.deepEqual(await e.syncs.redrive('s'), { ...NOTHING, unreadable: 1 });
  assert.equal((await e.syncs.deadLetters.list('s', 1)).total, 1);

  const arrived = await kafka.readAll(topic);
  assert.deepEqual(ascending(ids(arrived)), upTo(501), 'each once');
  for (const record of arrived.filter((one) => ids([one])[0] !== 500)) {
    assert.equal(record.timestampMs, Date.parse(REFUSED));
    assert.deepEqual(
      record.headers.map(([name]) => name),
      ['headrace.redriven'],
    );
  }
  assert.equal((await e.syncs.deadLetters.list('other', 100)).total, 40, 'nobody else is concerned');
});

test('what was sent again is safe before its position is saved; a redrive that fails takes nothing away', async (t) => {
  const { e, topic, apply } = await place(t, 'promise');
  e.write('a.jsonl', rows(300));
  const configuration = apply({ s: sync(topic) });
  await e.run('s');
  let fails = true;
  const sink: DeadLetterSink = {
    add: (letters) =>
      fails && letters.length > 0 ? Promise.reject(new Error('no room')) : e.store.deadLetters.add(letters),
  };
  const desk = new DeadLetters({
    store: e.store.deadLetters,
    sink,
    destinations: e.syncs.destinations,
    clock: systemClock,
    configuration: () => configuration,
    flows: () => e.syncs.flows,
  });
  await assert.rejects(desk.redrive('s'), /no room/);
  assert.equal((await desk.list('s', 1)).total, 300, 'rejected again, and kept nowhere else');
  fails = false;
  assert.deepEqual(await desk.redrive('s'), { ...NOTHING, rejected: 300 });
  const { total, groups } = await desk.list('s', 1);
  assert.deepEqual([total, groups[0]?.inTopic], [300, 0], 'in the state, for that is where this one keeps them');
});

test('a redrive that is stopped goes on where it stopped, and sends nothing twice', async (t) => {
  const { e, bootstrap, topic, apply } = await place(t, 'stopped', 1);
  const kafka = oracle(bootstrap);
  const away = await newTopic(bootstrap, 'stopped-away');
  const computed = sync('$.to');
  e.write(
    'a.jsonl',
    upTo(100)
      .map((id) => row(id, { to: id % 3 === 1 ? away : topic }))
      .join(''),
  );
  apply({ s: computed });
  assert.equal((await e.run('s')).counts.rejected, 100);
  await kafka.configureTopic(topic, TAKEN);
  await kafka.deleteTopic(away);
  const first = await e.syncs.redrive('s');
  assert.ok(first.stopped !== null || first.rejected > 0, JSON.stringify(first));
  await kafka.createTopic(away);
  await kafka.configureTopic(away, TAKEN);
  for (let i = 0; i < 5; i++) if ((await e.syncs.redrive('s')).delivered === 0) break;
  assert.equal((await e.syncs.deadLetters.list('s', 1)).total, 0);
  const arrived = [...(await kafka.readAll(topic)), ...(await kafka.readAll(away))];
  assert.deepEqual(ascending(ids(arrived)), upTo(100));
});

test('letters that are passed over stay in the topic, and are neither counted nor sent', async (t) => {
  const { e, bootstrap, topic, rejected, apply } = await place(t, 'passed');
  e.write('a.jsonl', rows(30));
  apply({ s: sync(topic) });
  await e.run('s');
  const ofOneCode = await e.syncs.deadLetters.clear('s', 'timestamp_invalid');
  assert.equal(ofOneCode.removed, 0);
  assert.match(ofOneCode.notes.join(), /stay: they are passed over all together/);
  const { removed, notes } = await e.syncs.deadLetters.clear('s', null);
  assert.equal(removed, 30);
  assert.match(notes.join(), /keeps its messages as long as its retention says/);
  assert.equal((await e.syncs.deadLetters.list('s', 1)).total, 0);
  assert.deepEqual(await e.syncs.redrive('s'), NOTHING);
  assert.equal((await oracle(bootstrap).readAll(rejected)).length, 31);
});

test('a topic of dead letters that is missing, and one that was made anew, are told', async (t) => {
  const { e, bootstrap, topic, rejected, apply } = await place(t, 'anew', 1);
  const kafka = oracle(bootstrap);
  e.write('a.jsonl', rows(20));
  apply({ s: sync(topic) });
  await e.run('s');
  assert.equal((await e.syncs.redrive('s')).rejected, 20);
  await kafka.deleteTopic(rejected);
  const without = await e.syncs.deadLetters.list('s', 10);
  assert.equal(without.total, 0);
  assert.match(without.notes.join(), new RegExp(`There is no topic ${rejected}`));
  assert.match((await e.syncs.redrive('s')).notes!.join(), /There is no topic/);
  await kafka.createTopic(rejected);
  e.write('a.jsonl', rows(100));
  // The writer leaves a topic that failed alone for a while: this one goes there at once.
  const other = await engine(t, bootstrap);
  other.write('a.jsonl', rows(100));
  other.apply({
    destinations: { main: { brokers: bootstrap, dead_letters: { topic: rejected } } },
    syncs: { s: sync(topic) },
  });
  await other.run('s');
  const anew = await e.syncs.deadLetters.list('s', 10);
  assert.equal(anew.total, 100, 'more than the saved position, and another topic all the same');
  assert.match(anew.notes.join(), /was made anew/);
  await kafka.configureTopic(topic, TAKEN);
  assert.equal((await e.syncs.redrive('s')).delivered, 100);
  assert.equal((await e.syncs.redrive('s')).delivered, 0);
});

test('two destinations with one topic of dead letters: each has its own positions', async (t) => {
  const { e, bootstrap, topic, rejected } = await place(t, 'two');
  e.write('a.jsonl', rows(10));
  const one = { brokers: bootstrap, dead_letters: { topic: rejected } };
  e.apply({
    destinations: { main: one, second: { ...one, client_id: 'second' } },
    syncs: { s: sync(topic), r: { ...sync(topic), destination: 'second' } },
  });
  await e.run('s');
  await e.run('r');
  await oracle(bootstrap).configureTopic(topic, TAKEN);
  assert.equal((await e.syncs.redrive('s')).delivered, 10);
  assert.equal((await e.syncs.deadLetters.list('r', 1)).total, 10);
  assert.equal((await e.syncs.redrive('r')).delivered, 10);
  assert.equal((await oracle(bootstrap).readAll(topic)).length, 20);
});
