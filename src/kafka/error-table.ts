/**
 * Every error code of Kafka's protocol, and what an answer with it means for what we ask: produce, metadata, producer ids,
 * versions, login. Data to be read; `classify.ts` acts on it, and the reference of errors is made of it.
 */
import type { ErrorCode } from '../model/index.ts';

/**
 * retry: the outcome may be unknown or the cause passes by itself; the same batch goes again.
 * park: the topic cannot be written now, though nothing is wrong with the messages.
 * reject: the batch holds a message that will never be taken.
 * stop: the destination refuses us altogether; asked again every ten to fifteen seconds.
 */
export type Action = 'retry' | 'park' | 'reject' | 'stop';

export interface ErrorRow {
  readonly action: Action;
  readonly code: ErrorCode;
  /** What happened, as the rest of a sentence. */
  readonly reason: string;
  readonly remedy: string;
  /** The metadata we acted on may be old: ask again first. */
  readonly stale?: true;
  /** The broker no longer knows our producer: take a new identity, then send the same batch under it. */
  readonly identityLost?: true;
}

const WAIT = 'Nothing to do: it is tried again until the cluster is well.';
const BACK = 'Bring the missing brokers back.';
const GRANT = 'Grant the principal the ACL operation Write (and Describe) on the topic.';
const REPORT = 'Look into the log of the broker, and report it: the answer does not belong to what was asked.';
const DISK = 'Look into the log and the disk of the broker.';
const SETTINGS = 'Create the topic beforehand, or correct the settings it is to be made with.';

const away = (reason: string, remedy = WAIT): ErrorRow => ({
  action: 'retry',
  code: 'kafka_unavailable',
  reason,
  remedy,
});
const moved = (reason: string, remedy = WAIT): ErrorRow => ({ ...away(reason, remedy), stale: true });
const forgotten = (reason = 'the broker lost the state of this producer'): ErrorRow => ({
  ...away(reason),
  identityLost: true,
});
const parked = (code: ErrorCode, reason: string, remedy: string): ErrorRow => ({
  action: 'park',
  code,
  reason,
  remedy,
  stale: true,
});
const rejected = (code: ErrorCode, reason: string, remedy: string): ErrorRow => ({
  action: 'reject',
  code,
  reason,
  remedy,
});
const stopped = (code: ErrorCode, reason: string, remedy: string): ErrorRow => ({
  action: 'stop',
  code,
  reason,
  remedy,
});
/** An answer to a question that is never asked: tried again where Kafka says that it passes, else a stop. */
const strange = (about: string): ErrorRow =>
  stopped('kafka_unexpected', `the broker gave an answer that belongs to ${about}`, REPORT);
const strangeForNow = (about: string): ErrorRow =>
  moved(`the broker gave an answer that belongs to ${about}`, 'Nothing to do if it passes; else report it.');

