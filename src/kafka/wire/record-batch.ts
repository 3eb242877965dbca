/**
 * Kafka's record batch, version 2, written in one pass into one buffer.
 *
 * Own encoder because a lane sends the very same bytes, with the same sequence, until it has an answer (P2), and because
 * one pass costs a third of the client's per-field writer. Layout: KIP-98.
 */
import { constants, gzip, gzipSync, zstdCompress, zstdCompressSync } from 'node:zlib';
import { promisify } from 'node:util';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { crc32c } from '../../base/crc32c.ts';
import type { Compression, Message } from '../../model/index.ts';

export interface BatchStamp {
  /** -1n without idempotence. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence of the first record; -1 without idempotence. */
  readonly baseSequence: number;
}

const HEADER_BYTES = 61;
const LENGTH_OFFSET = 8;
const MAGIC_OFFSET = 16;
const CRC_OFFSET = 17;
const ATTRIBUTES_OFFSET = 21;
const STAMP_OFFSET = 43;
const compressionBits: Readonly<Record<Compression, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/** The batch as it goes over the wire; all messages share topic and partition. `level` is for gzip and zstd. */
export async function encodeRecordBatch(
  messages: readonly Message[],
  stamp: BatchStamp,
  compression: Compression,
  level: number | null = null,
): Promise<Buffer> {
  const plain = encodePlainBatch(messages, stamp);
  return compression === 'none'
    ? plain
    : packedBatch(plain, await pack(plain.subarray(HEADER_BYTES), compression, level), compression);
}

/** The bytes of a batch of one message, as the broker counts them against `max.message.bytes`. */
export function singleBatchBytes(message: Message, compression: Compression, level: number | null): number {
  const plain = encodePlainBatch([message], UNSTAMPED);
  if (compression === 'none') return plain.length;
  return HEADER_BYTES + packSync(plain.subarray(HEADER_BYTES), compression, level).length;
}

const UNSTAMPED: BatchStamp = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };

function packedBatch(plain: Buffer, packed: Buffer, compression: Compression): Buffer {
  const batch = Buffer.allocUnsafe(HEADER_BYTES + packed.length);
  plain.copy(batch, 0, 0, HEADER_BYTES);
  packed.copy(batch, HEADER_BYTES);
  batch.writeInt16BE(compressionBits[compression], ATTRIBUTES_OFFSET);
  seal(batch);
  return batch;
}

type Packing = Exclude<Compression, 'none'>;

/** P23: gzip and zstd, which take long, work beside the event loop; snappy and lz4 take about a millisecond a megabyte. */
async function pack(records: Buffer, compression: Packing, level: number | null): Promise<Buffer> {
  if (compression === 'gzip') return await gzipAsync(records, gzipOptions(level));
  if (compression === 'zstd') return await zstdAsync(records, zstdOptions(records.length, level));
  return packSync(records, compression, level);
}

function packSync(records: Buffer, compression: Packing, level: number | null): Buffer {
  if (compression === 'gzip') return gzipSync(records, gzipOptions(level));
  if (compression === 'zstd') return zstdCompressSync(records, zstdOptions(records.length, level));
  return compressionsAlgorithms[compression].compressSync(records);
}

function gzipOptions(level: number | null): object {
  return level === null ? {} : { level };
}

/** Without the size a high level makes room for gigabytes to come, and takes seconds for it: P9. */
function zstdOptions(pledgedSrcSize: number, level: number | null): object {
  return level === null
    ? { pledgedSrcSize }
    : { pledgedSrcSize, params: { [constants.ZSTD_c_compressionLevel]: level } };
}

