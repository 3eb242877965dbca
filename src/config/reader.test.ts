/** Sound configurations: defaults, references, and what objects say together. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { ConfigurationError, problemText, type Configuration, type MessageConfig } from '../model/index.ts';
import { readEnvironment } from './environment.ts';
import { createConfigReader, type ReaderOptions } from './reader.ts';
import { createSealer } from './seal.ts';
import { readText } from './written.ts';

const dataFolder = mkdtempSync(join(tmpdir(), 'headrace-reader-'));
after(() => rmSync(dataFolder, { recursive: true }));

function configurationOf(
  text: string,
  variables: Record<string, string> = {},
  more: Partial<ReaderOptions> = {},
): Configuration {
  const { references } = readEnvironment(variables);
  const reader = createConfigReader({ references, sealer: createSealer({ dataFolder, secretKey: null }), ...more });
  const { objects, problems } = readText({ text, name: 'test.yaml', folder: '/srv/headrace' });
  const checked = reader.check(objects);
  const all = [...problems, ...checked.problems];
  if (all.length > 0) throw new ConfigurationError(all);
  return checked.configuration;
}

test('a destination of one line has every default', () => {
  const { destinations } = configurationOf('destinations: {main: {brokers: kafka}}');
  assert.deepEqual(destinations.get('main'), {
    name: 'main',
    enabled: true,
    brokers: [{ host: 'kafka', port: 9092 }],
    protocol: 'plaintext',
    tls: null,
    sasl: null,
    clientId: 'headrace',
    testTopic: null,
    spool: { maxBytes: 1_073_741_824 },
    deadLetters: null,
    producer: {
      acks: -1,
      idempotence: true,
      compression: 'none',
      lingerMs: 0,
      batchBytes: 1_000_000,
      batchMessages: 1002,
      bufferMemoryBytes: 33_554_432,
      maxRequestBytes: 1_048_576,
      requestTimeoutMs: 5000,
      deliveryTimeoutMs: 120_000,
      connectTimeoutMs: 5000,
      connectTimeoutMaxMs: 10_000,
      compressionLevel: null,
      maxInFlight: 5,
      retries: 2_147_483_647,
      retryBackoffMs: 50,
      retryBackoffMaxMs: 1000,
      maxBlockMs: 60_000,
      clientDnsLookup: 'use_all_dns_ips',
      metadataMaxAgeMs: 30_000,
    },
    topics: { create: false, maxComputed: 1000 },
    defaults: { topic: null, ordering: 'key' },
  });
});

test('a destination takes every setting', () => {
  const { destinations } = configurationOf(`destinations:
  main:
    enabled: false
    brokers: [a, 'b:1,[::1]:2']
    protocol: plaintext
    client_id: me
    test_topic: headrace-test
    producer: {acks: 1, compression: zstd, linger_ms: 5, batch_bytes: 5000, batch_messages: 1, buffer_memory: 100000,
      max_request_size: 2000000, request_timeout_ms: 1000, delivery_timeout_ms: 1005, socket_connection_setup_timeout_ms: 100}
    topics: {create: broker}
    defaults: {topic: {'@template': 't.{{type}}'}, ordering: key}
  host_and_port: {host: kafka, port: '9094'}
  several_hosts: {host: 'kafka-1, kafka-2', port: 9095}
  weak: {brokers: a, producer: {acks: '0', idempotence: false}}
`);
  const main = destinations.get('main')!;
  assert.deepEqual(
    main.brokers.map(({ host, port }) => `${host} ${port}`),
    ['a 9092', 'b 1', '::1 2'],
  );
  assert.deepEqual(
    [main.enabled, main.clientId, main.testTopic, main.topics.create],
    [false, 'me', 'headrace-test', 'broker'],
  );
  assert.deepEqual(main.defaults.topic, { '@template': 't.{{type}}' });
  // As in Kafka's own client, weaker acks switch idempotence off.
  assert.deepEqual([main.producer.acks, main.producer.idempotence, main.producer.compression], [1, false, 'zstd']);
  assert.deepEqual(destinations.get('host_and_port')?.brokers, [{ host: 'kafka', port: 9094 }]);
  assert.deepEqual(
    destinations.get('several_hosts')?.brokers.map(({ host, port }) => `${host}:${port}`),
    ['kafka-1:9095', 'kafka-2:9095'],
  );
  assert.equal(destinations.get('weak')?.producer.acks, 0);
});

const sourcesAndDestination = `destinations: {main: {brokers: localhost}}
sources:
  website: {type: events, write_key: key-1}
  lake: {type: files, path: exports/}
`;

test('sources have their defaults and absolute paths', () => {
  const { sources } = configurationOf(`${sourcesAndDestination}
  up: {type: files, path: ../other}
  root: {type: files, path: /data}
  small: {type: events, write_key: key-2, max_event_bytes: 2048, max_batch_bytes: 4096, max_batch_events: 3, enabled: false}
`);
  const { writeKey, ...website } = sources.get('website') as never as { writeKey: { reveal(): string } };
  assert.equal(writeKey.reveal(), 'key-1');
  assert.deepEqual(website, {
    name: 'website',
    type: 'events',
    enabled: true,
    maxEventBytes: 32_768,
    maxBatchBytes: 512_000,
    maxBatchEvents: 2500,
  });
  const paths = ['lake', 'up', 'root'].map((name) => (sources.get(name) as { path: string }).path);
  assert.deepEqual(paths, ['/srv/headrace/exports', '/srv/other', '/data']);
  assert.equal(sources.get('small')?.enabled, false);
});

test('syncs keep the message as written, absent fields absent', () => {
  const { syncs } = configurationOf(`${sourcesAndDestination}
syncs:
  tracks:
    source: website
    destination: main
    types: [track, identify]
    message: {topic: {'@template': 'web.{{type}}'}, key: null, payload: {n: 1.10}, headers: {a: $.b}, format: json}
  rows:
    source: lake
    destination: main
    enabled: false
    read: {file: 'orders/*.csv', format: csv, types: {id: text}}
    behaviour: send
    partitioner: crc32
    ordering: key
    batch: {bytes: 5000, messages: 10}
    message: {topic: rows, columns: [{from: id}, {from: total, to: sum}], meta_fields: false}
`);
  const tracks = syncs.get('tracks')!;
  assert.deepEqual(Object.keys(tracks.message), ['topic', 'key', 'headers', 'payload']);
  assert.equal(JSON.stringify(tracks.message.payload), '{"n":1.10}');
  assert.deepEqual(
    [tracks.read, tracks.behaviour, tracks.types, tracks.partitioner],
    [null, null, ['track', 'identify'], 'murmur2'],
  );
  assert.deepEqual(syncs.get('rows'), {
    name: 'rows',
    enabled: false,
    source: 'lake',
    destination: 'main',
    read: { file: 'orders/*.csv', format: 'csv', types: { id: 'text' } },
    types: null,
    trigger: null,
    behaviour: 'send',
    message: {
      topic: 'rows',
      columns: [
        { from: 'id', to: 'id' },
        { from: 'total', to: 'sum' },
      ],
      meta_fields: false,
    },
    partitioner: 'crc32',
    batch: { bytes: 5000, messages: 10 },
    ordering: 'key',
    oversized: 'reject',
    maxRejected: null,
  });
});

test('what a sync says of order wins over its destination; missing topics may be made', () => {
  const { destinations, syncs } = configurationOf(`destinations:
  main: {brokers: a, defaults: {topic: t, ordering: preserve}, topics: {max_computed: 5, create: {partitions: 6, config: {retention.ms: 1000, cleanup.policy: compact}}}}
sources:
  web: {type: events, write_key: k}
syncs:
  one: {source: web, destination: main}
  two: {source: web, destination: main, ordering: none, oversized: {truncate: [$.properties.body]}}
`);
  assert.deepEqual(destinations.get('main')?.topics, {
    create: { partitions: 6, config: { 'retention.ms': '1000', 'cleanup.policy': 'compact' } },
    maxComputed: 5,
  });
  assert.deepEqual(
    ['one', 'two'].map((name) => syncs.get(name)?.ordering),
    ['preserve', 'none'],
  );
  assert.deepEqual(syncs.get('two')?.oversized, { truncate: ['$.properties.body'] });
});

test('a sync may leave its topic to the destination', () => {
  const { syncs } = configurationOf(`destinations: {main: {brokers: a, defaults: {topic: all}}}
sources: {website: {type: events, write_key: k}}
syncs: {tracks: {source: website, destination: main}}
`);
  assert.deepEqual(syncs.get('tracks')?.message, {});
});

test('numbers and flags may come through references, wherever they stand', () => {
  const text = `destinations:
  main:
    enabled: \${ON}
    brokers: \${BROKERS:-localhost}
    producer: {linger_ms: '\${LINGER}', batch_bytes: '\${LINGER}00\${ZEROS}', idempotence: '\${ON}', acks: '\${ACKS}'}
`;
  const { destinations } = configurationOf(text, { ON: 'true', LINGER: '50', ZEROS: '00', ACKS: 'all' });
  const { enabled, brokers, producer } = destinations.get('main')!;
  assert.deepEqual(
    [enabled, brokers.length, producer.lingerMs, producer.batchBytes, producer.acks],
    [true, 1, 50, 500_000, -1],
  );
});

test('everything is frozen, nested values included', () => {
  const { destinations, syncs } = configurationOf(`${sourcesAndDestination}
syncs: {tracks: {source: website, destination: main, message: {topic: t, payload: {a: [1]}}}}
`);
  const payload = syncs.get('tracks')!.message.payload as { a: number[] };
  assert.throws(() => payload.a.push(2), TypeError);
  assert.throws(() => Object.assign(destinations.get('main')!.producer, { acks: 0 }), TypeError);
});

test("a sound object is there although another's reference does not resolve", () => {
  const { references } = readEnvironment({});
  const reader = createConfigReader({ references, sealer: createSealer({ dataFolder, secretKey: null }) });
  const { objects } = readText({
    text: `destinations: {good: {brokers: a}, bad: {brokers: '\${NOWHERE}'}}
sources: {website: {type: events, write_key: k}}
syncs:
  one: {source: website, destination: good, message: {topic: t}}
  two: {source: website, destination: bad, message: {topic: t}}
`,
    name: 'test.yaml',
    folder: null,
  });
  const { configuration, problems } = reader.check(objects);
  assert.deepEqual([...configuration.destinations.keys()], ['good']);
  assert.deepEqual([...configuration.syncs.keys()], ['one']);
  assert.deepEqual(
    problems.map(({ path, code }) => `${path} ${code}`),
    ['destinations.bad.brokers config_unresolved'],
  );
  assert.deepEqual(configuration.problems, problems);
});

test('the check of mappings is asked once for each message, with the kind of its records', () => {
  const asked: string[] = [];
  const checkMessage = (message: MessageConfig, path: string, kind: string): [] => {
    asked.push(`${path} ${kind} ${Object.keys(message).join(',')}`);
    return [];
  };
  const text = `destinations: {main: {brokers: a, defaults: {topic: t}}}
sources: {website: {type: events, write_key: k}, lake: {type: files, path: x}}
syncs:
  tracks: {source: website, destination: main, message: {key: $.userId}}
  rows: {source: lake, destination: main, read: {file: a.csv}, message: {topic: r}}
`;
  configurationOf(text, {}, { checkMessage });
  assert.deepEqual(asked, [
    'destinations.main.defaults rows topic',
    'syncs.tracks.message events key',
    'syncs.rows.message rows topic',
  ]);
  const refuse: ReaderOptions['checkMessage'] = (_message, path) => [
    { path: `${path}.topic`, reason: 'is bad', remedy: 'mend it' },
  ];
  assert.throws(
    () => configurationOf(text, {}, { checkMessage: refuse }),
    /^ConfigurationError: destinations\.main\.defaults\.topic: is bad; mend it$/m,
  );
});

test('two events sources may not share a write key, and the key is not shown', () => {
  const text = 'sources: {a: {type: events, write_key: canary}, b: {type: events, write_key: "${KEY}"}}';
  assert.throws(
    () => configurationOf(text, { KEY: 'canary' }),
    (error: Error) =>
      /sources\.b\.write_key: is the same as that of the source a/.test(error.message) &&
      !inspect(error).includes('canary'),
  );
});

test('at most 50 syncs go from one source to one destination, unless the source says more', () => {
  const syncs = Array.from(
    { length: 51 },
    (_, index) => `  s${index}: {source: website, destination: main, message: {topic: t}}`,
  );
  const withSyncs = (more: string): string => `destinations: {main: {brokers: a}}
sources: {website: {type: events, write_key: k${more}}}
syncs:
${syncs.join('\n')}
`;
  assert.throws(() => configurationOf(withSyncs('')), /number 51 .* 50 are allowed/);
  assert.equal(configurationOf(withSyncs(', max_syncs: 51')).syncs.size, 51);
});

test('weak acks are taken with a warning', () => {
  const { references } = readEnvironment({});
  const reader = createConfigReader({ references, sealer: createSealer({ dataFolder, secretKey: null }) });
  const { objects } = readText({
    text: 'destinations: {a: {brokers: x, producer: {acks: 1}}}',
    name: 't',
    folder: null,
  });
  const { warnings, problems } = reader.check(objects);
  assert.deepEqual(problems, []);
  assert.match(warnings.map(problemText).join(), /producer\.acks: is 1/);
});

test('through the API paths must be absolute', () => {
  const { references } = readEnvironment({});
  const reader = createConfigReader({ references, sealer: createSealer({ dataFolder, secretKey: null }) });
  const objects = [{ kind: 'source', name: 'lake', body: { type: 'files', path: 'exports' } }] as const;
  assert.match(reader.check(objects).problems.map(problemText).join(), /sources\.lake\.path: must be an absolute path/);
});

test('the most that may be rejected, in each of its forms', () => {
  const rejected = (written: string): unknown =>
    configurationOf(`destinations: {main: {brokers: kafka}}
sources: {website: {type: events, write_key: k}}
syncs: {tracks: {source: website, destination: main, message: {topic: t}, max_rejected: ${written}}}`).syncs.get(
      'tracks',
    )?.maxRejected;
  assert.deepEqual(rejected('5%'), { percent: 5, atLeast: 100 });
  assert.deepEqual(rejected('0.5%'), { percent: 0.5, atLeast: 100 });
  assert.deepEqual(rejected('{percent: 5, at_least: 20}'), { percent: 5, atLeast: 20 });
  assert.deepEqual(rejected('{percent: 5%}'), { percent: 5, atLeast: 100 });
  assert.deepEqual(rejected('0'), { records: 0 });
});
