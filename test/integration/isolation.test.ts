/** A sync that is parked, and a destination that is away, hold up nobody else (P44). */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePorts } from '../../src/local/ports.ts';
import { completeEvent, isFault } from '../../src/sources/events/index.ts';
import { parkedTopic } from '../../src/delivery/index.ts';
import type { SourceRecord } from '../../src/model/index.ts';
import { routeText } from '../../src/syncs/spools.ts';
import { engine, type Engine } from '../support/engine.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';

let last = 0;

function event(properties: { readonly at?: string } = {}): SourceRecord {
  const raw = { type: 'track', userId: 'u', event: 'E', messageId: `m${last++}`, properties: { ...properties } };
  const completed = completeEvent(raw, { receivedAtMs: Date.now(), ip: null, newMessageId: () => '' });
  assert.ok(!isFault(completed));
  return completed;
}

const tracks = (source: string, destination: string, topic: string): object => ({
  source,
  destination,
  message: { topic, key: '$.userId', payload: { id: '$.messageId' } },
});

/** How long answers take, the longest of a hundred left out: milliseconds. */
async function tail(e: Engine, source: string, count: number): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    assert.deepEqual(await e.syncs.intake.accept(source, [event()]), { state: 'safe' });
    took.push(performance.now() - startedMs);
  }
  return took.sort((a, b) => a - b)[Math.ceil(count * 0.99) - 1]!;
}

/** Rounds with and without something else going on, in turn, so that what this machine does besides falls on both. */
const ROUNDS = 5;

/**
 * The tail of the healthy ones alone and beside the others: of the best round each, since what holds them up does so in every
 * round, and what this machine does besides in some.
 */
async function compare(
  e: Engine,
  sources: readonly string[],
  begin: () => { stop(): Promise<void> },
): Promise<{ readonly alone: number; readonly beside: number }> {
  const all = async (): Promise<number> => Math.max(...(await Promise.all(sources.map((one) => tail(e, one, 60)))));
  const best = { alone: Infinity, beside: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    best.alone = Math.min(best.alone, await all());
    const others = begin();
    // The others are stuck by then, and stay so.
    await new Promise((resolve) => setTimeout(resolve, 500));
    best.beside = Math.min(best.beside, await all());
    await others.stop();
  }
  return best;
}

/** Of the best round. */
async function bestTail(e: Engine, source: string): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await tail(e, source, 60));
  return best;
}

/** P44: as quick as alone, a fifth and a moment of this machine's more at most; whoever is held up waits 300 ms and more. */
function assertUnaffected(t: TestContext, { alone, beside }: { alone: number; beside: number }): void {
  t.diagnostic(`p99 ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside`);
  assert.ok(beside < alone * 1.2 + 100, `${alone} ms alone, ${beside} ms beside`);
}

