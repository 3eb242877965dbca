/** Producer settings: Kafka's own names with their unit, and what contradicts what. */
import type { Compression, ProducerSettings } from '../model/index.ts';
import type { At } from './report.ts';
import { notYet, optional, type Spec } from './spec.ts';
import { object } from './spec-composites.ts';
import { choice, flag, integer } from './spec-scalars.ts';
import { describe } from './values.ts';

const INT32 = 2_147_483_647;
const DAY_MS = 86_400_000;
const milliseconds = (min: number, max = DAY_MS): Spec<number> => integer({ min, max, unit: 'milliseconds' });
const bytes = (min: number): Spec<number> => integer({ min, max: INT32, unit: 'bytes' });
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const acks: Spec<-1 | 0 | 1> = {
  schema: { enum: ['all', -1, 0, 1, '-1', '0', '1'] },
  read(value, at) {
    const text = String(value);
    if (text === 'all' || text === '-1') return -1;
    if (text === '0') return 0;
    if (text === '1') return 1;
    return at.problem(
      `must be all, 1 or 0, and is ${describe(value, at)}.`,
      'Write all, which is also what it is when left out.',
    );
  },
};

const fields = {
  acks: optional(
    acks,
    'Who must have a message before it counts as written: `all` in-sync replicas, the leader (1), or nobody (0).',
    null,
  ),
  idempotence: optional(flag(), 'Whether brokers drop what a retry sends twice. On unless acks is 0 or 1.', null),
  compression: optional(choice(compressions), 'How batches are compressed.', 'none'),
  linger_ms: optional(milliseconds(0), 'How long a batch waits for more messages while its lane is free.', 0),
  batch_bytes: optional(integer({ min: 5000, max: INT32, unit: 'bytes' }), 'Most bytes in one batch.', 1_000_000),
  batch_messages: optional(integer({ min: 1, max: 1_000_000 }), 'Most messages in one batch.', 1002),
  buffer_memory: optional(
    bytes(100_000),
    'Bytes of messages that may wait or be under way; beyond, sources wait.',
    33_554_432,
  ),
  max_request_size: optional(bytes(5000), 'Most bytes in one request to a broker.', 1_048_576),
  request_timeout_ms: optional(milliseconds(100), 'How long one request waits for its answer.', 5000),
  delivery_timeout_ms: optional(
    milliseconds(100),
    'How long a message is tried before its run fails or its sync is parked.',
    120_000,
  ),
  socket_connection_setup_timeout_ms: optional(milliseconds(100), 'How long setting up a connection may take.', 5000),
  metadata_max_age_ms: optional(
    milliseconds(100),
    'How soon partitions that were added to a topic are noticed.',
    30_000,
  ),
  max_in_flight: notYet('Each partition has one batch in flight, which keeps its order; leave it out.'),
  retries: notYet('A message is tried until `delivery_timeout_ms` has passed; set that.'),
  max_block_ms: notYet('Sources wait when `buffer_memory` is full; leave it out.'),
  socket_connection_setup_timeout_max_ms: notYet('Set `socket_connection_setup_timeout_ms`.'),
  client_dns_lookup: notYet('All addresses of a name are tried; leave it out.'),
  send_buffer_bytes: notYet('The system chooses socket buffers; leave it out.'),
  receive_buffer_bytes: notYet('The system chooses socket buffers; leave it out.'),
  transactional_id: notYet('Messages are sent idempotently without transactions; leave it out.'),
  transaction_timeout_ms: notYet('Messages are sent idempotently without transactions; leave it out.'),
};

export const producer: Spec<ProducerSettings> = object(fields, {
  description: 'How messages are sent.',
  refine(values, at) {
    const settings: ProducerSettings = {
      acks: values.acks ?? -1,
      // As Kafka's own client: weaker acks switch idempotence off unless it is asked for, which then is a contradiction.
      idempotence: values.idempotence ?? (values.acks ?? -1) === -1,
      compression: values.compression,
      lingerMs: values.linger_ms,
      batchBytes: values.batch_bytes,
      batchMessages: values.batch_messages,
      bufferMemoryBytes: values.buffer_memory,
      maxRequestBytes: values.max_request_size,
      requestTimeoutMs: values.request_timeout_ms,
      deliveryTimeoutMs: values.delivery_timeout_ms,
      connectTimeoutMs: values.socket_connection_setup_timeout_ms,
      metadataMaxAgeMs: values.metadata_max_age_ms,
    };
    return checkTogether(settings, at) ? settings : undefined;
  },
});

function checkTogether(settings: ProducerSettings, at: At): boolean {
  const before = at.problemCount;
  if (settings.idempotence && settings.acks !== -1) {
    at.child('idempotence').problem(
      'needs acks: all, and acks is weaker.',
      'Take acks out, or write idempotence: false.',
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