/** What answers to our own requests carry. */
const expected: Readonly<Record<string, readonly [number, ErrorRow]>> = {
  UNKNOWN_SERVER_ERROR: [-1, away('the broker met an unexpected error', 'Look into the log of the broker.')],
  CORRUPT_MESSAGE: [
    2,
    away(
      'the batch arrived damaged, or (before Kafka 2.4) has a message without a key for a compacted topic',
      'If it lasts: give each message a key, or look for what changes the bytes on their way.',
    ),
  ],
  UNKNOWN_TOPIC_OR_PARTITION: [
    3,
    parked(
      'topic_missing',
      'the topic does not exist, or may not be seen',
      'Create the topic, correct its name, or set `topics: {create: broker}` where the cluster creates topics itself.',
    ),
  ],
  LEADER_NOT_AVAILABLE: [5, moved('the partition has no leader at the moment')],
  NOT_LEADER_OR_FOLLOWER: [6, moved('the leader of the partition has moved')],
  REQUEST_TIMED_OUT: [7, away('the replicas did not confirm in time')],
  BROKER_NOT_AVAILABLE: [8, moved('a broker is not available')],
  REPLICA_NOT_AVAILABLE: [9, moved('a replica is not available')],
  MESSAGE_TOO_LARGE: [
    10,
    rejected(
      'too_large',
      'the message is larger than the topic allows',
      'Raise max.message.bytes of the topic, or send less of the record.',
    ),
  ],
  NETWORK_EXCEPTION: [13, moved('the broker lost a connection')],
  COORDINATOR_LOAD_IN_PROGRESS: [14, away('a coordinator is starting')],
  COORDINATOR_NOT_AVAILABLE: [15, away('no coordinator is available')],
  NOT_COORDINATOR: [16, moved('the coordinator has moved')],
  INVALID_TOPIC_EXCEPTION: [
    17,
    parked(
      'topic_invalid',
      'the broker refuses the name of the topic',
      'Use letters, digits, `.`, `_` and `-`, at most 249 of them, and no internal topic.',
    ),
  ],
  RECORD_LIST_TOO_LARGE: [
    18,
    rejected(
      'too_large',
      'the message is larger than a segment of the topic',
      'Raise segment.bytes of the topic, or send less of the record.',
    ),
  ],
  NOT_ENOUGH_REPLICAS: [19, away('fewer replicas are in sync than min.insync.replicas asks for', BACK)],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, away('fewer replicas are in sync than min.insync.replicas asks for', BACK)],
  INVALID_REQUIRED_ACKS: [
    21,
    stopped('config_invalid', 'the broker does not take this value of acks', 'Set `acks: all`.'),
  ],
  TOPIC_AUTHORIZATION_FAILED: [29, parked('topic_not_authorized', 'the credentials may not write to the topic', GRANT)],
  CLUSTER_AUTHORIZATION_FAILED: [
    31,
    stopped(
      'cluster_not_authorized',
      'the credentials may not use an idempotent producer',
      'Grant the principal IdempotentWrite on the cluster (needed before Kafka 2.8), or set `idempotence: false`.',
    ),
  ],
  INVALID_TIMESTAMP: [
    32,
    rejected(
      'timestamp_invalid',
      'the timestamp is beyond what the topic takes',
      'Map another `timestamp`, or change message.timestamp.before.max.ms / after.max.ms of the topic.',
    ),
  ],
  UNSUPPORTED_SASL_MECHANISM: [
    33,
    stopped(
      'authentication_failed',
      'the brokers do not offer the mechanism',
      'Choose a mechanism that the listener offers.',
    ),
  ],
  ILLEGAL_SASL_STATE: [
    34,
    stopped('authentication_failed', 'the brokers expect authentication', 'Set `sasl` on the destination.'),
  ],
  UNSUPPORTED_VERSION: [
    35,
    stopped('kafka_unsupported', 'the broker is too old for a request we need', 'Use Apache Kafka 1.0 or newer.'),
  ],
  TOPIC_ALREADY_EXISTS: [36, moved('the topic was made by somebody else meanwhile')],
  INVALID_PARTITIONS: [37, parked('topic_not_created', 'the cluster does not take the number of partitions', SETTINGS)],
  INVALID_REPLICATION_FACTOR: [
    38,
    parked('topic_not_created', 'the topic cannot be made: there are fewer brokers than replicas asked for', SETTINGS),
  ],
  INVALID_REPLICA_ASSIGNMENT: [39, parked('topic_not_created', 'the cluster does not take the assignment', SETTINGS)],
  INVALID_CONFIG: [40, parked('topic_not_created', 'the cluster does not take the settings of the topic', SETTINGS)],
  NOT_CONTROLLER: [41, moved('the controller has moved')],
  INVALID_REQUEST: [42, stopped('kafka_unexpected', 'the broker takes the request for malformed', REPORT)],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [
    43,
    stopped(
      'kafka_unsupported',
      'the topic is kept in an old message format',
      'Set message.format.version of the topic to 0.11 or newer.',
    ),
  ],
  POLICY_VIOLATION: [
    44,
    parked(
      'topic_not_authorized',
      'a policy of the cluster forbids it',
      'Ask the operators of the cluster which policy it is.',
    ),
  ],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, forgotten()],
  DUPLICATE_SEQUENCE_NUMBER: [46, away('an earlier attempt of the same batch was written: it counts as delivered')],
  INVALID_PRODUCER_EPOCH: [47, forgotten()],
  INVALID_PRODUCER_ID_MAPPING: [49, forgotten()],
  CONCURRENT_TRANSACTIONS: [51, away('another transaction of the same id is under way')],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [
    53,
    stopped(
      'cluster_not_authorized',
      'the credentials may not use the transactional id',
      'Grant the principal Write on the transactional id.',
    ),
  ],
  OPERATION_NOT_ATTEMPTED: [55, away('the broker did not come to it, for another part of the request failed')],
  KAFKA_STORAGE_ERROR: [56, moved('the broker cannot write to its disk', DISK)],
  LOG_DIR_NOT_FOUND: [57, moved('the broker does not find its own folder', DISK)],
  SASL_AUTHENTICATION_FAILED: [
    58,
    stopped('authentication_failed', 'the brokers refused the credentials', 'Check mechanism, user name and password.'),
  ],
  UNKNOWN_PRODUCER_ID: [59, forgotten()],
  REASSIGNMENT_IN_PROGRESS: [60, moved('the partition is being moved between brokers')],
  LISTENER_NOT_FOUND: [
    72,
    moved(
      'the leader of the partition has no listener of the name that was asked by',
      'Give every broker a listener of the same name, with its advertised address.',
    ),
  ],
  FENCED_LEADER_EPOCH: [74, moved('the leader of the partition has moved')],
  UNKNOWN_LEADER_EPOCH: [75, moved('the leader of the partition has moved')],
  UNSUPPORTED_COMPRESSION_TYPE: [
    76,
    stopped(
      'kafka_unsupported',
      'the broker does not know the compression',
      'zstd needs Kafka 2.1; choose gzip, snappy or lz4.',
    ),
  ],
  STALE_BROKER_EPOCH: [77, moved('a broker was started anew')],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, moved('the preferred leader is not available')],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, moved('no replica that may lead the partition is available', BACK)],
  INVALID_RECORD: [
    87,
    rejected(
      'record_refused',
      'the broker refused the record (a compacted topic takes no message without a key)',
      'Give the message a key, or use a topic that is not compacted.',
    ),
  ],
  THROTTLING_QUOTA_EXCEEDED: [89, away('a quota of the cluster is used up', 'Raise the quota or send less.')],
  PRODUCER_FENCED: [90, forgotten('the broker took another producer for ours')],
  UNKNOWN_TOPIC_ID: [100, moved('the topic was deleted and made anew')],
  INCONSISTENT_TOPIC_ID: [103, moved('the topic was deleted and made anew')],
  NEW_LEADER_ELECTED: [108, moved('the leader of the partition has moved')],
  REBOOTSTRAP_REQUIRED: [129, moved('the brokers that are known belong to the cluster no longer')],
};