/** Events that nobody can deliver, at any time `atOnce` of them. */
function press(e: Engine, source: string, atOnce: number): { stop(): Promise<void>; refused: () => number } {
  let going = true;
  let refused = 0;
  const senders = Array.from({ length: atOnce }, async () => {
    while (going) {
      const answer = await e.syncs.intake.accept(source, [event()]);
      if (answer.state === 'unavailable') refused++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  return {
    refused: () => refused,
    async stop() {
      going = false;
      await Promise.all(senders);
    },
  };
}

test('a sync whose topic is missing holds up no other sync of the destination', { timeout: 120_000 }, async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'isolation');
  const missing = uniqueTopic('isolation-missing');
  const e = await engine(t, bootstrap);
  e.apply({
    destinations: { main: { brokers: bootstrap } },
    sources: { good: { type: 'events', write_key: 'good-key' }, bad: { type: 'events', write_key: 'bad-key' } },
    syncs: { good: tracks('good', 'main', topic), bad: tracks('bad', 'main', missing) },
  });
  await tail(e, 'good', 50);
  // It is told, and refuses at once from then on.
  await e.syncs.intake.accept('bad', [event()]);
  const alone = await bestTail(e, 'good');
  const pressure = press(e, 'bad', 20);
  await until('the others are refused', () => pressure.refused() > 0);
  const beside = await bestTail(e, 'good');
  assert.equal(e.syncs.flows.get('good')!.held, null);
  assert.equal(e.syncs.flows.get('bad')!.held?.code, 'topic_missing');
  assertUnaffected(t, { alone, beside });
  await oracle(bootstrap).createTopic(missing);
  await pressure.stop();
});

test('a destination that is away holds up no other destination', { timeout: 120_000 }, async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'isolation-two');
  const [port] = await freePorts(1);
  const e = await engine(t, bootstrap);
  e.apply({
    destinations: {
      main: { brokers: bootstrap },
      dead: { brokers: `127.0.0.1:${port}`, producer: { buffer_memory: 1_000_000 } },
    },
    sources: { good: { type: 'events', write_key: 'good-key' }, bad: { type: 'events', write_key: 'bad-key' } },
    syncs: { good: tracks('good', 'main', topic), bad: tracks('bad', 'dead', topic) },
  });
  await tail(e, 'good', 50);
  const alone = await bestTail(e, 'good');
  // Without a spool its events wait longer than a round takes: it goes on all the time.
  const pressure = press(e, 'bad', 50);
  assertUnaffected(t, { alone, beside: await bestTail(e, 'good') });
  assert.equal(e.syncs.flows.get('good')!.held, null);
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, 50 + 2 * ROUNDS * 60, 'all of the good ones, and nothing else');
  await e.syncs.drain();
  await pressure.stop();
});

test(
  'P44: one of eight destinations is dead and its events go to the disk: the seven others are as quick as alone',
  { timeout: 120_000 },
  async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'isolation-eight');
    const [port] = await freePorts(1);
    const e = await engine(t, bootstrap, { spool: true });
    const good = Array.from({ length: 7 }, (_, i) => `good${i}`);
    const each = (of: (name: string) => object): object =>
      Object.fromEntries([...good, 'dead'].map((name) => [name, of(name)]));
    e.apply({
      destinations: each((name) => ({ brokers: name === 'dead' ? `127.0.0.1:${port}` : bootstrap })),
      sources: each((name) => ({ type: 'events', write_key: `${name}-key` })),
      syncs: each((name) => tracks(name, name, topic)),
    });
    await Promise.all(good.map((name) => tail(e, name, 30)));
    const compared = await compare(e, good, () => press(e, 'dead', 20));
    assertUnaffected(t, compared);
    assert.ok(e.syncs.spools!.status('dead')!.messages > 0, 'the dead one was under load');
    for (const name of good)
      assert.equal(e.syncs.spools!.status(name)?.messages, 0, 'the others did not touch the disk');
    assert.equal((await oracle(bootstrap).readAll(topic)).length, 7 * (30 + 2 * ROUNDS * 60));
  },
);

test('a run whose topic is missing fails, and a run beside it does not wait', { timeout: 90_000 }, async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'isolation-runs');
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', Array.from({ length: 50_000 }, (_, id) => `{"id":${id}}\n`).join(''));
  const of = (name: string): object => ({
    source: 'files',
    destination: 'main',
    read: { file: 'a.jsonl' },
    message: { topic: name, key: '$.id', payload: '$.' },
  });
  e.apply({
    destinations: { main: { brokers: bootstrap, producer: { buffer_memory: 1_000_000 } } },
    syncs: { good: of(topic), bad: of(uniqueTopic('isolation-nowhere')) },
  });
  // The bad one first: it fills the memory of the destination before it is known that its topic is missing.
  const bad = e.run('bad');
  const good = await e.run('good');
  assert.deepEqual([good.state, good.counts.delivered], ['succeeded', 50_000]);
  assert.equal((await bad).error?.code, 'topic_missing');
});

