/** The Fetch and ListOffsets requests and their answers, partition by partition. */
import { Writer, type Reader } from '@platformatic/kafka';
import { UnsupportedApi, type BrokerConnection } from './connection.ts';

const FETCH_KEY = 1;
/** 4 is the first with record batches v2 (Kafka 0.11), 11 the last that needs neither tagged fields nor topic ids. */
const FETCH_VERSIONS = { min: 4, max: 11 } as const;
const LIST_OFFSETS_KEY = 2;
const LIST_OFFSETS_VERSIONS = { min: 1, max: 5 } as const;
const NO_REPLICA = -1;
const READ_UNCOMMITTED = 0;

export const EARLIEST = -2n;
export const LATEST = -1n;

export interface FetchPosition {
  readonly partition: number;
  /** The first offset that is wanted. */
  readonly offset: bigint;
}

export interface FetchLimits {
  /** How long the broker may wait for something to send. */
  readonly maxWaitMs: number;
  /** Of the whole answer; a single larger batch is sent all the same. */
  readonly maxBytes: number;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Record batches as they are stored; the last may be cut off. */
  readonly records: Buffer;
}

/** What one broker has of one topic from the positions on. Throws when the request has no answer. */
export function fetchRecords(
  connection: BrokerConnection,
  topic: string,
  positions: readonly FetchPosition[],
  limits: FetchLimits,
): Promise<FetchedPartition[]> {
  const version = versionOf(connection, FETCH_KEY, FETCH_VERSIONS);
  const payload = writeFetch(version, topic, positions, limits);
  return connection.request(FETCH_KEY, version, payload, (reader) => readFetch(version, reader), false);
}

function writeFetch(
  version: number,
  topic: string,
  positions: readonly FetchPosition[],
  { maxWaitMs, maxBytes }: FetchLimits,
): Writer {
  const writer = Writer.create().appendInt32(NO_REPLICA).appendInt32(maxWaitMs).appendInt32(1).appendInt32(maxBytes);
  writer.appendInt8(READ_UNCOMMITTED);
  if (version >= 7) writer.appendInt32(0).appendInt32(-1); // no fetch session
  writer.appendInt32(1).appendString(topic, false).appendInt32(positions.length);
  for (const { partition, offset } of positions) {
    writer.appendInt32(partition);
    if (version >= 9) writer.appendInt32(-1); // leader epoch: unknown
    writer.appendInt64(offset);
    if (version >= 5) writer.appendInt64(-1n); // log start offset: followers only
    writer.appendInt32(maxBytes);
  }
  if (version >= 7) writer.appendInt32(0); // nothing forgotten
  if (version >= 11) writer.appendString('', false); // rack
  return writer;
}

function readFetch(version: number, reader: Reader): FetchedPartition[] {
  reader.readInt32(); // throttle time
  if (version >= 7) {
    reader.readInt16();
    reader.readInt32();
  }
  const partitions: FetchedPartition[] = [];
  const topics = reader.readInt32();
  for (let i = 0; i < topics; i++) {
    reader.readString(false);
    const count = reader.readInt32();
    for (let j = 0; j < count; j++) partitions.push(readFetchedPartition(version, reader));
  }
  return partitions;
}

function readFetchedPartition(version: number, reader: Reader): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt64(); // high watermark
  reader.readInt64(); // last stable offset
  if (version >= 5) reader.readInt64(); // log start offset
  const aborted = reader.readInt32();
  for (let i = 0; i < aborted; i++) reader.skip(16);
  if (version >= 11) reader.readInt32(); // preferred read replica
  return { partition, errorCode, records: reader.readNullableBytes(false) ?? Buffer.alloc(0) };
}

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  readonly offset: bigint;
}

/** The offsets at `EARLIEST` or `LATEST` of partitions that this broker leads. Throws when the request has no answer. */
export function listOffsets(
  connection: BrokerConnection,
  topic: string,
  partitions: readonly number[],
  at: bigint,
): Promise<ListedOffset[]> {
  const version = versionOf(connection, LIST_OFFSETS_KEY, LIST_OFFSETS_VERSIONS);
  const writer = Writer.create().appendInt32(NO_REPLICA);
  if (version >= 2) writer.appendInt8(READ_UNCOMMITTED);
  writer.appendInt32(1).appendString(topic, false).appendInt32(partitions.length);
  for (const partition of partitions) {
    writer.appendInt32(partition);
    if (version >= 4) writer.appendInt32(-1);
    writer.appendInt64(at);
  }
  return connection.request(LIST_OFFSETS_KEY, version, writer, (reader) => readOffsets(version, reader), false);
}

function readOffsets(version: number, reader: Reader): ListedOffset[] {
  if (version >= 2) reader.readInt32(); // throttle time
  const offsets: ListedOffset[] = [];
  const topics = reader.readInt32();
  for (let i = 0; i < topics; i++) {
    reader.readString(false);
    const count = reader.readInt32();
    for (let j = 0; j < count; j++) {
      const partition = reader.readInt32();
      const errorCode = reader.readInt16();
      reader.readInt64(); // timestamp
      offsets.push({ partition, errorCode, offset: reader.readInt64() });
      if (version >= 4) reader.readInt32(); // leader epoch
    }
  }
  return offsets;
}

function versionOf(connection: BrokerConnection, apiKey: number, ours: { min: number; max: number }): number {
  const version = connection.version(apiKey, ours);
  if (version === null) throw new UnsupportedApi(apiKey, connection.range(apiKey));
  return version;
}
