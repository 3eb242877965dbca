/** A sync that is parked, and a destination that is away, hold up nobody else (P44). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts } from '../../src/local/ports.ts';
import { completeEvent, isFault } from '../../src/sources/events/index.ts';
import type { SourceRecord } from '../../src/model/index.ts';
import { engine, type Engine } from '../support/engine.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

let last = 0;

function event(): SourceRecord {
  const raw = { type: 'track', userId: 'u', event: 'E', messageId: `m${last++}` };
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
  const alone = await tail(e, 'good', 150);
  const pressure = press(e, 'bad', 20);
  await e.syncs.intake.accept('bad', [event()]);
  const beside = await tail(e, 'good', 150);
  assert.ok(pressure.refused() > 0);
  assert.equal(e.syncs.flows.get('good')!.held, null);
  assert.equal(e.syncs.flows.get('bad')!.held?.code, 'topic_missing');
  assert.ok(beside < Math.max(1_000, alone * 5), `${alone} ms alone, ${beside} ms beside`);
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
  const alone = await tail(e, 'good', 150);
  const pressure = press(e, 'bad', 50);
  const beside = await tail(e, 'good', 150);
  assert.ok(beside < Math.max(1_000, alone * 5), `${alone} ms alone, ${beside} ms beside`);
  assert.equal(e.syncs.flows.get('good')!.held, null);
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, 350, 'all of the good ones, and nothing else');
  await e.syncs.drain();
  await pressure.stop();
});

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