/** Answers to requests that Headrace never makes, with whom they belong to. `passing` ones are retriable by Kafka's own word. */
const elsewhere: readonly { about: string; passing: boolean; codes: Readonly<Record<string, number>> }[] = [
  {
    about: 'reading',
    passing: false,
    codes: { OFFSET_OUT_OF_RANGE: 1, INVALID_FETCH_SIZE: 4, OFFSET_MOVED_TO_TIERED_STORAGE: 109 },
  },
  {
    about: 'reading',
    passing: true,
    codes: {
      FETCH_SESSION_ID_NOT_FOUND: 70,
      INVALID_FETCH_SESSION_EPOCH: 71,
      OFFSET_NOT_AVAILABLE: 78,
      FETCH_SESSION_TOPIC_ID_ERROR: 106,
    },
  },
  {
    about: 'consumer groups',
    passing: false,
    codes: {
      OFFSET_METADATA_TOO_LARGE: 12,
      ILLEGAL_GENERATION: 22,
      INCONSISTENT_GROUP_PROTOCOL: 23,
      INVALID_GROUP_ID: 24,
      UNKNOWN_MEMBER_ID: 25,
      INVALID_SESSION_TIMEOUT: 26,
      REBALANCE_IN_PROGRESS: 27,
      INVALID_COMMIT_OFFSET_SIZE: 28,
      GROUP_AUTHORIZATION_FAILED: 30,
      NON_EMPTY_GROUP: 68,
      GROUP_ID_NOT_FOUND: 69,
      MEMBER_ID_REQUIRED: 79,
      GROUP_MAX_SIZE_REACHED: 81,
      FENCED_INSTANCE_ID: 82,
      GROUP_SUBSCRIBED_TO_TOPIC: 86,
      FENCED_MEMBER_EPOCH: 110,
      UNRELEASED_INSTANCE_ID: 111,
      UNSUPPORTED_ASSIGNOR: 112,
      STALE_MEMBER_EPOCH: 113,
      INVALID_REGULAR_EXPRESSION: 128,
      STREAMS_INVALID_TOPOLOGY: 130,
      STREAMS_INVALID_TOPOLOGY_EPOCH: 131,
      STREAMS_TOPOLOGY_FENCED: 132,
    },
  },
  { about: 'consumer groups', passing: true, codes: { UNSTABLE_OFFSET_COMMIT: 88 } },
  {
    about: 'share groups',
    passing: false,
    codes: { INVALID_RECORD_STATE: 121, FENCED_STATE_EPOCH: 124 },
  },
  {
    about: 'share groups',
    passing: true,
    codes: { SHARE_SESSION_NOT_FOUND: 122, INVALID_SHARE_SESSION_EPOCH: 123, SHARE_SESSION_LIMIT_REACHED: 133 },
  },
  {
    about: 'transactions',
    passing: false,
    codes: {
      INVALID_TXN_STATE: 48,
      INVALID_TRANSACTION_TIMEOUT: 50,
      TRANSACTION_COORDINATOR_FENCED: 52,
      TRANSACTIONAL_ID_NOT_FOUND: 105,
      TRANSACTION_ABORTABLE: 120,
    },
  },
  {
    about: 'delegation tokens and stored credentials',
    passing: false,
    codes: {
      SECURITY_DISABLED: 54,
      DELEGATION_TOKEN_AUTH_DISABLED: 61,
      DELEGATION_TOKEN_NOT_FOUND: 62,
      DELEGATION_TOKEN_OWNER_MISMATCH: 63,
      DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: 64,
      DELEGATION_TOKEN_AUTHORIZATION_FAILED: 65,
      DELEGATION_TOKEN_EXPIRED: 66,
      INVALID_PRINCIPAL_TYPE: 67,
      RESOURCE_NOT_FOUND: 91,
      DUPLICATE_RESOURCE: 92,
      UNACCEPTABLE_CREDENTIAL: 93,
    },
  },
  {
    about: 'the administration of the cluster',
    passing: false,
    codes: {
      TOPIC_DELETION_DISABLED: 73,
      NO_REASSIGNMENT_IN_PROGRESS: 85,
      FEATURE_UPDATE_FAILED: 96,
      MISMATCHED_ENDPOINT_TYPE: 114,
      UNSUPPORTED_ENDPOINT_TYPE: 115,
      UNKNOWN_CONTROLLER_ID: 116,
      UNKNOWN_SUBSCRIPTION_ID: 117,
      TELEMETRY_TOO_LARGE: 118,
    },
  },
  { about: 'the administration of the cluster', passing: true, codes: { ELECTION_NOT_NEEDED: 84 } },
  {
    about: 'what brokers and controllers say to one another',
    passing: false,
    codes: {
      STALE_CONTROLLER_EPOCH: 11,
      INCONSISTENT_VOTER_SET: 94,
      INVALID_UPDATE_VERSION: 95,
      PRINCIPAL_DESERIALIZATION_FAILURE: 97,
      SNAPSHOT_NOT_FOUND: 98,
      POSITION_OUT_OF_RANGE: 99,
      DUPLICATE_BROKER_REGISTRATION: 101,
      BROKER_ID_NOT_REGISTERED: 102,
      INCONSISTENT_CLUSTER_ID: 104,
      INELIGIBLE_REPLICA: 107,
      INVALID_REGISTRATION: 119,
      INVALID_VOTER_KEY: 125,
      DUPLICATE_VOTER: 126,
      VOTER_NOT_FOUND: 127,
    },
  },
];

/** All of them by their number, each with Kafka's own name. */
export const kafkaErrors: ReadonlyMap<number, ErrorRow & { readonly name: string }> = new Map(
  [
    ...Object.entries(expected).map(([name, [number, row]]) => [number, { ...row, name }] as const),
    ...elsewhere.flatMap(({ about, passing, codes }) =>
      Object.entries(codes).map(
        ([name, number]) => [number, { ...(passing ? strangeForNow(about) : strange(about)), name }] as const,
      ),
    ),
  ].sort(([a], [b]) => a - b),
);

/** A number that is in no table: a broker newer than this page. */
export const unknownError: ErrorRow = stopped(
  'kafka_unexpected',
  'the broker gave an error that is not known here',
  'Look it up in the documentation of the broker; update Headrace.',
);
