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
  readonly topics: { readonly create: false | 'broker' };
  /** What its syncs take when they say nothing. */
  readonly defaults: { readonly topic: JsonValue | null };
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
}

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
