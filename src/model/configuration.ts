/** The checked configuration: what `config/` makes of the files and every other room reads. Frozen. */
import type { Secret } from '../base/secret.ts';
import type { Problem } from './problem.ts';
import type { JsonValue } from './record.ts';
import type { SaslConfig, TlsConfig } from './security.ts';

export interface Configuration {
  readonly destinations: ReadonlyMap<string, DestinationConfig>;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly syncs: ReadonlyMap<string, SyncConfig>;
  /** Why objects that are stored are missing here: a reference that no longer resolves, an object that is refused. */
  readonly problems?: readonly Problem[];
  /** Syncs that are switched on but were left out for a problem, with the source they name: its events are not taken. */
  readonly unusable?: readonly { readonly sync: string; readonly source: string; readonly reason: string }[];
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export type Protocol = 'plaintext' | 'ssl' | 'sasl_plaintext' | 'sasl_ssl';
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
/** Where a key goes: as Java has it, as librdkafka's `consistent`, as RudderStack, as librdkafka's `fnv1a`. */
export type Partitioner = 'murmur2' | 'crc32' | 'fnv1a' | 'fnv1a_librdkafka';

/** All addresses of a name; the first alone; or, for bootstrap, the canonical name of each address. */
export type ClientDnsLookup = 'use_all_dns_ips' | 'default' | 'resolve_canonical_bootstrap_servers_only';

export interface DestinationConfig {
  readonly name: string;
  readonly enabled: boolean;
  readonly brokers: readonly BrokerAddress[];
  readonly protocol: Protocol;
  /** Set exactly where the protocol asks for it. */
  readonly tls: TlsConfig | null;
  readonly sasl: SaslConfig | null;
  readonly clientId: string;
  readonly testTopic: string | null;
  readonly producer: ProducerSettings;
  readonly topics: {
    /** What becomes of missing topics: nothing, left to the cluster, or made like this. */
    readonly create: false | 'broker' | TopicCreation;
    /** How many different topics computed from records may be in use; 1000 when absent. */
    readonly maxComputed?: number;
  };
  /** Events that Kafka cannot take now go to the disk, up to so many bytes; false: never; absent: up to the default. */
  readonly spool?: { readonly maxBytes: number } | false;
  /** Where rejected messages go; absent or null: into the own state. */
  readonly deadLetters?: { readonly topic: string } | null;
  /** What its syncs take when they say nothing. */
  readonly defaults: { readonly topic: JsonValue | null; readonly ordering?: Ordering };
}

/** What a spool may hold when nothing is said: about an hour of 200 events a second. */
export const DEFAULT_SPOOL_BYTES = 1024 ** 3;

/**
 * What is promised about the order of a sync's messages: per topic and key; of all messages of a partition; nothing, for
 * speed.
 */
export type Ordering = 'key' | 'preserve' | 'none';

export interface TopicCreation {
  /** Absent: the cluster's own default; before Kafka 2.4, 1. */
  readonly partitions?: number;
  /** Absent: the cluster's own default; before Kafka 2.4, 3 or as many as there are brokers. */
  readonly replication?: number;
  /** Kafka's own names, e.g. `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface ProducerSettings {
  /** -1 is `all`. */
  readonly acks: -1 | 0 | 1;
  readonly idempotence: boolean;
  readonly compression: Compression;
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly batchMessages: number;
  /** Bytes of messages that may wait or be under way per destination; beyond, sources wait. */
  readonly bufferMemoryBytes: number;
  readonly maxRequestBytes: number;
  readonly requestTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Each failure in a row to connect to one broker doubles the time for the next, up to this. */
  readonly connectTimeoutMaxMs: number;
  /** null: the codec's own. */
  readonly compressionLevel: number | null;
  /** Requests under way to one broker; batches of one partition only where order is given up. */
  readonly maxInFlight: number;
  /** How often a batch is sent again before its run fails or its sync is parked. */
  readonly retries: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  /** How long messages wait for the partitions of their topic before their run fails or their sync is parked. */
  readonly maxBlockMs: number;
  readonly clientDnsLookup: ClientDnsLookup;
  /** Facts of a topic older than this are asked for again: how soon added partitions are noticed. */
  readonly metadataMaxAgeMs: number;
}

export type SourceConfig = EventsSourceConfig | FilesSourceConfig;

export interface EventsSourceConfig {
  readonly type: 'events';
  readonly name: string;
  readonly enabled: boolean;
  readonly writeKey: Secret;
  readonly maxEventBytes: number;
  readonly maxBatchBytes: number;
  readonly maxBatchEvents: number;
}

export interface FilesSourceConfig {
  readonly type: 'files';
  readonly name: string;
  readonly enabled: boolean;
  /** Absolute folder. */
  readonly path: string;
}

export type FileFormat = 'csv' | 'jsonl' | 'json' | 'parquet';
export type EventType = 'track' | 'identify' | 'page' | 'screen' | 'group' | 'alias';
export const eventTypes: readonly EventType[] = ['track', 'identify', 'page', 'screen', 'group', 'alias'];

/** More stops the sync: a part of the records read (once `atLeast` were read), or a number of them. */
export type MaxRejected = { readonly percent: number; readonly atLeast: number } | { readonly records: number };

export interface SyncConfig {
  readonly name: string;
  readonly enabled: boolean;
  readonly source: string;
  readonly destination: string;
  /** Table syncs only. `file` may be a glob; `types` override column types by name. */
  readonly read: FileRead | null;
  /** Event syncs only: the event types that pass; null lets all pass. */
  readonly types: readonly EventType[] | null;
  /** The condition a record must meet, as FQL; null lets all pass. */
  readonly trigger: string | null;
  readonly behaviour: 'send' | null;
  readonly message: MessageConfig;
  readonly partitioner: Partitioner;
  readonly batch: { readonly bytes: number | null; readonly messages: number | null };
  /** `key` when absent. */
  readonly ordering?: Ordering;
  /** What becomes of a message over the limit of its topic or request; `reject` when absent. */
  readonly oversized?: Oversized;
  /** Absent or null: any number may be rejected. */
  readonly maxRejected?: MaxRejected | null;
}

/** Paths of fields of the value that are cut, in this order, until the message fits. */
export type Oversized = 'reject' | { readonly truncate: readonly string[] };

export interface FileRead {
  readonly file: string;
  /** null: by the file's name. */
  readonly format: FileFormat | null;
  readonly types: Readonly<Record<string, ColumnType>>;
}

export type ColumnType = 'text' | 'number' | 'bool' | 'json';

/** The message fields as written (mappings are compiled by `mapping/`). Absent fields are undefined. */
export interface MessageConfig {
  readonly topic?: JsonValue;
  readonly key?: JsonValue;
  readonly partition?: JsonValue;
  readonly default_partition?: JsonValue;
  readonly default_partition_for?: 'all' | 'keyless';
  readonly partition_key?: JsonValue;
  readonly timestamp?: JsonValue;
  readonly timestamp_unit?: 's' | 'ms' | 'us';
  readonly headers?: JsonValue;
  readonly payload?: JsonValue;
  readonly columns?: readonly ColumnConfig[];
  /** Mustache text. */
  readonly template?: string;
  readonly template_type?: 'json' | 'text';
  readonly meta_fields?: boolean;
}

/** One member of the value. Its parts work in this order: `when`, `trim`, `replace`, `type`, `mandatory`, nulls. */
export interface ColumnConfig {
  /** The column of the source; `value`, a constant or a mapping, may stand in its place. */
  readonly from?: string;
  readonly value?: JsonValue;
  /** Its name in the message; a dot leads into an object, and `\.` is a dot. */
  readonly to: string;
  readonly type?: ColumnTarget;
  /** Without a value: true or `reject`: the row is rejected; `mark`: it is sent, and the message says so in `flaws`. */
  readonly mandatory?: boolean | 'reject' | 'mark';
  /** White space at both ends of a text goes. */
  readonly trim?: boolean;
  readonly replace?: readonly { readonly find: string; readonly with: string }[];
  /** The first trigger that the record passes gives the value; without one `else` where given, or `from` or `value`. */
  readonly when?: readonly { readonly if: string; readonly then: JsonValue }[];
  readonly else?: JsonValue;
  readonly leave_out_null?: boolean;
}

/** What a column's value is made to be. */
export type ColumnTarget = 'text' | 'number' | 'bool' | 'date' | 'json';