/** One source with two syncs to one destination, of which the second is to be parked. */
const pair = (topic: string, parked: object, destination: object, bootstrap: string, more: object = {}): object => ({
  destinations: { main: { brokers: bootstrap, ...destination } },
  sources: { both: { type: 'events', write_key: 'both-key' } },
  syncs: {
    healthy: tracks('both', 'main', topic),
    parked: { source: 'both', destination: 'main', message: parked, ...more },
  },
});

const readIds = async (bootstrap: string, topic: string): Promise<string[]> =>
  (await oracle(bootstrap).readAll(topic)).map(({ value }) => (JSON.parse(String(value)) as { id: string }).id);

test(
  'a request to two syncs of which one has no topic is safe: the other delivers at once, the first when it can',
  { timeout: 120_000 },
  async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'isolation-pair');
    const missing = uniqueTopic('isolation-pair-missing');
    const parked = { topic: missing, key: '$.userId', payload: { id: '$.messageId' } };
    const e = await engine(t, bootstrap, { spool: true });
    e.apply(pair(topic, parked, {}, bootstrap));
    const sent: string[] = [];
    for (let i = 0; i < 40; i++) {
      const events = [event(), event()];
      sent.push(...events.map(({ messageId }) => messageId!));
      assert.deepEqual(await e.syncs.intake.accept('both', events), { state: 'safe' });
    }
    await until('it is told why', () => e.syncs.flows.get('parked')!.held?.code === 'topic_missing');
    assert.equal(e.syncs.flows.get('healthy')!.held, null);
    assert.deepEqual(
      await readIds(bootstrap, topic),
      sent,
      'the healthy one once, in order, while the other is parked',
    );
    await oracle(bootstrap).createTopic(missing);
    await until('the parked one is drained', () => e.syncs.spools!.status('main')?.messages === 0, {
      deadlineMs: 60_000,
    });
    assert.deepEqual(await readIds(bootstrap, missing), sent);
    assert.equal((await readIds(bootstrap, topic)).length, sent.length);
  },
);

test(
  'a sync that rejected too much takes its events when it goes on, in order and mapped anew; the other never waits',
  { timeout: 120_000 },
  async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'isolation-tripped');
    const own = await newTopic(bootstrap, 'isolation-tripped-own');
    const wrong = { topic: own, key: '$.userId', timestamp: '$.event', payload: { id: '$.messageId' } };
    const right = { topic: own, key: '$.userId', payload: { id: '$.messageId' }, headers: { mapped: 'anew' } };
    const e = await engine(t, bootstrap, { spool: true });
    e.apply(pair(topic, wrong, {}, bootstrap, { max_rejected: 10 }));
    const sent: string[] = [];
    const send = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const one = event();
        sent.push(one.messageId!);
        assert.deepEqual(await e.syncs.intake.accept('both', [one]), { state: 'safe' });
      }
    };
    await send(11);
    assert.equal(e.syncs.flows.get('parked')!.held?.code, 'too_many_rejected');
    await send(300);
    assert.equal(
      (await e.store.deadLetters.list({ sync: 'parked', limit: 1000 })).length,
      11,
      'nothing more is rejected',
    );
    assert.deepEqual(await readIds(bootstrap, topic), sent, 'the healthy one once');
    assert.equal(e.syncs.spools!.status('main')?.messages, 300);
    e.apply(pair(topic, right, {}, bootstrap, { max_rejected: 10 }));
    await send(50);
    await until('the parked ones are on', () => e.syncs.spools!.status('main')?.messages === 0, { deadlineMs: 60_000 });
    await send(10);
    assert.deepEqual(await readIds(bootstrap, own), sent.slice(11), 'each once, the parked ones first');
    assert.deepEqual(await readIds(bootstrap, topic), sent);
    assert.equal((await e.store.deadLetters.list({ sync: 'parked', limit: 1000 })).length, 11);
  },
);

