/** Each preset makes of its vendor's example the message that the vendor would send; docs/reference/presets.md tells the truth. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createConfigReader } from '../../src/config/reader.ts';
import { createSealer } from '../../src/config/seal.ts';
import { readText } from '../../src/config/written.ts';
import { assignerOf } from '../../src/kafka/index.ts';
import { checkMessage, checkTrigger, compileCondition, compileMapping, presets } from '../../src/mapping/index.ts';
import {
  eventTypes,
  presetNames,
  type JsonValue,
  type Message,
  type PresetName,
  type Rejection,
  type SourceRecord,
} from '../../src/model/index.ts';
import { contextOf, eventOf, recordOf } from '../support/mapping.ts';
import { segmentTrigger } from '../support/segment.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/presets.md'), 'utf8');
const reader = createConfigReader({
  references: { variable: () => undefined, variableNames: () => [] },
  sealer: createSealer({ dataFolder: '/nowhere', secretKey: null }),
  checkMessage,
  checkTrigger,
  presets,
});

type Passes = (record: JsonValue) => boolean;
type Map = (record: SourceRecord) => Message | Rejection;

/** The one sync of a configuration, ready. */
function compiled(text: string): { readonly map: Map; readonly passes: Passes; readonly kind: 'rows' | 'events' } {
  const { objects, problems } = readText({ text, name: 'presets.md', folder: '/' });
  const checked = reader.check(objects);
  assert.deepEqual([...problems, ...checked.problems], []);
  const [sync] = checked.configuration.syncs.values();
  const { type } = checked.configuration.sources.get(sync!.source)!;
  const defaultTopic = checked.configuration.destinations.get(sync!.destination)!.defaults.topic;
  const kind = type === 'events' ? 'events' : 'rows';
  const mapping = compileMapping({ message: sync!.message, kind, defaultTopic });
  return {
    map: (record) => mapping.map(record, contextOf()),
    passes: compileCondition(sync!.trigger) ?? (() => true),
    kind,
  };
}

/** A sync of a preset with what is written beside it, on a source of its kind. */
function syncWith(preset: PresetName, fields: string, destination = ''): ReturnType<typeof compiled> {
  const source = presets[preset].records === 'events' ? 'web' : 'shop';
  return compiled(`
destinations: {main: {brokers: kafka, preset: ${preset}, ${destination}}}
sources: {web: {type: events, write_key: k}, shop: {type: files, path: data}}
syncs: {s: {source: ${source}, destination: main, ${source === 'shop' ? 'read: {file: a.csv},' : ''} preset: ${preset}, ${fields}}}
`);
}

/** What a message looks like on the page. */
function shown(message: Message | Rejection): JsonValue {
  if ('state' in message) throw new Error(message.reason);
  return {
    topic: message.topic,
    key: message.key?.toString() ?? null,
    partitionKey: message.partitionKey?.toString() ?? null,
    headers: Object.fromEntries(message.headers.map(([name, value]) => [name, value?.toString() ?? null])),
    timestamp: new Date(message.timestampMs).toISOString(),
    value: JSON.parse(message.value!.toString()) as JsonValue,
  };
}

function topicOf(message: Message | Rejection): string {
  return 'state' in message ? message.reason : message.topic;
}

