/** Every producer setting is taken under its name, as a number and as text, or says what it does not do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProducerSettings } from '../model/index.ts';
import { producer } from './producer.ts';
import { At, Report } from './report.ts';

function read(value: object): { settings: ProducerSettings | undefined; report: Report } {
  const report = new Report();
  return { settings: producer.read(value, new At(report, 'producer')), report };
}

/** What is written, the setting it becomes, and its value. */
const taken: readonly (readonly [string, string | number | boolean, keyof ProducerSettings, unknown])[] = [
  ['acks', 'all', 'acks', -1],
  ['acks', 1, 'acks', 1],
  ['acks', '0', 'acks', 0],
  ['idempotence', false, 'idempotence', false],
  ['idempotence', 'false', 'idempotence', false],
  ['compression', 'zstd', 'compression', 'zstd'],
  ['linger_ms', '0', 'lingerMs', 0],
  ['linger_ms', 20, 'lingerMs', 20],
  ['batch_bytes', '16384', 'batchBytes', 16_384],
  ['batch_messages', 64, 'batchMessages', 64],
  ['max_in_flight', '1', 'maxInFlight', 1],
  ['buffer_memory', '33554432', 'bufferMemoryBytes', 33_554_432],
  ['max_request_size', 2_000_000, 'maxRequestBytes', 2_000_000],
  ['request_timeout_ms', '30000', 'requestTimeoutMs', 30_000],
  ['delivery_timeout_ms', '120000', 'deliveryTimeoutMs', 120_000],
  ['retries', '2147483647', 'retries', 2_147_483_647],
  ['retries', 0, 'retries', 0],
  ['retry_backoff_ms', 100, 'retryBackoffMs', 100],
  ['retry_backoff_max_ms', '2000', 'retryBackoffMaxMs', 2000],
  ['max_block_ms', '60000', 'maxBlockMs', 60_000],
  ['socket_connection_setup_timeout_ms', '2000', 'connectTimeoutMs', 2000],
  ['socket_connection_setup_timeout_max_ms', '30000', 'connectTimeoutMaxMs', 30_000],
  ['client_dns_lookup', 'default', 'clientDnsLookup', 'default'],
  [
    'client_dns_lookup',
    'resolve_canonical_bootstrap_servers_only',
    'clientDnsLookup',
    'resolve_canonical_bootstrap_servers_only',
  ],
  ['metadata_max_age_ms', '300000', 'metadataMaxAgeMs', 300_000],
];

for (const [name, written, setting, value] of taken) {
  test(`${name}: ${JSON.stringify(written)}`, () => {
    const { settings, report } = read({
      [name]: written,
      ...(setting === 'requestTimeoutMs' ? { delivery_timeout_ms: 60_000 } : {}),
    });
    assert.deepEqual(report.problems, []);
    assert.equal(settings?.[setting], value);
  });
}

test('a level of compression', () => {
  assert.equal(read({ compression: 'gzip', compression_level: '9' }).settings?.compressionLevel, 9);
  assert.equal(read({ compression: 'zstd', compression_level: -5 }).settings?.compressionLevel, -5);
});

for (const name of ['send_buffer_bytes', 'receive_buffer_bytes']) {
  test(`${name} is accepted with a warning that says why it has no effect`, () => {
    for (const value of [-1, 131_072, '32768']) {
      const { settings, report } = read({ [name]: value });
      assert.ok(settings);
      assert.deepEqual(
        report.warnings.map(({ path }) => path),
        [`producer.${name}`],
      );
      assert.match(report.warnings[0]!.reason, /no effect: Node\.js gives no way/);
    }
  });
}

test('a request larger than brokers take is warned of', () => {
  const { settings, report } = read({ max_request_size: 200_000_000 });
  assert.ok(settings);
  assert.match(report.warnings[0]!.reason, /socket\.request\.max\.bytes/);
});

test('the defaults: safe, and without compression', () => {
  const { settings } = read({});
  assert.ok(settings);
  const { acks, idempotence, compression, maxInFlight, retries, connectTimeoutMaxMs } = settings;
  assert.deepEqual(
    { acks, idempotence, compression, maxInFlight, retries, connectTimeoutMaxMs },
    {
      acks: -1,
      idempotence: true,
      compression: 'none',
      maxInFlight: 5,
      retries: 2_147_483_647,
      connectTimeoutMaxMs: 10_000,
    },
  );
});

test('what is neither a number nor all is no acks, whatever it prints as', () => {
  for (const value of [[1], ['all'], { toString: 1 }, null, true, 2])
    assert.equal(read({ acks: value }).settings, undefined, JSON.stringify(value));
});

test('a longest wait below the first one is a contradiction', () => {
  assert.equal(read({ retry_backoff_ms: 5000 }).settings?.retryBackoffMaxMs, 5000);
  const { settings, report } = read({ retry_backoff_ms: 5000, retry_backoff_max_ms: 1000 });
  assert.equal(settings, undefined);
  assert.equal(report.problems[0]?.path, 'producer.retry_backoff_max_ms');
});
