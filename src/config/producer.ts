/** Producer settings: Kafka's own names with their unit, and what contradicts what. */
import type { ClientDnsLookup, Compression, ProducerSettings } from '../model/index.ts';
import { isJsonNumber, rawNumber } from '../base/json.ts';
import type { At } from './report.ts';
import { notYet, optional, type Spec } from './spec.ts';
import { object } from './spec-composites.ts';
import { choice, flag, integer, reference } from './spec-scalars.ts';
import { describe } from './values.ts';

const INT32 = 2_147_483_647;
const DAY_MS = 86_400_000;
const milliseconds = (min: number): Spec<number> => asText(integer({ min, max: DAY_MS, unit: 'milliseconds' }));
const bytes = (min: number): Spec<number> => asText(integer({ min, max: INT32, unit: 'bytes' }));
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const lookups: readonly ClientDnsLookup[] = ['use_all_dns_ips', 'default', 'resolve_canonical_bootstrap_servers_only'];

/** Other products write some of these as text, `linger_ms: "0"`: taken for what it says. */
function asText<T extends number | boolean>(spec: Spec<T>): Spec<T> {
  return {
    ...spec,
    schema: { anyOf: [spec.schema, { type: 'string', pattern: String.raw`^\s*(-?\d{1,10}|true|false)\s*$` }] },
    read(value, at) {
      if (typeof value !== 'string') return spec.read(value, at);
      const text = value.trim();
      if (/^-?\d{1,10}$/.test(text)) return spec.read(Number(text), at);
      // With all its digits: one that is too large is told as it was written.
      if (isJsonNumber(text)) return spec.read(rawNumber(text), at);
      return spec.read(text === 'true' ? true : text === 'false' ? false : value, at);
    },
  };
}

const acks: Spec<-1 | 0 | 1> = {
  schema: { anyOf: [{ enum: ['all', -1, 0, 1, '-1', '0', '1'] }, reference] },
  read(value, at) {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    if (text === 'all' || text === '-1') return -1;
    if (text === '0') return 0;
    if (text === '1') return 1;
    return at.problem(
      `must be all, 1 or 0, and is ${describe(value, at)}.`,
      'Write all, which is also what it is when left out.',
    );
  },
};

/** Kafka's own defaults of these are the same; -1 leaves it to the system there. */
const socketBuffer: Spec<number> = asText(integer({ min: -1, max: INT32, unit: 'bytes' }));

const NO_TRANSACTIONS =
  'Messages are sent idempotently without transactions, which belong to `delivery: exactly_once`; leave it out.';

