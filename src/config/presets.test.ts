/** Presets in a configuration: what they fill in, what written fields do to that, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMessage, checkTrigger, presets } from '../mapping/index.ts';
import { ConfigurationError, type Configuration, type DestinationConfig, type SyncConfig } from '../model/index.ts';
import { readEnvironment } from './environment.ts';
import { createConfigReader } from './reader.ts';
import { createSealer } from './seal.ts';
import { readText } from './written.ts';

const SEGMENT_TRIGGER = 'type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"';

const reader = createConfigReader({
  references: readEnvironment({ VENDOR: 'segment' }).references,
  sealer: createSealer({ dataFolder: '/nowhere', secretKey: null }),
  checkMessage,
  checkTrigger,
  presets,
});

function configurationOf(text: string): Configuration {
  const { objects, problems } = readText({ text, name: 'test.yaml', folder: '/srv/headrace' });
  const checked = reader.check(objects);
  const all = [...problems, ...checked.problems];
  if (all.length > 0) throw new ConfigurationError(all);
  return checked.configuration;
}

function destinationOf(fields: string): DestinationConfig {
  return configurationOf(`destinations: {main: {brokers: kafka, ${fields}}}`).destinations.get('main')!;
}

/** `destination`: more fields of it. */
function syncOf(fields: string, source: 'web' | 'shop' = 'web', destination = ''): SyncConfig {
  const read = source === 'shop' ? 'read: {file: a.csv}, ' : '';
  const { syncs } = configurationOf(`
destinations: {main: {brokers: kafka, ${destination}}}
sources: {web: {type: events, write_key: k1}, shop: {type: files, path: data}}
syncs: {s: {source: ${source}, destination: main, ${read}${fields}}}
`);
  return syncs.get('s')!;
}

function problemOf(configure: () => unknown): { path: string; reason: string } {
  try {
    configure();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems[0]!;
    throw error;
  }
  throw new Error('the configuration was taken');
}

test('a preset fills trigger and message; a topic beside it keeps payload and key', () => {
  const segment = syncOf('preset: segment, message: {topic: t}');
  assert.equal(segment.trigger, SEGMENT_TRIGGER);
  assert.deepEqual(segment.message, { payload: { '@path': '$.' }, topic: 't' });
  assert.equal(segment.partitioner, 'murmur2');
  const rudderstack = syncOf('preset: rudderstack, message: {topic: t}');
  assert.deepEqual(rudderstack.message, {
    key: { '@coalesce': ['$.userId', '$.anonymousId'] },
    payload: { '@path': '$.' },
    topic: 't',
  });
  assert.deepEqual([rudderstack.trigger, rudderstack.partitioner], [null, 'fnv1a']);
});

test('what is written wins, field by field, also null', () => {
  const sync = syncOf(
    `preset: rudderstack, trigger: 'userId = "u"', partitioner: crc32, message: {topic: t, key: null}`,
  );
  assert.deepEqual(sync.message, { payload: { '@path': '$.' }, topic: 't', key: null });
  assert.deepEqual([sync.trigger, sync.partitioner], ['userId = "u"', 'crc32']);
  assert.equal(syncOf('preset: rudderstack, message: {topic: t, partitioner: murmur2}').partitioner, 'murmur2');
});

test('one way to make the value displaces another', () => {
  for (const value of ['columns: [{from: userId}]', "template: '{{{userId}}}', template_type: text"]) {
    const { message } = syncOf(`preset: segment, message: {topic: t, ${value}}`);
    assert.equal(message.payload, undefined, value);
  }
});

test('event types stand in the place of the trigger of a preset', () => {
  const { trigger, types } = syncOf('preset: segment, types: [alias], message: {topic: t}');
  assert.deepEqual([trigger, types], [null, ['alias']]);
});

test('topic rules of a preset end with the default topic of the destination', () => {
  const topicOf = (fields: string, destination: string): unknown => syncOf(fields, 'web', destination).message.topic;
  assert.deepEqual(topicOf('preset: rudderstack', 'defaults: {topic: events}'), {
    integrations: true,
    default: 'events',
  });
  assert.deepEqual(topicOf('preset: rudderstack', 'defaults: {topic: {types: {identify: people}, default: events}}'), {
    integrations: true,
    types: { identify: 'people' },
    default: 'events',
  });
  assert.deepEqual(topicOf('preset: segment', 'defaults: {topic: events}'), undefined);
  assert.deepEqual(topicOf('preset: airbyte', 'defaults: {topic: events}'), { '@pattern': '{namespace}.{stream}' });
  assert.match(problemOf(() => syncOf('preset: rudderstack')).path, /message\.topic/);
});

test('a preset on a destination fills its fields; those beside it win, within objects too', () => {
  const segment = destinationOf('preset: segment');
  assert.deepEqual([segment.clientId, segment.topics.create], ['segment-actions-kafka-producer', false]);
  assert.deepEqual([segment.producer.batchBytes, segment.producer.batchMessages], [1_000_000, 1002]);
  assert.equal(destinationOf('preset: segment, client_id: mine').clientId, 'mine');
  assert.equal(destinationOf("preset: '${VENDOR}'").clientId, 'segment-actions-kafka-producer');
  const { batchBytes, batchMessages } = destinationOf('preset: segment, producer: {batch_messages: 7}').producer;
  assert.deepEqual([batchBytes, batchMessages], [1_000_000, 7]);
  assert.deepEqual(destinationOf('preset: rudderstack').topics.create, 'broker');
  assert.deepEqual(destinationOf('preset: rudderstack, topics: {create: false}').topics.create, false);
});

test('no preset weakens what a destination promises', () => {
  const usual = destinationOf('client_id: usual');
  for (const name of Object.keys(presets))
    assert.deepEqual(destinationOf(`preset: ${name}`).producer, usual.producer, name);
});

test('every preset is taken on every kind of sync that it is for, and refused on others', () => {
  for (const [name, preset] of Object.entries(presets)) {
    for (const [source, kind] of [
      ['web', 'events'],
      ['shop', 'rows'],
    ] as const) {
      const configure = (): SyncConfig => syncOf(`preset: ${name}, message: {topic: t}`, source);
      if (preset.records === null || preset.records === kind) {
        assert.equal(configure().message.topic, 't', `${name} on ${kind}`);
        continue;
      }
      const problem = problemOf(configure);
      assert.equal(problem.path, 'syncs.s.preset');
      assert.match(problem.reason, new RegExp(`is ${name}, which is for (event|table) syncs`));
    }
  }
});

test('an unknown preset is refused with the name that was meant', () => {
  assert.equal(problemOf(() => syncOf('preset: rudder, message: {topic: t}')).path, 'syncs.s.preset');
  assert.equal(problemOf(() => destinationOf('preset: sgment')).path, 'destinations.main.preset');
});
