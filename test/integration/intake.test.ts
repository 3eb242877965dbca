/** What the event intake answers when Kafka is away, full, or being closed (Promise 1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeEvent, isFault } from '../../src/sources/events/index.ts';
import type { SourceRecord } from '../../src/model/index.ts';
import { freePorts } from '../../src/local/ports.ts';
import { engine, type Engine } from '../support/engine.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

function events(count: number, bytes: number): SourceRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const raw = {
      type: 'track',
      userId: `u${i}`,
      event: 'E',
      messageId: `m${i}`,
      properties: { pad: 'x'.repeat(bytes) },
    };
    const event = completeEvent(raw, { receivedAtMs: Date.now(), ip: null, newMessageId: () => '' });
    assert.ok(!isFault(event));
    return event;
  });
}

function applyTracks(e: Engine, bootstrap: string, topic: string, producer: object): void {
  e.apply({
    destinations: { main: { brokers: bootstrap, producer } },
    sources: { web: { type: 'events', write_key: 'intake-key' } },
    syncs: { s: { source: 'web', destination: 'main', message: { topic, key: '$.userId', payload: '$.' } } },
  });
}

test('requests that wait for room while it stops are told to come again, never that they are safe', async (t) => {
  const [port] = await freePorts(1);
  const e = await engine(t, `127.0.0.1:${port}`);
  applyTracks(e, `127.0.0.1:${port}`, 'nowhere', { buffer_memory: 1_000_000 });
  const answers = Array.from({ length: 30 }, () => e.syncs.intake.accept('web', events(50, 2_000)));
  await new Promise((resolve) => setImmediate(resolve));
  await e.syncs.drain();
  await e.syncs.close(100);
  const states = new Set((await Promise.all(answers)).map((answer) => answer.state));
  assert.deepEqual(states, new Set(['unavailable']));
  assert.equal((await e.syncs.intake.accept('web', events(1, 1))).state, 'unavailable', 'and what comes after');
});

test('a change of the destination’s settings under load: every event that was told safe is there, in order, once', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'intake-change', { partitions: 1 });
  const e = await engine(t, bootstrap);
  applyTracks(e, bootstrap, topic, { linger_ms: 0 });
  const answers: Promise<{ state: string }>[] = [];
  for (let i = 0; i < 400; i++) {
    answers.push(e.syncs.intake.accept('web', events(5, i)));
    if (i % 40 === 0) applyTracks(e, bootstrap, topic, { linger_ms: 1 + ((i / 40) % 3) });
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const safe = (await Promise.all(answers)).filter((answer) => answer.state === 'safe').length;
  assert.equal(safe, 400);
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, 2_000);
  const pads = read.map(
    (record) => (JSON.parse(String(record.value)) as { properties: { pad: string } }).properties.pad.length,
  );
  assert.deepEqual(
    pads,
    pads.toSorted((a, b) => a - b),
    'in the order in which they were handed in',
  );
});

test('an event sync whose topic is missing says so, to callers and to people, until messages go on', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = uniqueTopic('intake-parked');
  const e = await engine(t, bootstrap);
  applyTracks(e, bootstrap, topic, {});
  const answer = await e.syncs.intake.accept('web', events(1, 1));
  assert.ok(answer.state === 'unavailable' && /does not exist/.test(answer.reason), JSON.stringify(answer));
  assert.match(e.syncs.flows.get('s')!.held?.reason ?? '', /does not exist/);
  assert.ok(
    e.told.some((line) => /^s: .*does not exist/.test(line)),
    'telemetry hears it',
  );
  await oracle(bootstrap).createTopic(topic, { partitions: 1 });
  assert.equal((await e.syncs.intake.accept('web', events(1, 1))).state, 'safe');
  assert.equal(e.syncs.flows.get('s')!.held, null);
  assert.equal(e.told.at(-1), 's: null');
  const { read, delivered } = e.syncs.flows.get('s')!.counts;
  assert.deepEqual([read, delivered], [1, 1]);
});

test('a source with a sync that cannot work is not answered as if its events were safe', async (t) => {
  const bootstrap = await sharedKafka();
  const e = await engine(t, bootstrap);
  const configuration = e.apply({ sources: { web: { type: 'events', write_key: 'intake-key' } } });
  e.syncs.apply({ ...configuration, unusable: [{ sync: 's', source: 'web', reason: 'KAFKA is not set' }] });
  const answer = await e.syncs.intake.accept('web', events(1, 1));
  assert.ok(
    answer.state === 'unavailable' && /sync s cannot work: KAFKA is not set/.test(answer.reason),
    JSON.stringify(answer),
  );
});
