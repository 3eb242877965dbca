/** Presets in a running flow: what lies in Kafka is what each stands for, and preview shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOfKey } from '../../src/kafka/index.ts';
import type { JsonValue, Message } from '../../src/model/index.ts';
import { completeEvent, isFault } from '../../src/sources/events/index.ts';
import { openFiles } from '../../src/sources/tables/index.ts';
import { previewSync } from '../../src/syncs/index.ts';
import { engine } from '../support/engine.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

const PARTITIONS = 6;

test('events: Segment’s preset leaves alias out and sends no key, RudderStack’s keys by user and keeps keys in their places', async (t) => {
  const bootstrap = await sharedKafka();
  const e = await engine(t, bootstrap);
  const topics = {
    segment: await newTopic(bootstrap, 'segment', { partitions: PARTITIONS }),
    rudderstack: await newTopic(bootstrap, 'rudderstack', { partitions: PARTITIONS }),
    asked: await newTopic(bootstrap, 'asked', { partitions: PARTITIONS }),
  };
  e.apply({
    destinations: {
      main: { brokers: bootstrap, preset: 'segment' },
      rudder: { brokers: bootstrap, preset: 'rudderstack', defaults: { topic: topics.rudderstack } },
    },
    sources: { web: { type: 'events', write_key: 'k' } },
    syncs: {
      segment: { source: 'web', destination: 'main', preset: 'segment', message: { topic: topics.segment } },
      rudderstack: { source: 'web', destination: 'rudder', preset: 'rudderstack' },
    },
  });
  const raw: { [key: string]: JsonValue }[] = Array.from({ length: 40 }, (_, i) => ({
    type: i % 4 === 0 ? 'alias' : 'track',
    event: 'Event',
    previousId: 'p',
    messageId: `m${i}`,
    ...(i % 2 === 0 ? { userId: `user-${i}` } : { anonymousId: `anonymous-${i}` }),
    ...(i % 5 === 0 ? { userId: `user-${i}`, integrations: { Kafka: { topic: topics.asked } } } : {}),
  }));
  const atMs = Date.now();
  const events = raw.map((event) => {
    const complete = completeEvent(event, { receivedAtMs: atMs, ip: '127.0.0.1', newMessageId: () => 'unused' });
    assert.ok(!isFault(complete), JSON.stringify(complete));
    return complete;
  });
  assert.deepEqual(await e.syncs.intake.accept('web', events), { state: 'safe' });

  const [segment, rudderstack, asked] = await Promise.all(
    Object.values(topics).map((topic) => oracle(bootstrap).readAll(topic)),
  );
  assert.equal(segment!.length, raw.filter(({ type }) => type !== 'alias').length);
  assert.ok(segment!.every(({ key }) => key === null));
  assert.equal(asked!.length, raw.filter((event) => event.integrations !== undefined).length);
  assert.equal(rudderstack!.length + asked!.length, raw.length);
  const keyed = [...rudderstack!, ...asked!];
  for (const { key, value, partition } of keyed) {
    const event = JSON.parse(value!.toString()) as { userId?: string; anonymousId?: string };
    assert.equal(key!.toString(), event.userId ?? event.anonymousId);
    assert.equal(partition, partitionOfKey(key!, PARTITIONS, 'fnv1a'));
  }
  for (const record of raw.slice(0, 10)) {
    const request = { sync: 'rudderstack', limit: 1, record, atMs, run: 'r' };
    const [previewed] = await previewSync(e.syncs, openFiles, request);
    const sent = keyed.find(({ value }) => value!.equals((previewed!.result as { value: Buffer }).value));
    assert.equal(previewed!.partition, sent!.partition);
  }
});

test('rows: each preset for tables sends its own shape', async (t) => {
  const bootstrap = await sharedKafka();
  const e = await engine(t, bootstrap);
  const rows = [
    { id: 1, name: 'Ada' },
    { id: 2, name: 'Grace' },
  ];
  e.write('people.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  for (const preset of ['census', 'cinchy', 'airbyte'] as const) {
    const topic = await newTopic(bootstrap, preset, { partitions: 1 });
    const sync = { source: 'files', destination: 'main', read: { file: 'people.jsonl' }, preset, message: { topic } };
    e.apply({ syncs: { [preset]: sync } });
    const run = await e.run(preset);
    assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
    const read = await oracle(bootstrap).readAll(topic);
    const made = read.map(({ value }) => JSON.parse(value!.toString()) as { _airbyte_ab_id: string });

    const envelope = (row: object, index: number): object => ({
      _airbyte_ab_id: made[index]!._airbyte_ab_id,
      _airbyte_stream: 'people.jsonl',
      _airbyte_emitted_at: Date.parse(run.startedAt),
      _airbyte_data: row,
    });
    const expected = {
      census: rows.map((row) => ({ ...row, operation: 'created', synced_at: run.startedAt })),
      cinchy: rows,
      airbyte: rows.map(envelope),
    };
    assert.deepEqual(made, expected[preset]);
    const keys = read.map(({ key }) => key?.toString() ?? null);
    assert.deepEqual(keys, preset === 'airbyte' ? made.map((value) => value._airbyte_ab_id) : [null, null]);
    assert.equal(new Set(keys).size, preset === 'airbyte' ? 2 : 1);

    const request = { sync: preset, limit: 9, record: undefined, atMs: Date.parse(run.startedAt), run: run.id };
    const previewed = (await previewSync(e.syncs, openFiles, request)).map(({ result }) => result as Message);
    assert.deepEqual(
      previewed.map(({ key, value }) => ({ key, value })),
      read.map(({ key, value }) => ({ key, value })),
    );
  }
});
