/** The checked configuration: what `config/` makes of the files and every other room reads. Frozen. */
import type { Secret } from '../base/secret.ts';
import type { Problem } from './problem.ts';
import type { JsonValue } from './record.ts';

export interface Configuration {
  readonly destinations: ReadonlyMap<string, DestinationConfig>;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly syncs: ReadonlyMap<string, SyncConfig>;
  /** Why objects that are stored are missing here: a reference that no longer resolves, an object that is refused. */
  readonly problems?: readonly Problem[];
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export type Protocol = 'plaintext' | 'ssl' | 'sasl_plaintext' | 'sasl_ssl';
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
export type Partitioner = 'murmur2' | 'crc32' | 'fnv1a';

export interface DestinationConfig {
  readonly name: string;
  readonly enabled: boolean;
  readonly brokers: readonly BrokerAddress[];
  readonly protocol: Protocol;
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
  readonly meta_fields?: boolean;
}

export interface ColumnConfig {
  readonly from: string;
  readonly to: string;
}