/** Without compression, synchronously: the common case stays off the promise queue. */
export function encodePlainBatch(messages: readonly Message[], stamp: BatchStamp): Buffer {
  const baseTimestampMs = messages[0]!.timestampMs;
  let maxTimestampMs = baseTimestampMs;
  let capacity = HEADER_BYTES;
  for (const message of messages) {
    if (message.timestampMs > maxTimestampMs) maxTimestampMs = message.timestampMs;
    capacity += recordCapacity(message);
  }
  const buffer = Buffer.allocUnsafe(capacity);
  let position = HEADER_BYTES;
  for (let index = 0; index < messages.length; index++) {
    position = writeRecord(buffer, position, messages[index]!, index, baseTimestampMs);
  }
  buffer.writeBigInt64BE(0n, 0);
  buffer.writeInt32BE(-1, 12);
  buffer[MAGIC_OFFSET] = 2;
  buffer.writeInt16BE(0, ATTRIBUTES_OFFSET);
  buffer.writeInt32BE(messages.length - 1, 23);
  buffer.writeBigInt64BE(BigInt(baseTimestampMs), 27);
  buffer.writeBigInt64BE(BigInt(maxTimestampMs), 35);
  buffer.writeBigInt64BE(stamp.producerId, STAMP_OFFSET);
  buffer.writeInt16BE(stamp.producerEpoch, STAMP_OFFSET + 8);
  buffer.writeInt32BE(stamp.baseSequence, STAMP_OFFSET + 10);
  buffer.writeInt32BE(messages.length, STAMP_OFFSET + 14);
  const batch = buffer.subarray(0, position);
  seal(batch);
  return batch;
}

/** Length and checksum, once everything else stands. */
function seal(batch: Buffer): void {
  batch.writeInt32BE(batch.length - LENGTH_OFFSET - 4, LENGTH_OFFSET);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_OFFSET)), CRC_OFFSET);
}

/** An upper bound of the bytes of one record. */
function recordCapacity(message: Message): number {
  let bytes =
    45 + (message.key === null ? 0 : message.key.length) + (message.value === null ? 0 : message.value.length);
  for (const [name, value] of message.headers) bytes += 10 + name.length * 3 + (value === null ? 0 : value.length);
  return bytes;
}

function writeRecord(
  buffer: Buffer,
  start: number,
  message: Message,
  offsetDelta: number,
  baseTimestampMs: number,
): number {
  const timestampDelta = message.timestampMs - baseTimestampMs;
  const { key, value, headers } = message;
  let length = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta);
  length += key === null ? 1 : varintBytes(key.length) + key.length;
  length += value === null ? 1 : varintBytes(value.length) + value.length;
  length += varintBytes(headers.length);
  for (const header of headers) length += headerBytes(header[0], header[1]);

  let position = writeVarint(buffer, start, length);
  buffer[position++] = 0;
  position = writeVarint(buffer, position, timestampDelta);
  position = writeVarint(buffer, position, offsetDelta);
  position = writeBytes(buffer, position, key);
  position = writeBytes(buffer, position, value);
  position = writeVarint(buffer, position, headers.length);
  for (const [name, headerValue] of headers) {
    const nameBytes = Buffer.byteLength(name);
    position = writeVarint(buffer, position, nameBytes);
    position += buffer.write(name, position, 'utf8');
    position = writeBytes(buffer, position, headerValue);
  }
  return position;
}

function headerBytes(name: string, value: Buffer | null): number {
  const nameBytes = Buffer.byteLength(name);
  return varintBytes(nameBytes) + nameBytes + (value === null ? 1 : varintBytes(value.length) + value.length);
}

function writeBytes(buffer: Buffer, position: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(buffer, position, -1);
  const at = writeVarint(buffer, position, bytes.length);
  buffer.set(bytes, at);
  return at + bytes.length;
}

const SMALL = 0x3fffffff;

/** Bytes of a zigzag varint; beyond 30 bits by arithmetic, since timestamps differ by more than 32 bits hold. */
function varintBytes(value: number): number {
  if (value >= -SMALL && value <= SMALL) {
    const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
    if (zigzag < 0x80) return 1;
    if (zigzag < 0x4000) return 2;
    if (zigzag < 0x200000) return 3;
    return zigzag < 0x10000000 ? 4 : 5;
  }
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2;
  let bytes = 1;
  while (zigzag >= 0x80) {
    zigzag = Math.floor(zigzag / 0x80);
    bytes++;
  }
  return bytes;
}

function writeVarint(buffer: Buffer, start: number, value: number): number {
  let position = start;
  if (value >= -SMALL && value <= SMALL) {
    let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
    while (zigzag >= 0x80) {
      buffer[position++] = (zigzag & 0x7f) | 0x80;
      zigzag >>>= 7;
    }
    buffer[position++] = zigzag;
    return position;
  }
  let zigzag = value < 0 ? -value * 2 - 1 : value * 2;
  while (zigzag >= 0x80) {
    buffer[position++] = (zigzag % 0x80) | 0x80;
    zigzag = Math.floor(zigzag / 0x80);
  }
  buffer[position++] = zigzag;
  return position;
}
