/**
 * Every client and broker error → retry, park, reject or stop. The only place that decides.
 *
 * retry: the outcome may be unknown or the cause passes by itself; the same batch goes again.
 * park: this topic cannot be written now, though nothing is wrong with the messages.
 * reject: this batch holds a message that will never be taken.
 * stop: the destination refuses us altogether.
 */
import { findErrorBy, protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka';
import type { ErrorCode } from '../model/index.ts';
import { UnsupportedApi } from './wire/connection.ts';

export type Action = 'retry' | 'park' | 'reject' | 'stop';

export interface Verdict {
  readonly action: Action;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly remedy: string;
  /** The metadata we acted on may be old: ask again first. */
  readonly stale: boolean;
  /** The broker no longer knows our producer: take a new identity, then send the same batch under it. */
  readonly identityLost: boolean;
}

type Row = readonly [
  action: Action,
  code: ErrorCode,
  reason: string,
  remedy: string,
  flags?: { stale?: true; identityLost?: true },
];

const WAIT = 'Nothing to do: it is tried again until the cluster is well.';
const GRANT = 'Grant the principal the ACL operation Write (and Describe) on the topic.';

/** Kafka's error codes that an answer to Produce, Metadata or InitProducerId can carry. */
const table: Readonly<Record<string, Row>> = {
  UNKNOWN_SERVER_ERROR: [
    'retry',
    'kafka_unavailable',
    'the broker met an unexpected error',
    'Look into the log of the broker.',
  ],
  CORRUPT_MESSAGE: ['retry', 'kafka_unavailable', 'the batch arrived damaged', WAIT],
  UNKNOWN_TOPIC_OR_PARTITION: [
    'park',
    'topic_missing',
    'the topic does not exist, or may not be seen',
    'Create the topic, correct its name, or set `topics: {create: broker}` where the cluster creates topics itself.',
    { stale: true },
  ],
  UNKNOWN_TOPIC_ID: ['retry', 'kafka_unavailable', 'the topic was deleted and made anew', WAIT, { stale: true }],
  INCONSISTENT_TOPIC_ID: ['retry', 'kafka_unavailable', 'the topic was deleted and made anew', WAIT, { stale: true }],
  LEADER_NOT_AVAILABLE: [
    'retry',
    'kafka_unavailable',
    'the partition has no leader at the moment',
    WAIT,
    { stale: true },
  ],
  NOT_LEADER_OR_FOLLOWER: [
    'retry',
    'kafka_unavailable',
    'the leader of the partition has moved',
    WAIT,
    { stale: true },
  ],
  FENCED_LEADER_EPOCH: ['retry', 'kafka_unavailable', 'the leader of the partition has moved', WAIT, { stale: true }],
  UNKNOWN_LEADER_EPOCH: ['retry', 'kafka_unavailable', 'the leader of the partition has moved', WAIT, { stale: true }],
  BROKER_NOT_AVAILABLE: ['retry', 'kafka_unavailable', 'a broker is not available', WAIT, { stale: true }],
  REPLICA_NOT_AVAILABLE: ['retry', 'kafka_unavailable', 'a replica is not available', WAIT, { stale: true }],
  REQUEST_TIMED_OUT: ['retry', 'kafka_unavailable', 'the replicas did not confirm in time', WAIT],
  NETWORK_EXCEPTION: ['retry', 'kafka_unavailable', 'the broker lost a connection', WAIT, { stale: true }],
  NOT_ENOUGH_REPLICAS: [
    'retry',
    'kafka_unavailable',
    'fewer replicas are in sync than min.insync.replicas asks for',
    'Bring the missing brokers back.',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [
    'retry',
    'kafka_unavailable',
    'fewer replicas are in sync than min.insync.replicas asks for',
    'Bring the missing brokers back.',
  ],
  KAFKA_STORAGE_ERROR: [
    'retry',
    'kafka_unavailable',
    'the broker cannot write to its disk',
    'Look into the log and the disk of the broker.',
    { stale: true },
  ],
  NOT_CONTROLLER: ['retry', 'kafka_unavailable', 'the controller has moved', WAIT, { stale: true }],
  COORDINATOR_LOAD_IN_PROGRESS: ['retry', 'kafka_unavailable', 'a coordinator is starting', WAIT],
  COORDINATOR_NOT_AVAILABLE: ['retry', 'kafka_unavailable', 'no coordinator is available', WAIT],
  NOT_COORDINATOR: ['retry', 'kafka_unavailable', 'the coordinator has moved', WAIT, { stale: true }],
  THROTTLING_QUOTA_EXCEEDED: [
    'retry',
    'kafka_unavailable',
    'a quota of the cluster is used up',
    'Raise the quota or send less.',
  ],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [
    'retry',
    'kafka_unavailable',
    'the broker lost the state of this producer',
    WAIT,
    { identityLost: true },
  ],
  UNKNOWN_PRODUCER_ID: [
    'retry',
    'kafka_unavailable',
    'the broker lost the state of this producer',
    WAIT,
    { identityLost: true },
  ],
  INVALID_PRODUCER_EPOCH: [
    'retry',
    'kafka_unavailable',
    'the broker lost the state of this producer',
    WAIT,
    { identityLost: true },
  ],
  INVALID_PRODUCER_ID_MAPPING: [
    'retry',
    'kafka_unavailable',
    'the broker lost the state of this producer',
    WAIT,
    { identityLost: true },
  ],
  PRODUCER_FENCED: [
    'retry',
    'kafka_unavailable',
    'the broker took another producer for ours',
    WAIT,
    { identityLost: true },
  ],
  MESSAGE_TOO_LARGE: [
    'reject',
    'too_large',
    'the message is larger than the topic allows',
    'Raise max.message.bytes of the topic, or send less of the record.',
  ],
  RECORD_LIST_TOO_LARGE: [
    'reject',
    'too_large',
    'the message is larger than a segment of the topic',
    'Raise segment.bytes of the topic, or send less of the record.',
  ],
  INVALID_TIMESTAMP: [
    'reject',
    'timestamp_invalid',
    'the timestamp is beyond what the topic takes',
    'Map another `timestamp`, or change message.timestamp.before.max.ms / after.max.ms of the topic.',
  ],
  INVALID_RECORD: [
    'reject',
    'record_refused',
    'the broker refused the record (a compacted topic takes no message without a key)',
    'Give the message a key, or use a topic that is not compacted.',
  ],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [
    'stop',
    'kafka_unsupported',
    'the topic is kept in an old message format',
    'Set message.format.version of the topic to 0.11 or newer.',
  ],
  INVALID_TOPIC_EXCEPTION: [
    'park',
    'topic_invalid',
    'the broker refuses the name of the topic',
    'Use letters, digits, `.`, `_` and `-`, at most 249 of them.',
  ],
  POLICY_VIOLATION: [
    'park',
    'topic_not_authorized',
    'a policy of the cluster forbids it',
    'Ask the operators of the cluster which policy it is.',
  ],
  TOPIC_AUTHORIZATION_FAILED: [
    'park',
    'topic_not_authorized',
    'the credentials may not write to the topic',
    GRANT,
    { stale: true },
  ],
  CLUSTER_AUTHORIZATION_FAILED: [
    'stop',
    'cluster_not_authorized',
    'the credentials may not use an idempotent producer',
    'Grant the principal IdempotentWrite on the cluster (needed before Kafka 2.8), or set `idempotence: false`.',
  ],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    'stop',
    'cluster_not_authorized',
    'the credentials may not use the transactional id',
    'Grant the principal Write on the transactional id.',
  ],
  INVALID_REQUIRED_ACKS: ['stop', 'config_invalid', 'the broker does not take this value of acks', 'Set `acks: all`.'],
  UNSUPPORTED_VERSION: [
    'stop',
    'kafka_unsupported',
    'the broker is too old for a request we need',
    'Use Apache Kafka 1.0 or newer.',
  ],
  UNSUPPORTED_COMPRESSION_TYPE: [
    'stop',
    'kafka_unsupported',
    'the broker does not know the compression',
    'zstd needs Kafka 2.1; choose gzip, snappy or lz4.',
  ],
  SASL_AUTHENTICATION_FAILED: [
    'stop',
    'authentication_failed',
    'the brokers refused the credentials',
    'Check mechanism, user name and password.',
  ],
  ILLEGAL_SASL_STATE: [
    'stop',
    'authentication_failed',
    'the brokers expect authentication',
    'Set `sasl` on the destination.',
  ],
  UNSUPPORTED_SASL_MECHANISM: [
    'stop',
    'authentication_failed',
    'the brokers do not offer the mechanism',
    'Choose a mechanism that the listener offers.',
  ],
};

/** An error code that a broker answered for a partition or a request. */
export function classifyCode(errorCode: number, detail: string | null): Verdict {
  const name = (protocolErrorsCodesById as Readonly<Record<number, string>>)[errorCode] ?? `error ${errorCode}`;
  const row = table[name];
  if (row !== undefined) return verdict(row, name, detail);
  const retriable = (protocolErrors as Readonly<Record<string, { canRetry: boolean }>>)[name]?.canRetry ?? true;
  const other: Row = retriable
    ? ['retry', 'kafka_unavailable', 'the cluster cannot do it at the moment', WAIT, { stale: true }]
    : [
        'stop',
        'internal',
        'the broker gave an answer that is not expected here',
        'Report it, with the log of the broker.',
      ];
  return verdict(other, name, detail);
}

/** Anything thrown on the way: no connection, a timeout, a refused login, an answer that makes no sense. */
export function classifyError(thrown: unknown): Verdict {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (error instanceof UnsupportedApi) {
    return verdict(
      ['stop', 'kafka_unsupported', error.message, 'Use Apache Kafka 1.0 or newer.'],
      'UNSUPPORTED_VERSION',
      null,
    );
  }
  const protocolCode = protocolCodeOf(error);
  if (protocolCode !== null) return classifyCode(protocolCode, null);
  if (findErrorBy(error, 'code', 'PLT_KFK_AUTHENTICATION') !== null || causeIs(error, 'PLT_KFK_AUTHENTICATION')) {
    return verdict(table['SASL_AUTHENTICATION_FAILED']!, 'authentication', null);
  }
  // A reset, a timeout, a refused connection: the request may or may not have been carried out.
  return verdict(
    [
      'retry',
      'kafka_unreachable',
      reasonOf(error),
      'Check that the brokers run and can be reached from here.',
      { stale: true },
    ],
    'network',
    null,
  );
}

/** A cause a person understands, out of an error and its causes. Never the request it belongs to. */
export function reasonOf(error: unknown): string {
  let deepest = error;
  for (let depth = 0; depth < 8; depth++) {
    const next = deeper(deepest);
    if (next === undefined) break;
    deepest = next;
  }
  if (!(deepest instanceof Error)) return String(deepest);
  return deepest.message === '' ? ((deepest as NodeJS.ErrnoException).code ?? deepest.name) : deepest.message;
}

function deeper(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.at(-1);
  return error instanceof Error && error.cause !== undefined ? error.cause : undefined;
}

function protocolCodeOf(error: unknown): number | null {
  const errors = error instanceof AggregateError ? error.errors : [error];
  for (const one of errors) {
    const code = (one as { apiCode?: unknown } | null)?.apiCode;
    if (typeof code === 'number') return code;
  }
  return null;
}

function causeIs(error: unknown, code: string): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    if ((current as NodeJS.ErrnoException).code === code) return true;
    current = current.cause;
  }
  return false;
}

function verdict([action, code, reason, remedy, flags]: Row, name: string, detail: string | null): Verdict {
  const text = detail === null || detail === '' ? `${reason} (${name})` : `${reason} (${name}: ${detail})`;
  return {
    action,
    code,
    reason: text,
    remedy,
    stale: flags?.stale === true,
    identityLost: flags?.identityLost === true,
  };
}
