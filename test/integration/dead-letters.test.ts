/** Dead letters against a real cluster: kept in a topic or in the state, sent again once, and how many stop a sync. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeEvent, isFault } from '../../src/sources/events/index.ts';
import type { SourceRecord } from '../../src/model/index.ts';
import { engine, type Engine } from '../support/engine.ts';
import { newTopic, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import type { ReadRecord } from '../support/check-topic.ts';

/** Beyond what a topic takes by default (an hour ahead of the broker's clock). */
const REFUSED = '2126-01-01T00:00:00.000Z';
const FINE = new Date(Date.now() - 60_000).toISOString();

const row = (id: number, more: object = {}): string => `${JSON.stringify({ id, at: FINE, ...more })}\n`;

function sync(topic: string, more: object = {}): object {
  return {
    source: 'files',
    destination: 'main',
    read: { file: 'a.jsonl' },
    message: { topic, key: '$.id', timestamp: '$.at', headers: { kind: 'row' }, payload: '$.' },
    ...more,
  };
}

const ids = (records: readonly ReadRecord[]): number[] =>
  records.map(({ value }) => (JSON.parse(String(value)) as { id: number }).id);

const texts = (record: ReadRecord): Record<string, string> =>
  Object.fromEntries(record.headers.map(([name, value]) => [name, String(value)]));

function events(count: number, more: object = {}): SourceRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const raw = { type: 'track', userId: `u${i}`, event: 'E', messageId: `m${i}`, ...more };
    const event = completeEvent(raw, { receivedAtMs: Date.now(), ip: null, newMessageId: () => '' });
    assert.ok(!isFault(event));
    return event;
  });
}

function applyTracks(e: Engine, bootstrap: string, message: object, destination: object = {}, more: object = {}): void {
  e.apply({
    destinations: { main: { brokers: bootstrap, ...destination } },
    sources: { web: { type: 'events', write_key: 'letters-key' } },
    syncs: { s: { source: 'web', destination: 'main', message, ...more } },
  });
}

test('rejected rows lie in the topic byte for byte with why and whence; the others keep their order; the counts reconcile', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-rows');
  const rejected = await newTopic(bootstrap, 'letters-rejected', { partitions: 2 });
  const e = await engine(t, bootstrap);
  const lines = Array.from({ length: 300 }, (_, id) => row(id, id % 10 === 3 ? { at: REFUSED } : {}));
  lines[50] = row(50, { at: 'never' });
  lines[60] = '{"id": 60, broken\n';
  e.write('a.jsonl', lines.join(''));
  e.apply({
    destinations: { main: { brokers: bootstrap, dead_letters: { topic: rejected } } },
    syncs: { s: sync(topic) },
  });
  const run = await e.run('s');
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  const { read, delivered, rejected: count } = run.counts;
  assert.deepEqual([read, delivered, count], [300, 268, 32]);
  const arrived = ids(await oracle(bootstrap).readAll(topic));
  assert.deepEqual(
    arrived,
    arrived.toSorted((a, b) => a - b),
    'in the order of the rows',
  );
  assert.equal(arrived.length, 268);

  const letters = await oracle(bootstrap).readAll(rejected);
  assert.equal(letters.length, 32);
  assert.deepEqual(await e.store.deadLetters.list({ sync: 's' }), [], 'and nothing in the state');
  const refused = letters.find((letter) => String(letter.key) === '13')!;
  assert.equal(String(refused.value), lines[13]!.trim());
  const [first] = refused.headers;
  assert.deepEqual([first![0], String(first![1])], ['kind', 'row']);
  const { 'headrace.time': time, 'headrace.id': id, 'headrace.reason': reason, ...rest } = texts(refused);
  assert.deepEqual(rest, {
    kind: 'row',
    'headrace.sync': 's',
    'headrace.run': run.id,
    'headrace.reason.code': 'timestamp_invalid',
    'headrace.position': 'a.jsonl:14',
    'headrace.content': 'message',
    'headrace.topic': topic,
    'headrace.partition': '0',
    'headrace.timestamp': String(Date.parse(REFUSED)),
    'headrace.attempts': rest['headrace.attempts'],
  });
  assert.ok(Number(rest['headrace.attempts']) >= 1);
  assert.match(reason!, /beyond what the topic takes/);
  assert.ok(Date.parse(time!) >= Date.parse(run.startedAt));
  assert.equal(new Set(letters.map((letter) => texts(letter)['headrace.id'])).size, 32, `${id} is its own`);

  const unread = letters.find((letter) => texts(letter)['headrace.position'] === 'a.jsonl:61')!;
  assert.deepEqual([unread.key, String(unread.value)], [null, '{"id": 60, broken']);
  assert.equal(texts(unread)['headrace.content'], 'record');
  assert.equal(texts(unread)['headrace.topic'], undefined);
});