const fields = {
  acks: optional(
    acks,
    'Who must have a message before it counts as written: `all` in-sync replicas, the leader (1), or nobody (0).',
    null,
  ),
  idempotence: optional(
    asText(flag()),
    'Whether brokers drop what a retry sends twice. On unless acks is 0 or 1.',
    null,
  ),
  compression: optional(choice(compressions), 'How batches are compressed.', 'none'),
  compression_level: optional(
    asText(integer({ min: -131_072, max: 22 })),
    'How hard gzip (1 to 9) or zstd (-131072 to 22) tries; the codec chooses when left out.',
    null,
  ),
  linger_ms: optional(milliseconds(0), 'How long a batch waits for more messages while its lane is free.', 0),
  batch_bytes: optional(
    bytes(5000),
    'Most bytes in one batch, before compression. 1000000, or `max_request_size` if that is less, when left out.',
    null,
  ),
  batch_messages: optional(asText(integer({ min: 1, max: 1_000_000 })), 'Most messages in one batch.', 1002),
  max_in_flight: optional(
    asText(integer({ min: 1, max: 1000 })),
    'Most requests under way to one broker; with `ordering: none` also most batches of one partition. At most 5 with idempotence.',
    5,
  ),
  buffer_memory: optional(
    bytes(100_000),
    'Bytes of messages that may wait or be under way; beyond, sources wait.',
    33_554_432,
  ),
  max_request_size: optional(
    bytes(5000),
    'Most bytes in one request to a broker. A message that does not fit, counted before compression, is rejected.',
    1_048_576,
  ),
  request_timeout_ms: optional(milliseconds(100), 'How long one request waits for its answer.', 5000),
  delivery_timeout_ms: optional(
    milliseconds(100),
    'How long a message is tried before its run fails or its sync is parked; no message is rejected for it.',
    120_000,
  ),
  retries: optional(
    asText(integer({ min: 0, max: INT32 })),
    'How often a batch is sent again before its run fails or its sync is parked; no message is rejected for it.',
    INT32,
  ),
  retry_backoff_ms: optional(milliseconds(1), 'The wait before a batch is sent again; doubled each time.', 50),
  retry_backoff_max_ms: optional(
    milliseconds(1),
    'The longest such wait. 1000, or retry_backoff_ms if that is more, when left out.',
    null,
  ),
  max_block_ms: optional(
    milliseconds(0),
    'How long messages wait for the partitions of their topic to be known before their run fails or their sync is parked.',
    60_000,
  ),
  socket_connection_setup_timeout_ms: optional(
    milliseconds(100),
    'How long setting up a connection may take; doubled after each failure in a row.',
    5000,
  ),
  socket_connection_setup_timeout_max_ms: optional(
    milliseconds(100),
    'The longest that setting up a connection may take. 10000, or the shorter one if that is more, when left out.',
    null,
  ),
  client_dns_lookup: optional(
    choice(lookups),
    'Which addresses of a name are tried: all, the first (`default`), or the canonical names of the bootstrap addresses, which then count for TLS and SASL.',
    'use_all_dns_ips',
  ),
  metadata_max_age_ms: optional(
    milliseconds(100),
    'How soon partitions that were added to a topic are noticed.',
    30_000,
  ),
  send_buffer_bytes: optional(socketBuffer, 'Accepted, no effect: the system sizes the buffers of sockets.', null),
  receive_buffer_bytes: optional(socketBuffer, 'Accepted, no effect: the system sizes the buffers of sockets.', null),
  transactional_id: notYet(NO_TRANSACTIONS),
  transaction_timeout_ms: notYet(NO_TRANSACTIONS),
};

export const producer: Spec<ProducerSettings> = object(fields, {
  description: 'How messages are sent.',
  refine(values, at) {
    const settings: ProducerSettings = {
      acks: values.acks ?? -1,
      // As Kafka's own client: weaker acks switch idempotence off unless it is asked for, which then is a contradiction.
      idempotence: values.idempotence ?? (values.acks ?? -1) === -1,
      compression: values.compression,
      compressionLevel: values.compression_level,
      lingerMs: values.linger_ms,
      batchBytes: values.batch_bytes ?? Math.min(1_000_000, values.max_request_size),
      batchMessages: values.batch_messages,
      maxInFlight: values.max_in_flight,
      bufferMemoryBytes: values.buffer_memory,
      maxRequestBytes: values.max_request_size,
      requestTimeoutMs: values.request_timeout_ms,
      deliveryTimeoutMs: values.delivery_timeout_ms,
      retries: values.retries,
      retryBackoffMs: values.retry_backoff_ms,
      retryBackoffMaxMs: values.retry_backoff_max_ms ?? Math.max(1000, values.retry_backoff_ms),
      maxBlockMs: values.max_block_ms,
      connectTimeoutMs: values.socket_connection_setup_timeout_ms,
      connectTimeoutMaxMs:
        values.socket_connection_setup_timeout_max_ms ?? Math.max(10_000, values.socket_connection_setup_timeout_ms),
      clientDnsLookup: values.client_dns_lookup,
      metadataMaxAgeMs: values.metadata_max_age_ms,
    };
    tellWithoutEffect(values, at);
    return checkTogether(settings, at) ? settings : undefined;
  },
});