test('without a spool, and with a full one, a parked sync of the source is 429', { timeout: 120_000 }, async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'isolation-429');
  const wrong = { topic, key: '$.userId', timestamp: '$.event', payload: { pad: 'x'.repeat(1000) } };
  const without = await engine(t, bootstrap, { spool: true });
  without.apply(pair(topic, wrong, { spool: false }, bootstrap, { max_rejected: 1 }));
  await without.syncs.intake.accept('both', [event(), event()]);
  const refused = await without.syncs.intake.accept('both', [event()]);
  assert.ok(refused.state === 'unavailable' && /max_rejected/.test(refused.reason), JSON.stringify(refused));
  const full = await engine(t, bootstrap, { spool: true });
  full.apply(pair(topic, wrong, { spool: { max_bytes: 4_194_304 } }, bootstrap, { max_rejected: 1 }));
  await full.syncs.intake.accept('both', [event(), event()]);
  let taken = 0;
  await until(
    'it is full',
    async () => {
      const answer = await full.syncs.intake.accept(
        'both',
        Array.from({ length: 1000 }, () => event()),
      );
      if (answer.state === 'safe') taken++;
      return answer.state === 'unavailable';
    },
    { everyMs: 1 },
  );
  assert.ok(taken > 0);
});

test('events of a parked sync that is removed become dead letters', { timeout: 60_000 }, async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'isolation-removed');
  const wrong = { topic, key: '$.userId', timestamp: '$.event', payload: { id: '$.messageId' } };
  const e = await engine(t, bootstrap, { spool: true });
  const whole = pair(topic, wrong, {}, bootstrap, { max_rejected: 1 }) as { syncs: { parked?: object } };
  e.apply(whole);
  await e.syncs.intake.accept('both', [event(), event()]);
  assert.deepEqual(await e.syncs.intake.accept('both', [event(), event(), event()]), { state: 'safe' });
  delete whole.syncs.parked;
  e.apply(whole);
  await until('the spool is empty', () => e.syncs.spools!.status('main')?.messages === 0, { deadlineMs: 30_000 });
  const letters = await e.store.deadLetters.list({ sync: 'parked' });
  assert.deepEqual(letters.map(({ code }) => code).sort(), [
    'not_found',
    'not_found',
    'not_found',
    'timestamp_invalid',
    'timestamp_invalid',
  ]);
});

test(
  'events of a parked sync that cannot be read any more become dead letters, byte for byte; the others go on in order',
  { timeout: 60_000 },
  async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'isolation-unreadable');
    const own = await newTopic(bootstrap, 'isolation-unreadable-own');
    const wrong = { topic: own, key: '$.userId', timestamp: '$.event', payload: { id: '$.messageId' } };
    const e = await engine(t, bootstrap, { spool: true });
    e.apply(pair(topic, wrong, {}, bootstrap, { max_rejected: 1 }));
    await e.syncs.intake.accept('both', [event(), event()]);
    const before = event();
    assert.deepEqual(await e.syncs.intake.accept('both', [before]), { state: 'safe' });
    const { spool } = e.syncs.spools!.of(e.syncs.configuration.destinations.get('main')!)!;
    const broken = Buffer.from('{"type":"track","messageId":"broken",');
    const route = routeText(e.syncs.flows.get('parked')!);
    const message = { topic: parkedTopic('parked'), partition: null, partitionKey: null, key: null, value: broken };
    await spool!.append([{ message: { ...message, headers: [], timestampMs: 1 }, route, position: 'at 7' }]);
    const after = event();
    assert.deepEqual(await e.syncs.intake.accept('both', [after]), { state: 'safe' });
    const right = { topic: own, key: '$.userId', payload: { id: '$.messageId' } };
    e.apply(pair(topic, right, {}, bootstrap, { max_rejected: 10 }));
    await until('the spool is empty', () => e.syncs.spools!.status('main')?.messages === 0, { deadlineMs: 30_000 });
    const [letter, ...others] = await e.store.deadLetters.list({ sync: 'parked' });
    const { code, raw, position, topic: itsTopic } = letter!;
    assert.deepEqual([code, String(raw), position, itsTopic], ['event_invalid', String(broken), 'at 7', null]);
    assert.match(letter!.reason, /cannot be read/);
    assert.deepEqual(
      others.map(({ code }) => code),
      ['timestamp_invalid', 'timestamp_invalid'],
    );
    assert.deepEqual(await readIds(bootstrap, own), [before.messageId, after.messageId]);
    const { read, delivered, rejected } = e.syncs.flows.get('parked')!.counts;
    assert.deepEqual({ read, delivered, rejected }, { read: 5, delivered: 2, rejected: 3 });
  },
);

