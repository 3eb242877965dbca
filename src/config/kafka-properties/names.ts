/** The names of Kafka's clients, Java's and librdkafka's, and the fields of a destination that they are. */
import type { JsonValue } from '../../model/index.ts';

export interface FieldName {
  /** Path of the field in the destination. */
  readonly field: readonly string[];
  readonly read?: (text: string) => JsonValue;
}

const as = (...field: string[]): FieldName => ({ field, read: plainValue });
const asText = (...field: string[]): FieldName => ({ field });

/** Names that mean one field, whatever else is there. */
export const fieldNames: Readonly<Record<string, FieldName>> = {
  'client.id': asText('client_id'),
  'security.protocol': asText('protocol'),
  'sasl.mechanism': asText('sasl', 'mechanism'),
  'sasl.mechanisms': asText('sasl', 'mechanism'),
  'sasl.username': asText('sasl', 'username'),
  'sasl.password': asText('sasl', 'password'),
  'sasl.oauthbearer.token.endpoint.url': asText('sasl', 'oidc', 'token_url'),
  'sasl.oauthbearer.client.id': asText('sasl', 'oidc', 'client_id'),
  'sasl.oauthbearer.client.secret': asText('sasl', 'oidc', 'client_secret'),
  'sasl.oauthbearer.client.credentials.client.id': asText('sasl', 'oidc', 'client_id'),
  'sasl.oauthbearer.client.credentials.client.secret': asText('sasl', 'oidc', 'client_secret'),
  'sasl.oauthbearer.scope': asText('sasl', 'oidc', 'scope'),
  'https.ca.pem': asText('sasl', 'oidc', 'ca'),
  'ssl.truststore.certificates': asText('tls', 'ca'),
  'ssl.ca.pem': asText('tls', 'ca'),
  'ssl.keystore.certificate.chain': asText('tls', 'cert'),
  'ssl.certificate.pem': asText('tls', 'cert'),
  'ssl.keystore.key': asText('tls', 'key'),
  'ssl.key.pem': asText('tls', 'key'),
  acks: as('producer', 'acks'),
  'request.required.acks': as('producer', 'acks'),
  'enable.idempotence': as('producer', 'idempotence'),
  'transactional.id': asText('producer', 'transactional_id'),
  'transaction.timeout.ms': as('producer', 'transaction_timeout_ms'),
  'compression.type': asText('producer', 'compression'),
  'compression.codec': asText('producer', 'compression'),
  'compression.level': as('producer', 'compression_level'),
  'compression.gzip.level': as('producer', 'compression_level'),
  'compression.zstd.level': as('producer', 'compression_level'),
  'linger.ms': as('producer', 'linger_ms'),
  'queue.buffering.max.ms': as('producer', 'linger_ms'),
  'batch.size': as('producer', 'batch_bytes'),
  'batch.num.messages': as('producer', 'batch_messages'),
  'buffer.memory': as('producer', 'buffer_memory'),
  'queue.buffering.max.kbytes': { field: ['producer', 'buffer_memory'], read: kibibytes },
  'max.block.ms': as('producer', 'max_block_ms'),
  'max.request.size': as('producer', 'max_request_size'),
  'message.max.bytes': as('producer', 'max_request_size'),
  'request.timeout.ms': as('producer', 'request_timeout_ms'),
  'socket.timeout.ms': as('producer', 'request_timeout_ms'),
  'delivery.timeout.ms': as('producer', 'delivery_timeout_ms'),
  'message.timeout.ms': as('producer', 'delivery_timeout_ms'),
  retries: as('producer', 'retries'),
  'message.send.max.retries': as('producer', 'retries'),
  'retry.backoff.ms': as('producer', 'retry_backoff_ms'),
  'retry.backoff.max.ms': as('producer', 'retry_backoff_max_ms'),
  'max.in.flight.requests.per.connection': as('producer', 'max_in_flight'),
  'max.in.flight': as('producer', 'max_in_flight'),
  'socket.connection.setup.timeout.ms': as('producer', 'socket_connection_setup_timeout_ms'),
  'socket.connection.setup.timeout.max.ms': as('producer', 'socket_connection_setup_timeout_max_ms'),
  'metadata.max.age.ms': as('producer', 'metadata_max_age_ms'),
  'topic.metadata.refresh.interval.ms': as('producer', 'metadata_max_age_ms'),
  'client.dns.lookup': asText('producer', 'client_dns_lookup'),
  'send.buffer.bytes': as('producer', 'send_buffer_bytes'),
  'socket.send.buffer.bytes': as('producer', 'send_buffer_bytes'),
  'receive.buffer.bytes': as('producer', 'receive_buffer_bytes'),
  'socket.receive.buffer.bytes': as('producer', 'receive_buffer_bytes'),
};

/** Names whose meaning depends on others, on a file or on a grammar. */
export const jointNames = [
  'bootstrap.servers',
  'metadata.broker.list',
  'sasl.jaas.config',
  'sasl.oauthbearer.method',
  'sasl.oauthbearer.extensions',
  'sasl.oauthbearer.config',
  'https.ca.location',
  'ssl.truststore.location',
  'ssl.truststore.type',
  'ssl.truststore.password',
  'ssl.ca.location',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.keystore.location',
  'ssl.keystore.type',
  'ssl.keystore.password',
  'ssl.key.password',
  'enable.ssl.certificate.verification',
  'ssl.endpoint.identification.algorithm',
  'partitioner',
  'partitioner.class',
] as const;

export type JointName = (typeof jointNames)[number];

/** Files that a reference could not carry, read by their path. */
export const pathNames: ReadonlySet<string> = new Set<JointName>([
  'https.ca.location',
  'ssl.truststore.location',
  'ssl.ca.location',
  'ssl.certificate.location',
  'ssl.key.location',
  'ssl.keystore.location',
]);

