/** Reads stored record batches (version 2), whichever codec they are packed with. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { crc32c } from '../../base/crc32c.ts';
import { HeadraceError, type Header } from '../../model/index.ts';

export interface StoredMessage {
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
}

export interface ReadBatches {
  readonly messages: readonly StoredMessage[];
  /** Where to go on: after the last whole batch, which may hold more than its messages (compaction, control records). */
  readonly nextOffset: bigint | null;
}

const HEADER_BYTES = 61;
const LENGTH_END = 12;
const MAGIC_OFFSET = 16;
const CRC_OFFSET = 17;
const ATTRIBUTES_OFFSET = 21;
const CONTROL_BIT = 0x20;
const LOG_APPEND_TIME_BIT = 0x08;
/** What a packed batch may grow to: a small batch of zeros must not fill the memory. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

/**
 * The messages of all whole batches from `from` on. A batch cut off at the end is left for the next fetch.
 * Throws when a batch is damaged or of a format before Kafka 0.11.
 */
export function readBatches(bytes: Buffer, from: bigint): ReadBatches {
  const messages: StoredMessage[] = [];
  let nextOffset: bigint | null = null;
  let position = 0;
  while (position + HEADER_BYTES <= bytes.length) {
    const end = position + LENGTH_END + bytes.readInt32BE(position + 8);
    if (bytes[position + MAGIC_OFFSET] !== 2) throw oldFormat();
    if (end > bytes.length) break;
    const batch = bytes.subarray(position, end);
    readBatch(batch, from, messages);
    nextOffset = batch.readBigInt64BE(0) + BigInt(batch.readInt32BE(23)) + 1n;
    position = end;
  }
  return { messages, nextOffset };
}

function oldFormat(): HeadraceError {
  return new HeadraceError('kafka_unsupported', 'The topic holds messages in a format older than Kafka 0.11.', {
    remedy: 'Set message.format.version of the topic to 0.11 or newer; messages written from then on can be read.',
  });
}

function readBatch(batch: Buffer, from: bigint, into: StoredMessage[]): void {
  if (crc32c(batch.subarray(ATTRIBUTES_OFFSET)) !== batch.readUInt32BE(CRC_OFFSET))
    throw new Error('a batch of the topic arrived damaged');
  const attributes = batch.readInt16BE(ATTRIBUTES_OFFSET);
  if ((attributes & CONTROL_BIT) !== 0) return;
  const baseOffset = batch.readBigInt64BE(0);
  const baseTimestampMs = Number(batch.readBigInt64BE(27));
  const appendTimeMs = (attributes & LOG_APPEND_TIME_BIT) === 0 ? null : Number(batch.readBigInt64BE(35));
  const count = batch.readInt32BE(57);
  const cursor = new Cursor(unpack(batch.subarray(HEADER_BYTES), attributes & 7));
  for (let i = 0; i < count; i++) {
    const message = readRecord(cursor, baseOffset, baseTimestampMs, appendTimeMs);
    if (message.offset >= from) into.push(message);
  }
}

function readRecord(
  cursor: Cursor,
  baseOffset: bigint,
  baseTimestampMs: number,
  appendTimeMs: number | null,
): StoredMessage {
  cursor.varint(); // length
  cursor.skip(1); // attributes
  const createdMs = baseTimestampMs + cursor.varint();
  const timestampMs = appendTimeMs ?? createdMs;
  const offset = baseOffset + BigInt(cursor.varint());
  const key = cursor.bytes();
  const value = cursor.bytes();
  const count = cursor.varint();
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) headers.push([cursor.bytes()?.toString() ?? '', cursor.bytes()]);
  return { offset, timestampMs, key, value, headers };
}

function unpack(records: Buffer, codec: number): Buffer {
  switch (codec) {
    case 0:
      return records;
    case 1:
      return gunzipSync(records, { maxOutputLength: MAX_UNPACKED_BYTES });
    case 2:
      return compressionsAlgorithms.snappy.decompressSync(records);
    case 3:
      return compressionsAlgorithms.lz4.decompressSync(records);
    case 4:
      return zstdDecompressSync(records, { maxOutputLength: MAX_UNPACKED_BYTES });
    default:
      throw new Error(`a batch of the topic is packed by an unknown codec (${codec})`);
  }
}

/** Reads fields one after the other. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** A zigzag varint. Beyond 32 bits by arithmetic: timestamps differ by more. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('a batch of the topic ends too soon');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Null for the length -1. A copy: a small message must not keep its whole fetch in memory. */
  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    if (this.#at + length > this.#bytes.length) throw new Error('a batch of the topic ends too soon');
    const bytes = Buffer.from(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return bytes;
  }
}
