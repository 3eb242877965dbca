/** The one registry of error codes: what each means, who must act, and whether trying again can help. */

export interface ErrorFacts {
  readonly meaning: string;
  /** user: change configuration or data; operator: mend a system; nobody: it passes by itself. */
  readonly actor: 'user' | 'operator' | 'nobody';
  readonly retry: boolean;
  /** What to do about records that were rejected with it, and then. */
  readonly remedy?: string;
}

const registry = {
  // configuration
  config_invalid: {
    meaning: 'The configuration has an error; path, reason and remedy are given.',
    actor: 'user',
    retry: false,
  },
  config_unresolved: {
    meaning: 'A reference such as ${NAME} or ${file:...} does not resolve.',
    actor: 'user',
    retry: false,
  },
  not_yet: { meaning: 'The feature is planned but does not exist yet.', actor: 'user', retry: false },
  not_found: { meaning: 'No object of that name exists.', actor: 'user', retry: false },
  unauthorized: { meaning: 'The token of the API is missing or wrong.', actor: 'user', retry: false },
  conflict: { meaning: 'Something else is doing this already.', actor: 'user', retry: true },
  // state
  state_failed: {
    meaning: 'The own state (SQLite file or PostgreSQL) could not be read or written.',
    actor: 'operator',
    retry: true,
  },
  // mapping
  topic_invalid: {
    meaning: 'The mapping gave a topic name that Kafka does not allow.',
    actor: 'user',
    retry: false,
    remedy: 'Correct `message.topic`, then run the sync again (a row), or send the event again.',
  },
  mapping_failed: {
    meaning: 'A field of the message could not be made from the record.',
    actor: 'user',
    retry: false,
    remedy: 'Correct the mapping of the field, then redrive: the records are mapped anew.',
  },
  partition_invalid: {
    meaning: 'The chosen partition is no partition number, or the topic does not have it.',
    actor: 'user',
    retry: false,
    remedy: 'Add partitions to the topic and redrive; or correct `message.partition`.',
  },
  timestamp_invalid: {
    meaning: 'The timestamp could not be read, is negative, or is beyond what the topic takes.',
    actor: 'user',
    retry: false,
    remedy:
      'Correct `message.timestamp`, or raise message.timestamp.before.max.ms / after.max.ms of the topic; then redrive.',
  },
  // sources
  row_invalid: {
    meaning: 'A row or line could not be read, or a value does not fit the type of its column.',
    actor: 'user',
    retry: false,
    remedy: 'Mend the row in its source, then run the sync again.',
  },
  source_failed: { meaning: 'The source could not be read.', actor: 'operator', retry: true },
  json_invalid: { meaning: 'The body of a request cannot be read as JSON.', actor: 'user', retry: false },
  batch_invalid: { meaning: 'The body of a batch call is no batch.', actor: 'user', retry: false },
  no_user_anon_id: {
    meaning: 'An event names nobody: it has neither a userId nor an anonymousId.',
    actor: 'user',
    retry: false,
  },
  source_disabled: { meaning: 'The source is switched off.', actor: 'operator', retry: true },
  draining: { meaning: 'Headrace is shutting down.', actor: 'nobody', retry: true },
  event_invalid: { meaning: 'An event lacks a field it must have, or has a wrong one.', actor: 'user', retry: false },
  event_too_large: { meaning: 'An event or a batch is over the size limit.', actor: 'user', retry: false },
  write_key_unknown: { meaning: 'The write key is not known.', actor: 'user', retry: false },
  overloaded: { meaning: 'It cannot be taken now; try again after the time given.', actor: 'nobody', retry: true },
  // Kafka
  too_large: {
    meaning: 'The message is larger than the topic or the cluster allows.',
    actor: 'user',
    retry: false,
    remedy:
      'Raise max.message.bytes of the topic and redrive; or send less of the record (`oversized: {truncate: …}`).',
  },
  record_refused: {
    meaning: 'The broker refused this one record.',
    actor: 'user',
    retry: false,
    remedy: 'Give the message a key, or use a topic that is not compacted; then redrive.',
  },
  topic_missing: {
    meaning: 'The topic does not exist, or may not be seen.',
    actor: 'user',
    retry: true,
    remedy: 'Create the topic, then redrive.',
  },
  topic_not_created: {
    meaning: 'The topic is missing, and the cluster does not make it as it is asked to.',
    actor: 'user',
    retry: true,
  },
  too_many_topics: {
    meaning: 'More topics were computed from records than the destination allows (`topics.max_computed`).',
    actor: 'user',
    retry: false,
  },
  topic_not_authorized: { meaning: 'The credentials may not write to the topic.', actor: 'operator', retry: true },
  cluster_not_authorized: {
    meaning: 'The credentials may not do this on the cluster.',
    actor: 'operator',
    retry: true,
  },
  authentication_failed: { meaning: 'The brokers refused the credentials.', actor: 'operator', retry: true },
  token_unavailable: {
    meaning: 'The token for the login cannot be had at the moment.',
    actor: 'operator',
    retry: true,
  },
  tls_failed: {
    meaning: 'The encrypted connection to a broker could not be made, or was refused.',
    actor: 'operator',
    retry: true,
  },
  kafka_unreachable: { meaning: 'No broker can be reached.', actor: 'operator', retry: true },
  kafka_unavailable: { meaning: 'The cluster cannot take the message at the moment.', actor: 'nobody', retry: true },
  kafka_unsupported: { meaning: 'The brokers are too old for what is asked.', actor: 'operator', retry: false },
  kafka_unexpected: {
    meaning: 'A broker gave an answer that does not belong to what was asked.',
    actor: 'operator',
    retry: true,
  },
  too_many_rejected: {
    meaning: 'More records were rejected than the `max_rejected` of the sync lets pass.',
    actor: 'user',
    retry: true,
  },
  delivery_timeout: { meaning: 'No answer from Kafka within the delivery timeout.', actor: 'operator', retry: true },
  internal: { meaning: 'A fault of Headrace itself.', actor: 'operator', retry: true },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof registry;
export const errorCodes: Readonly<Record<ErrorCode, ErrorFacts>> = registry;

/**
 * An error that a person reads: which field, what is wrong, what to do. Never holds a secret's value.
 * `exitCode` and HTTP status are chosen at the edge, from `code`.
 */
export class HeadraceError extends Error {
  readonly code: ErrorCode;
  /** Path of the field, e.g. `syncs.orders.message.topic`. */
  readonly path: string | undefined;
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, options: { path?: string; remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HeadraceError';
    this.code = code;
    this.path = options.path;
    this.remedy = options.remedy;
  }
}