test(
  'a spool that cannot be opened: its events are 429 with the reason, others go on, and it mends by itself',
  { timeout: 60_000 },
  async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'isolation-unusable');
    const e = await engine(t, bootstrap, { spool: true });
    const spools = join(dirname(e.folder), 'data', 'spool');
    mkdirSync(spools, { recursive: true });
    writeFileSync(join(spools, 'added'), 'in the way');
    e.apply({
      destinations: { main: { brokers: bootstrap }, added: { brokers: bootstrap } },
      sources: { good: { type: 'events', write_key: 'good-key' }, bad: { type: 'events', write_key: 'bad-key' } },
      syncs: { good: tracks('good', 'main', topic), bad: tracks('bad', 'added', topic) },
    });
    const refused = await e.syncs.intake.accept('bad', [event()]);
    assert.ok(refused.state === 'unavailable' && /spool of the destination cannot be used/.test(refused.reason));
    assert.match(e.syncs.spools!.status('added')?.problem ?? '', /EEXIST|ENOTDIR/);
    assert.deepEqual(await e.syncs.intake.accept('good', [event()]), { state: 'safe' });
    rmSync(join(spools, 'added'));
    const taken = async (): Promise<boolean> => (await e.syncs.intake.accept('bad', [event()])).state === 'safe';
    await until('it takes events again', taken, { everyMs: 100, deadlineMs: 45_000 });
    assert.equal(e.syncs.spools!.status('added')?.problem, null);
  },
);

test(
  'what is rejected while the spool drains is kept where the dead letters of its sync go, before it counts as done',
  { timeout: 90_000 },
  async (t) => {
    const bootstrap = await sharedKafka();
    const topic = uniqueTopic('isolation-drained');
    const letters = await newTopic(bootstrap, 'isolation-drained-letters');
    const e = await engine(t, bootstrap, { spool: true });
    e.apply({
      destinations: { main: { brokers: bootstrap, dead_letters: { topic: letters } } },
      sources: { both: { type: 'events', write_key: 'both-key' } },
      syncs: {
        one: {
          source: 'both',
          destination: 'main',
          message: { topic, key: '$.userId', payload: '$.', timestamp: '$.properties.at' },
        },
      },
    });
    const refused = (): SourceRecord => event({ at: '2126-01-01T00:00:00.000Z' });
    for (let i = 0; i < 20; i++) assert.equal((await e.syncs.intake.accept('both', [refused()])).state, 'safe');
    assert.equal(e.syncs.spools!.status('main')?.messages, 20);
    await oracle(bootstrap).createTopic(topic);
    await until(
      'it is drained',
      async () => {
        const done = 20 - (e.syncs.spools!.status('main')?.messages ?? 0);
        const [kept] = await oracle(bootstrap).endOffsets(letters);
        assert.ok(kept! >= done, `${done} are done, ${kept} are kept`);
        return done === 20;
      },
      { deadlineMs: 60_000 },
    );
    assert.equal((await e.syncs.deadLetters.list('one', 1)).total, 20);
  },
);