test('a rejected event is in the topic before its answer', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-events');
  const rejected = await newTopic(bootstrap, 'letters-of-events');
  const e = await engine(t, bootstrap);
  const message = { topic, key: '$.userId', timestamp: '$.properties.at', payload: '$.' };
  applyTracks(e, bootstrap, message, { dead_letters: { topic: rejected } });
  for (let i = 0; i < 20; i++) {
    const answer = await e.syncs.intake.accept('web', events(2, { properties: { at: REFUSED } }));
    assert.equal(answer.state, 'safe');
    const [end] = await oracle(bootstrap).endOffsets(rejected);
    assert.equal(end, (i + 1) * 2, 'both letters are written when the answer comes');
  }
});

test('a topic of dead letters that is missing, and letters that it does not take, leave them in the state', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-fallback');
  const small = await newTopic(bootstrap, 'letters-small', { config: { 'max.message.bytes': '2000' } });
  const e = await engine(t, bootstrap);
  const lines = Array.from({ length: 20 }, (_, id) => row(id, { at: REFUSED, pad: 'x'.repeat(id === 5 ? 3000 : 10) }));
  e.write('a.jsonl', lines.join(''));
  const missing = uniqueTopic('letters-missing');
  e.apply({
    destinations: { main: { brokers: bootstrap, dead_letters: { topic: missing } } },
    syncs: { s: sync(topic) },
  });
  const run = await e.run('s');
  assert.deepEqual([run.state, run.counts.rejected], ['succeeded', 20]);
  assert.equal((await e.store.deadLetters.list({ sync: 's' })).length, 20);
  const warnings = e.told.filter((told) => told.includes(missing));
  assert.equal(warnings.length, 1, e.told.join('\n'));
  assert.match(warnings[0]!, /kept in the own state: topic .*: .*does not exist/);

  await e.store.deadLetters.clear('s');
  e.apply({
    destinations: { main: { brokers: bootstrap, dead_letters: { topic: small } } },
    syncs: { s: sync(topic) },
  });
  const again = await e.run('s');
  assert.deepEqual([again.state, again.counts.rejected], ['succeeded', 20]);
  const [kept, ...others] = await e.store.deadLetters.list({ sync: 's' });
  assert.deepEqual([kept?.position, others.length], ['a.jsonl:6', 0], 'the one that is too large');
  assert.equal(String(kept?.value), lines[5]!.trim());
  assert.equal((await oracle(bootstrap).readAll(small)).length, 19);
});

