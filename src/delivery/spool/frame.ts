/**
 * A frame: all messages that one request gave one destination, whole on the disk or not there at all (P38).
 *
 *   magic u32 · length u32 · CRC-32C of the payload u32 · payload
 *
 * The payload carries the sequence of its first message, the time it was accepted, and the messages as they were mapped,
 * without a computed partition: that is chosen when they are sent. Numbers are little endian.
 */
import { crc32c } from '../../base/crc32c.ts';
import type { Header, Message } from '../../model/index.ts';

/** A message with what is needed to send it later, also by another process under another configuration. */
export interface SpooledMessage {
  readonly message: Message;
  /** How it is to be handled, in the words of whoever handed it in; the same text for all of one sync. */
  readonly route: string;
  /** Where its record stood in the source. */
  readonly position: string;
}

export interface Frame {
  readonly firstSequence: number;
  /** Epoch milliseconds. */
  readonly acceptedAtMs: number;
  readonly messages: readonly SpooledMessage[];
}

export const FRAME_HEADER_BYTES = 12;
const MAGIC = 0x31465248; // "HRF1"
const magicBytes = Buffer.from('HRF1');
const FIXED_BYTES = 8 + 8 + 4 + 2;

const KEY = 1;
const VALUE = 2;
const PARTITION_KEY = 4;
const PARTITION_KEY_IS_KEY = 8;
const PARTITION = 16;

export function encodeFrame({ firstSequence, acceptedAtMs, messages }: Frame): Buffer {
  const routes = new Map<string, number>();
  for (const { route } of messages) if (!routes.has(route)) routes.set(route, routes.size);
  let bytes = FRAME_HEADER_BYTES + FIXED_BYTES;
  for (const route of routes.keys()) bytes += 4 + Buffer.byteLength(route);
  for (const one of messages) bytes += messageSize(one);
  const writer = new Writer(Buffer.allocUnsafe(bytes));
  writer.u32(MAGIC);
  writer.u32(bytes - FRAME_HEADER_BYTES);
  writer.u32(0);
  writer.f64(firstSequence);
  writer.f64(acceptedAtMs);
  writer.u32(messages.length);
  writer.u16(routes.size);
  for (const route of routes.keys()) writer.text(route);
  for (const one of messages) writeMessage(writer, one, routes.get(one.route)!);
  writer.buffer.writeUInt32LE(crc32c(writer.buffer.subarray(FRAME_HEADER_BYTES)), 8);
  return writer.buffer;
}

/** The frame at an offset: its end, `short` when the bytes end before it does, `bad` when there is none. */
export function frameAt(bytes: Buffer, offset: number): { readonly end: number } | 'short' | 'bad' {
  if (bytes.length - offset < FRAME_HEADER_BYTES) return 'short';
  if (bytes.readUInt32LE(offset) !== MAGIC) return 'bad';
  const length = bytes.readUInt32LE(offset + 4);
  if (length < FIXED_BYTES) return 'bad';
  const end = offset + FRAME_HEADER_BYTES + length;
  if (end > bytes.length) return 'short';
  const sound = crc32c(bytes.subarray(offset + FRAME_HEADER_BYTES, end)) === bytes.readUInt32LE(offset + 8);
  return sound ? { end } : 'bad';
}

/** How long the frame at an offset claims to be, header included; its checksum is not looked at. */
export function claimedLength(bytes: Buffer, offset: number): number {
  return FRAME_HEADER_BYTES + bytes.readUInt32LE(offset + 4);
}

/** Where the next sound frame begins after damage; -1: there is none. */
export function findFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(magicBytes, from); at !== -1; at = bytes.indexOf(magicBytes, at + 1))
    if (typeof frameAt(bytes, at) === 'object') return at;
  return -1;
}

/** First sequence, and the one after the last, of a sound frame; nothing else is read. */
export function sequencesOf(bytes: Buffer, offset: number): { readonly first: number; readonly end: number } {
  const first = bytes.readDoubleLE(offset + FRAME_HEADER_BYTES);
  return { first, end: first + bytes.readUInt32LE(offset + FRAME_HEADER_BYTES + 16) };
}