/** Levels of one codec each: they say nothing while another is chosen. */
export const levelOf: Readonly<Record<string, string>> = {
  'compression.gzip.level': 'gzip',
  'compression.zstd.level': 'zstd',
};

const VALUES_MADE = 'Keys and values are made by the mapping.';
const READS = 'It belongs to reading, and Headrace writes.';

/** Names that clients know and that change nothing here, with why. */
export const idleNames: Readonly<Record<string, string>> = {
  'key.serializer': VALUES_MADE,
  'value.serializer': VALUES_MADE,
  'key.deserializer': READS,
  'value.deserializer': READS,
  'group.id': READS,
  'auto.offset.reset': READS,
  'enable.auto.commit': READS,
  'session.timeout.ms': READS,
  'ssl.protocol': 'TLS 1.2 and 1.3 are spoken.',
  'ssl.enabled.protocols': 'TLS 1.2 and 1.3 are spoken.',
  'ssl.cipher.suites': 'The ciphers are those of Node.',
  'ssl.provider': 'The ciphers are those of Node.',
  'ssl.trustmanager.algorithm': 'It belongs to Java.',
  'ssl.keymanager.algorithm': 'It belongs to Java.',
  'ssl.secure.random.implementation': 'It belongs to Java.',
  'interceptor.classes': 'It belongs to Java.',
  'metric.reporters': 'Metrics are at /metrics.',
  'metrics.num.samples': 'Metrics are at /metrics.',
  'metrics.recording.level': 'Metrics are at /metrics.',
  'metrics.sample.window.ms': 'Metrics are at /metrics.',
  'statistics.interval.ms': 'Metrics are at /metrics.',
  'connections.max.idle.ms': 'Connections are kept while brokers keep them.',
  'metadata.max.idle.ms': 'Facts of topics are forgotten by themselves.',
  'reconnect.backoff.ms': 'The wait before a new connection is `retry_backoff_ms`.',
  'reconnect.backoff.max.ms': 'The longest such wait is `retry_backoff_max_ms`.',
  'broker.address.family': 'Addresses are tried as the system gives them.',
  'socket.keepalive.enable': 'Connections are watched by requests with a timeout.',
  'socket.nagle.disable': 'It is always so.',
  'api.version.request': 'It is always so.',
  'broker.version.fallback': 'Versions are asked of the broker.',
  'log.connection.close': 'The log level is set by LOG_LEVEL.',
  debug: 'The log level is set by LOG_LEVEL.',
  'queue.buffering.max.messages': 'What may wait is bounded by `buffer_memory`.',
  'compression.lz4.level': 'lz4 works at one level here.',
  'partitioner.ignore.keys': 'A mapping without `key` does that.',
  'partitioner.adaptive.partitioning.enable': 'Messages without a key go round robin.',
  'sticky.partitioning.linger.ms': 'Messages without a key go round robin.',
  'allow.auto.create.topics': 'Write `topics: {create: broker}`.',
  'enable.sasl.oauthbearer.unsecure.jwt': '`sasl.oauthbearer.config` says so.',
  'sasl.login.callback.handler.class': 'Nothing but what the mechanism itself needs is ever loaded.',
  'sasl.client.callback.handler.class': 'Nothing but what the mechanism itself needs is ever loaded.',
  'sasl.login.class': 'Nothing but what the mechanism itself needs is ever loaded.',
  'schema.registry.url': 'Values are JSON so far.',
  'basic.auth.credentials.source': 'Values are JSON so far.',
  'basic.auth.user.info': 'Values are JSON so far.',
};

/** Handlers that say the same as the mechanism beside them. */
export const knownHandler = /\.(?:IAMClientCallbackHandler|OAuthBearerLoginCallbackHandler)$/;

/** All names that are not passed over, for "did you mean". */
export const allNames: readonly string[] = [...Object.keys(fieldNames), ...jointNames, ...Object.keys(idleNames)];

const secretNames: ReadonlySet<string> = new Set([
  'sasl.jaas.config',
  'sasl.password',
  'sasl.oauthbearer.client.secret',
  'sasl.oauthbearer.client.credentials.client.secret',
  'ssl.keystore.key',
  'ssl.key.pem',
  'ssl.key.password',
  'ssl.keystore.password',
  'ssl.truststore.password',
  'basic.auth.user.info',
  // User and password may stand in it.
  'schema.registry.url',
]);

/** Stands for names that are not shown; the text behind it holds them, with their values. */
export const HIDDEN_NAME = '******';

const knownWords: ReadonlySet<string> = new Set(allNames.flatMap((name) => name.split('.')));

/**
 * Promise 8: a line that is no property (of a key that was pasted here, or a password alone) is all "name". A name is
 * shown where it is known or made of words that are, or is lower-case words with dots between; any other may be a secret.
 */
export function isShownName(name: string): boolean {
  if (allNames.includes(name) || name.split(/[._-]/).every((word) => knownWords.has(word))) return true;
  return name.length <= 100 && /^[a-z][a-z_-]{0,30}(?:\.[a-z][a-z0-9_-]{0,30})+$/.test(name);
}

export function isHiddenName(name: string): boolean {
  return /^\*{6,}$/.test(name);
}

/** Of a name that nobody knows it is not known whether its value is a secret: it is kept as one. */
export function isSecretName(name: string): boolean {
  return secretNames.has(name) || !allNames.includes(name);
}

/** Digits as a number, true and false as flags, other text as it is. */
function plainValue(text: string): JsonValue {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}

function kibibytes(text: string): JsonValue {
  return /^\d{1,12}$/.test(text) ? Number(text) * 1024 : text;
}