test('redriven letters arrive once each: byte for byte, or mapped anew; what is rejected again stays, once', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-redrive');
  const e = await engine(t, bootstrap);
  const lines = Array.from({ length: 1000 }, (_, id) => row(id, id % 2 === 1 ? { at: REFUSED } : {}));
  lines[10] = row(10, { at: 'never' });
  lines[20] = '{"id": 20, broken\n';
  lines[30] = row(30, { at: 'never', hidden: true });
  e.write('a.jsonl', lines.join(''));
  e.apply({ syncs: { s: sync(topic) } });
  assert.equal((await e.run('s')).counts.rejected, 503);
  const before = await oracle(bootstrap).readAll(topic);

  // Nothing has changed: the broker refuses them as before.
  assert.deepEqual(await e.syncs.redrive('s'), {
    delivered: 0,
    rejected: 502,
    filtered: 0,
    unreadable: 1,
    stopped: null,
  });
  assert.equal((await e.store.deadLetters.list({ sync: 's', limit: 2000 })).length, 503);

  await oracle(bootstrap).configureTopic(topic, { 'message.timestamp.after.max.ms': '9223372036854775807' });
  e.apply({
    syncs: {
      s: sync(topic, {
        trigger: 'hidden != true',
        message: { topic, key: '$.id', headers: { mapped: 'anew' }, payload: '$.' },
      }),
    },
  });
  assert.deepEqual(await e.syncs.redrive('s'), {
    delivered: 501,
    rejected: 0,
    filtered: 1,
    unreadable: 1,
    stopped: null,
  });
  assert.deepEqual(await e.syncs.redrive('s'), {
    delivered: 0,
    rejected: 0,
    filtered: 0,
    unreadable: 1,
    stopped: null,
  });
  const [left, ...none] = await e.store.deadLetters.list({ sync: 's' });
  assert.deepEqual([left?.position, none.length], ['a.jsonl:21', 0]);

  const redriven = (await oracle(bootstrap).readAll(topic)).slice(before.length);
  assert.equal(redriven.length, 501);
  const odd = redriven.filter(({ value }) => JSON.parse(String(value)).id !== 10);
  assert.deepEqual(
    ids(odd),
    Array.from({ length: 500 }, (_, i) => 2 * i + 1),
    'each once, in their order',
  );
  for (const record of odd) {
    const { id } = JSON.parse(String(record.value)) as { id: number };
    assert.equal(String(record.value), lines[id]!.trim());
    assert.equal(record.timestampMs, Date.parse(REFUSED));
    assert.deepEqual(
      record.headers.map(([name]) => name),
      ['kind', 'headrace.redriven'],
    );
  }
  const anew = redriven.find(({ value }) => JSON.parse(String(value)).id === 10)!;
  assert.equal(texts(anew)['mapped'], 'anew');
  assert.ok(texts(anew)['headrace.redriven']);
  assert.equal(new Set(redriven.map((record) => texts(record)['headrace.redriven'])).size, 501);
});

test('what a kill in the middle sends twice has the same identity (P45)', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-twice');
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', Array.from({ length: 200 }, (_, id) => row(id, { at: REFUSED })).join(''));
  e.apply({ syncs: { s: sync(topic) } });
  assert.equal((await e.run('s')).counts.rejected, 200);
  await oracle(bootstrap).configureTopic(topic, { 'message.timestamp.after.max.ms': '9223372036854775807' });
  const letters = await e.store.deadLetters.list({ sync: 's', limit: 1000 });
  assert.equal((await e.syncs.redrive('s')).delivered, 200);
  // As a state in which the deletion was not written yet: the letters as they were.
  await e.store.deadLetters.add(letters.toReversed());
  assert.equal((await e.syncs.redrive('s')).delivered, 200);
  const read = await oracle(bootstrap).readAll(topic);
  const identities = read.map((record) => texts(record)['headrace.redriven']);
  assert.equal(identities.length, 400);
  assert.deepEqual(identities.slice(200), identities.slice(0, 200));
  assert.equal(new Set(identities).size, 200);
});