/** The contents of a sound frame. Keys and values are views of the bytes. Throws RangeError when it is not sound. */
export function decodeFrame(bytes: Buffer, offset: number, end: number): Frame {
  const reader = new Reader(bytes, offset + FRAME_HEADER_BYTES, end);
  const firstSequence = reader.f64();
  const acceptedAtMs = reader.f64();
  const count = reader.u32();
  const routes = Array.from({ length: reader.u16() }, () => reader.text());
  const messages: SpooledMessage[] = [];
  for (let i = 0; i < count; i++) messages.push(readMessage(reader, routes));
  return { firstSequence, acceptedAtMs, messages };
}

function messageSize({ message, position }: SpooledMessage): number {
  const { topic, key, value, partitionKey, headers, partition } = message;
  let bytes = 1 + 2 + 8 + 4 + Buffer.byteLength(topic) + 4 + Buffer.byteLength(position) + 4;
  if (key !== null) bytes += 4 + key.length;
  if (value !== null) bytes += 4 + value.length;
  if (partitionKey !== null && partitionKey !== key) bytes += 4 + partitionKey.length;
  if (partition !== null) bytes += 8;
  for (const [name, content] of headers) bytes += 4 + Buffer.byteLength(name) + 4 + (content?.length ?? 0);
  return bytes;
}

function writeMessage(writer: Writer, { message, position }: SpooledMessage, route: number): void {
  const { topic, key, value, partitionKey, headers, partition, timestampMs } = message;
  const ownPartitionKey = partitionKey !== null && partitionKey !== key;
  writer.u8(
    (key === null ? 0 : KEY) |
      (value === null ? 0 : VALUE) |
      (ownPartitionKey ? PARTITION_KEY : 0) |
      (key !== null && partitionKey === key ? PARTITION_KEY_IS_KEY : 0) |
      (partition === null ? 0 : PARTITION),
  );
  writer.u16(route);
  writer.f64(timestampMs);
  writer.text(topic);
  writer.text(position);
  if (key !== null) writer.bytes(key);
  if (value !== null) writer.bytes(value);
  if (ownPartitionKey) writer.bytes(partitionKey);
  if (partition !== null) writer.f64(partition);
  writer.u32(headers.length);
  for (const [name, content] of headers) {
    writer.text(name);
    if (content === null) writer.u32(0xffffffff);
    else writer.bytes(content);
  }
}

function readMessage(reader: Reader, routes: readonly string[]): SpooledMessage {
  const flags = reader.u8();
  const route = routes[reader.u16()]!;
  const timestampMs = reader.f64();
  const topic = reader.text();
  const position = reader.text();
  const key = flags & KEY ? reader.bytes() : null;
  const value = flags & VALUE ? reader.bytes() : null;
  const partitionKey = flags & PARTITION_KEY ? reader.bytes() : flags & PARTITION_KEY_IS_KEY ? key : null;
  const partition = flags & PARTITION ? reader.f64() : null;
  const headers: Header[] = [];
  for (let left = reader.u32(); left > 0; left--) headers.push([reader.text(), reader.bytes()]);
  return { message: { topic, partition, partitionKey, key, value, headers, timestampMs }, route, position };
}

class Writer {
  readonly buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  u8(value: number): void {
    this.#at = this.buffer.writeUInt8(value, this.#at);
  }

  u16(value: number): void {
    this.#at = this.buffer.writeUInt16LE(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.buffer.writeUInt32LE(value, this.#at);
  }

  f64(value: number): void {
    this.#at = this.buffer.writeDoubleLE(value, this.#at);
  }

  text(value: string): void {
    const length = this.buffer.write(value, this.#at + 4);
    this.u32(length);
    this.#at += length;
  }

  bytes(value: Buffer): void {
    this.u32(value.length);
    this.#at += value.copy(this.buffer, this.#at);
  }
}

class Reader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#step(1));
  }

  u16(): number {
    return this.#buffer.readUInt16LE(this.#step(2));
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#step(4));
  }

  f64(): number {
    return this.#buffer.readDoubleLE(this.#step(8));
  }

  text(): string {
    const length = this.u32();
    const at = this.#step(length);
    return this.#buffer.toString('utf8', at, at + length);
  }

  /** Null where a null was written. */
  bytes(): Buffer | null {
    const length = this.u32();
    if (length === 0xffffffff) return null;
    const at = this.#step(length);
    return this.#buffer.subarray(at, at + length);
  }

  #step(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#end) throw new RangeError('the frame ends before its contents');
    return at;
  }
}