/** The blocks of a vendor's section that are marked with a word. */
function blocks(name: PresetName, mark: string): string[] {
  const section = page.split(/^## /m).find((one) => one.startsWith(`${name}\n`))!;
  return [...section.matchAll(new RegExp(`\`\`\`\\w+ ${mark}\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]!);
}

for (const name of presetNames) {
  test(`${name}: the page shows what the preset stands for`, () => {
    const [sync, destination] = blocks(name, 'preset').map((text) => parse(text) as object);
    assert.deepEqual(sync, presets[name].sync);
    assert.deepEqual(destination, presets[name].destination);
  });

  test(`${name}: the example becomes the message of the page`, () => {
    const [example, record, message] = [
      blocks(name, 'example')[0]!,
      blocks(name, 'record')[0]!,
      blocks(name, 'message')[0]!,
    ];
    const { map, passes, kind } = compiled(example);
    const data = JSON.parse(record) as { receivedAt: string };
    const stream = name === 'airbyte' ? 'id_and_name' : 'rows';
    const given =
      kind === 'events'
        ? eventOf(data, { receivedAtMs: Date.parse(data.receivedAt) })
        : recordOf(data, { stream, position: `${stream}:1` });
    assert.ok(passes(data as JsonValue));
    const made = map(given);
    assert.deepEqual(shown(made), JSON.parse(message));
    // The order of members too.
    assert.equal(
      (made as Message).value!.toString(),
      JSON.stringify((JSON.parse(message) as { value: unknown }).value),
    );
  });
}

test('segment: the trigger is Segment’s own, and lets through what Segment’s evaluator does', () => {
  const ours = 'type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"';
  assert.equal(presets.segment.sync.trigger, ours);
  const theirs = segmentTrigger(ours);
  const { passes } = syncWith('segment', 'message: {topic: t}');
  for (const type of [...eventTypes, 'record', '', null, 1]) {
    assert.equal(passes({ type }), theirs({ type }), String(type));
    assert.equal(passes({ type }), ['track', 'identify', 'page', 'screen', 'group'].includes(type as string));
  }
});

test('segment: partition, default partition, headers and key are what they are there', () => {
  const { map } = syncWith(
    'segment',
    'message: {topic: t, key: $.userId, headers: {app: web}, partition: $.p, default_partition: 3}',
  );
  const assign = assignerOf('murmur2');
  const made = [{ userId: 'u', p: 0 }, { userId: 'u' }].map((event) => map(eventOf(event)) as Message);
  assert.deepEqual(
    made.map((message) => assign(message, 4, () => 0)),
    [0, 3],
  );
  assert.equal(made[0]!.key!.toString(), 'u');
  assert.deepEqual(made[0]!.headers, [['app', Buffer.from('web')]]);
});

/** RudderStack's own cases: the integrations object, the destination's topics, the event → the topic. */
const rudderTopics = `{
  integrations: true,
  types: {identify: identify-topic, page: page-topic, screen: screen-topic, group: group-topic, alias: alias-topic},
  events: {Product Added: product-added},
  default: default-topic}`;
const rudderCases: readonly (readonly [string, string, object, string])[] = [
  ['no topic named', 'message: {topic: default-topic}', { type: 'track', event: 'event' }, 'default-topic'],
  [
    'the event names one',
    '',
    { type: 'track', integrations: { Kafka: { topic: 'specific-topic' } } },
    'specific-topic',
  ],
  ['in capitals', '', { type: 'track', integrations: { KAFKA: { topic: 'specific-topic' } } }, 'specific-topic'],
  ['in small letters', '', { type: 'track', integrations: { kafka: { topic: 'specific-topic' } } }, 'specific-topic'],
  ['integrations: true', '', { type: 'track', integrations: { Kafka: true } }, 'destination-topic'],
  ['the default of the destination', '', { type: 'track', event: 'event' }, 'destination-topic'],
  ['by type', `message: {topic: ${rudderTopics}}`, { type: 'identify' }, 'identify-topic'],
  ['by type, in another case', `message: {topic: ${rudderTopics}}`, { type: 'Identify' }, 'identify-topic'],
  ['by event', `message: {topic: ${rudderTopics}}`, { type: 'track', event: 'Product Added' }, 'product-added'],
  ['no such event', `message: {topic: ${rudderTopics}}`, { type: 'track', event: 'product added' }, 'default-topic'],
  [
    'the event before the maps',
    `message: {topic: ${rudderTopics}}`,
    { type: 'identify', integrations: { Kafka: { topic: 'specific-topic' } } },
    'specific-topic',
  ],
];

for (const [name, fields, event, topic] of rudderCases) {
  test(`rudderstack: topic, ${name}`, () => {
    const { map } = syncWith('rudderstack', fields, 'defaults: {topic: destination-topic}');
    assert.equal(topicOf(map(eventOf({ userId: 'userId', ...event }))), topic);
  });
}

test('rudderstack: the key is the user, else the anonymous id, else there is none', () => {
  const { map } = syncWith('rudderstack', 'message: {topic: t}');
  const keyOf = (event: object): string | null => (map(eventOf(event)) as Message).key?.toString() ?? null;
  assert.equal(keyOf({ userId: 'u', anonymousId: 'a' }), 'u');
  assert.equal(keyOf({ userId: '', anonymousId: 'a' }), 'a');
  assert.equal(keyOf({ anonymousId: 'a' }), 'a');
  assert.equal(keyOf({ event: 'x' }), null);
});

test('airbyte: a record of a stream in a namespace', () => {
  const { map } = syncWith('airbyte', 'enabled: true');
  const id = '6f0d1c1e-52fb-4d3c-9d0c-000000000001';
  const emittedAtMs = 1_626_172_757_000;
  const record = recordOf(
    { id: 0, name: 'human 0' },
    { stream: 'id_and_name', namespace: 'public', messageId: id, receivedAtMs: emittedAtMs },
  );
  assert.deepEqual(shown(map(record)), {
    topic: 'public.id_and_name',
    key: id,
    partitionKey: id,
    headers: {},
    timestamp: new Date(emittedAtMs).toISOString(),
    value: {
      _airbyte_ab_id: id,
      _airbyte_stream: 'id_and_name',
      _airbyte_emitted_at: emittedAtMs,
      _airbyte_data: { id: 0, name: 'human 0' },
    },
  });
  assert.equal(topicOf(map({ ...record, namespace: null })), 'id_and_name');
});

test('airbyte: the id of a row is the version 5 UUID of its run, stream and place', () => {
  const { map } = syncWith('airbyte', 'enabled: true');
  const keyOf = (position: string): string => (map(recordOf({}, { position })) as Message).key!.toString();
  const space = Buffer.from('6ba7b8129dad11d180b400c04fd430c8', 'hex');
  const digest = createHash('sha1').update(space).update('["run-1","orders.csv","orders.csv:1"]').digest();
  digest[6] = (digest[6]! & 15) | 0x50;
  digest[8] = (digest[8]! & 63) | 0x80;
  assert.equal(keyOf('orders.csv:1').replaceAll('-', ''), digest.toString('hex', 0, 16));
  assert.notEqual(keyOf('orders.csv:1'), keyOf('orders.csv:2'));
});

test('census: all columns with operation and synced_at; cinchy: all columns alone', () => {
  const row = { id: 1, name: 'Ada' };
  const valueOf = (preset: PresetName): string =>
    (syncWith(preset, 'message: {topic: t}').map(recordOf(row)) as Message).value!.toString();
  assert.equal(valueOf('census'), '{"id":1,"name":"Ada","operation":"created","synced_at":"2024-05-01T00:00:00.000Z"}');
  assert.equal(valueOf('cinchy'), '{"id":1,"name":"Ada"}');
});