/** Promise 10: a setting that changes nothing says so. */
function tellWithoutEffect(values: Record<'send_buffer_bytes' | 'receive_buffer_bytes', number | null>, at: At): void {
  for (const name of ['send_buffer_bytes', 'receive_buffer_bytes'] as const) {
    if (values[name] === null) continue;
    at.child(name).warning(
      'has no effect: Node.js gives no way to size the buffers of a socket, and the system sizes them by itself.',
      'Leave it out, or set the limits of the system (on Linux net.ipv4.tcp_wmem and tcp_rmem).',
    );
  }
}

function checkTogether(settings: ProducerSettings, at: At): boolean {
  const before = at.problemCount;
  if (settings.idempotence && settings.acks !== -1) {
    at.child('idempotence').problem(
      'needs acks: all, and acks is weaker.',
      'Take acks out, or write idempotence: false.',
    );
  }
  if (settings.idempotence && settings.maxInFlight > 5) {
    at.child('max_in_flight').problem(
      `is ${settings.maxInFlight}, and with idempotence brokers remember 5 batches of a producer.`,
      'Write at most 5, or idempotence: false.',
    );
  }
  checkLevel(settings, at);
  if (settings.retryBackoffMaxMs < settings.retryBackoffMs) {
    at.child('retry_backoff_max_ms').problem(
      `is ${settings.retryBackoffMaxMs}, less than retry_backoff_ms (${settings.retryBackoffMs}).`,
      'Raise it, or leave it out.',
    );
  }
  if (settings.connectTimeoutMaxMs < settings.connectTimeoutMs) {
    at.child('socket_connection_setup_timeout_max_ms').problem(
      `is ${settings.connectTimeoutMaxMs}, less than socket_connection_setup_timeout_ms (${settings.connectTimeoutMs}).`,
      'Raise it, or leave it out.',
    );
  }
  if (settings.maxRequestBytes > BROKER_REQUEST_BYTES) {
    at.child('max_request_size').warning(
      `is ${settings.maxRequestBytes}, and brokers close a connection that sends more than ${BROKER_REQUEST_BYTES} bytes at once unless their socket.request.max.bytes is raised.`,
      'Lower it, or raise socket.request.max.bytes on the brokers.',
    );
  }
  if (settings.batchBytes > settings.maxRequestBytes) {
    at.child('batch_bytes').problem(
      `is ${settings.batchBytes}, more than fits into one request (max_request_size is ${settings.maxRequestBytes}).`,
      'Raise max_request_size, and the limit of the topics if need be, or lower batch_bytes.',
    );
  }
  if (settings.batchBytes > settings.bufferMemoryBytes) {
    at.child('buffer_memory').problem(
      `is ${settings.bufferMemoryBytes}, less than one batch (batch_bytes is ${settings.batchBytes}).`,
      'Raise buffer_memory or lower batch_bytes.',
    );
  }
  const shortest = settings.lingerMs + settings.requestTimeoutMs;
  if (settings.deliveryTimeoutMs < shortest) {
    at.child('delivery_timeout_ms').problem(
      `is ${settings.deliveryTimeoutMs}, less than linger_ms and request_timeout_ms together (${shortest}).`,
      'Raise delivery_timeout_ms or lower the others.',
    );
  }
  if (settings.acks === 0) at.child('acks').warning('is 0: no broker says whether it has a message.', 'Write all.');
  if (settings.acks === 1) {
    at.child('acks').warning(
      'is 1: a message is lost when the leader of its partition dies before it is copied.',
      'Write all.',
    );
  }
  return at.problemCount === before;
}

/** The brokers' default of socket.request.max.bytes. */
const BROKER_REQUEST_BYTES = 104_857_600;

function checkLevel({ compression, compressionLevel: level }: ProducerSettings, at: At): void {
  if (level === null) return;
  const place = at.child('compression_level');
  if (compression === 'zstd') return;
  if (compression !== 'gzip') {
    place.problem(`is for gzip and zstd; ${compression} has no level here.`, 'Take it out, or choose gzip or zstd.');
  } else if (level < 1 || level > 9) {
    place.problem(`is ${level}, and gzip has levels from 1 to 9.`, 'Choose 1 (fast) to 9 (small).');
  }
}