test('events are redriven too, and a redrive to a missing topic ends with its reason and keeps all', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-redriven-events');
  const e = await engine(t, bootstrap);
  const message = { topic, key: '$.userId', timestamp: '$.properties.at', payload: { name: '$.event' } };
  applyTracks(e, bootstrap, message);
  assert.equal((await e.syncs.intake.accept('web', events(5, { properties: { at: 'never' } }))).state, 'safe');
  assert.equal((await e.store.deadLetters.list({ sync: 's' })).length, 5);
  const missing = uniqueTopic('letters-nowhere');
  applyTracks(e, bootstrap, { topic: missing, payload: '$.' });
  const { stopped, delivered, rejected } = await e.syncs.redrive('s');
  assert.deepEqual([stopped?.code, delivered, rejected], ['topic_missing', 0, 0]);
  const kept = await e.store.deadLetters.list({ sync: 's' });
  assert.deepEqual(
    kept.map(({ code }) => code),
    Array<string>(5).fill('timestamp_invalid'),
    'as they were',
  );
  applyTracks(e, bootstrap, { topic, key: '$.userId', payload: { name: '$.event' } });
  assert.equal((await e.syncs.redrive('s')).delivered, 5);
  const read = await oracle(bootstrap).readAll(topic);
  assert.deepEqual(
    read.map((record) => [String(record.key), String(record.value)]),
    Array.from({ length: 5 }, (_, i) => [`u${i}`, '{"name":"E"}']),
  );
});

test('a run that rejects more than it may fails with the reason, and can be taken up', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-many');
  const e = await engine(t, bootstrap);
  const bad = (id: number): boolean => id >= 2000 && id % 4 === 0;
  e.write('a.jsonl', Array.from({ length: 40_000 }, (_, id) => row(id, bad(id) ? { at: 'never' } : {})).join(''));
  e.apply({ syncs: { s: sync(topic, { max_rejected: '5%' }) } });
  const run = await e.run('s');
  assert.deepEqual([run.state, run.error?.code], ['failed', 'too_many_rejected']);
  assert.match(run.error!.message, /records were rejected, and `max_rejected` is 5%/);
  assert.ok(run.counts.read < 40_000, `${run.counts.read} were read`);
  const { read, delivered, rejected } = run.counts;
  assert.equal(read, delivered + rejected, 'the counts reconcile');
  e.apply({ syncs: { s: sync(topic) } });
  const rest = await e.run('s');
  assert.deepEqual([rest.state, rest.resumed], ['succeeded', 1]);
  assert.equal(rest.counts.rejected, 9_500);
  assert.equal((await e.store.deadLetters.count({ sync: 's' }))[0]?.count, 9_500, 'one letter a row');
});

test('few rejected rows, and a small file, do not stop a run that lets some pass', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-few');
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', Array.from({ length: 50 }, (_, id) => row(id, id < 30 ? { at: 'never' } : {})).join(''));
  e.apply({ syncs: { s: sync(topic, { max_rejected: '5%' }) } });
  assert.equal((await e.run('s')).state, 'succeeded', 'fewer than a hundred say little');
  e.apply({ syncs: { s: sync(topic, { max_rejected: { percent: 5, at_least: 10 } }) } });
  assert.equal((await e.run('s')).error?.code, 'too_many_rejected');
  e.apply({ syncs: { s: sync(topic, { max_rejected: 30 }) } });
  assert.equal((await e.run('s')).state, 'succeeded');
});

test('an event sync that rejects more than it may takes no more until it is applied again', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'letters-tripped');
  const e = await engine(t, bootstrap);
  const message = { topic, key: '$.userId', timestamp: '$.properties.at', payload: '$.' };
  const apply = (): void => applyTracks(e, bootstrap, message, {}, { max_rejected: { percent: 10, at_least: 50 } });
  apply();
  const good = { properties: { at: FINE } };
  assert.equal((await e.syncs.intake.accept('web', events(45, good))).state, 'safe');
  assert.equal((await e.syncs.intake.accept('web', events(6, { properties: { at: 'never' } }))).state, 'safe');
  const refused = await e.syncs.intake.accept('web', events(1, good));
  assert.ok(refused.state === 'unavailable' && /max_rejected/.test(refused.reason), JSON.stringify(refused));
  assert.equal(e.syncs.flows.get('s')?.held?.code, 'too_many_rejected');
  assert.equal((await e.store.deadLetters.list({ sync: 's' })).length, 6, 'what was rejected is kept');
  apply();
  assert.equal((await e.syncs.intake.accept('web', events(1, good))).state, 'safe');
  assert.equal(e.syncs.flows.get('s')?.held, null);
});
