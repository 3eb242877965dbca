/** Just enough of Kafka's wire protocol for the proxy: frames, request headers, produced batches, advertised brokers. */

export const apiNames: Readonly<Record<number, string>> = {
  0: 'Produce',
  1: 'Fetch',
  2: 'ListOffsets',
  3: 'Metadata',
  10: 'FindCoordinator',
  17: 'SaslHandshake',
  18: 'ApiVersions',
  19: 'CreateTopics',
  22: 'InitProducerId',
  24: 'AddPartitionsToTxn',
  26: 'EndTxn',
  32: 'DescribeConfigs',
  36: 'SaslAuthenticate',
};

export interface RequestHeader {
  /** `Produce`, `Metadata`, …; `api 71` where the proxy has no name for it. */
  readonly api: string;
  readonly version: number;
  readonly correlationId: number;
}

/** One record batch of a Produce request. Repeats of one batch have the same four numbers. */
export interface ProducedBatch {
  /** The topic's name, or its id in hexadecimal from version 13 of the request on. */
  readonly topic: string;
  readonly partition: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly records: number;
  /** Of the whole batch, as compressed. */
  readonly bytes: number;
  /** Kafka's number of the codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
  readonly codec: number;
}

/** Splits a stream into frames (each with its 4-byte length in front), however the bytes are cut. */
export async function* frames(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let held = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    held += chunk.length;
    if (held < wantedBytes(chunks, held)) continue;
    let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0);
      if (end < 8) throw new Error(`no Kafka frame: its length is ${end - 4}`);
      yield bytes.subarray(0, end);
      bytes = bytes.subarray(end);
    }
    chunks = bytes.length === 0 ? [] : [bytes];
    held = bytes.length;
  }
}

/** The bytes after which it is worth joining the chunks: avoids copying a large frame once per chunk. */
function wantedBytes(chunks: readonly Buffer[], held: number): number {
  if (chunks[0]!.length >= 4) return 4 + Math.max(0, chunks[0]!.readInt32BE(0));
  return held < 4 ? 4 : 4 + Math.max(0, Buffer.concat(chunks as Buffer[]).readInt32BE(0));
}

export function requestHeader(frame: Buffer): RequestHeader {
  const key = frame.readInt16BE(4);
  return {
    api: apiNames[key] ?? `api ${key}`,
    version: frame.readInt16BE(6),
    correlationId: frame.readInt32BE(8),
  };
}

/** The record batches of a Produce request (version 3 on, format 2), and its acks: with 0 there is no answer. */
export function producedBatches(frame: Buffer): { acks: number; batches: ProducedBatch[] } {
  const version = frame.readInt16BE(6);
  const flexible = version >= 9;
  const reader = new Reader(frame, 12, flexible);
  reader.legacyText(); // client id
  if (flexible) reader.tags();
  reader.text(); // transactional id
  const acks = reader.int16();
  reader.int32(); // timeout
  const batches: ProducedBatch[] = [];
  for (let topics = reader.length(); topics > 0; topics--) {
    const topic = version >= 13 ? reader.take(16).toString('hex') : reader.text();
    for (let partitions = reader.length(); partitions > 0; partitions--) {
      const partition = reader.int32();
      const records = reader.take(flexible ? reader.length() : reader.int32());
      if (flexible) reader.tags();
      for (let at = 0; at + 61 <= records.length; at += 12 + records.readInt32BE(at + 8))
        batches.push(readBatch(topic, partition, records.subarray(at)));
    }
    if (flexible) reader.tags();
  }
  return { acks, batches };
}

/** A Metadata answer with every advertised broker replaced by what `replace` gives for it; all else is left as it is. */
export function rewriteBrokers(
  frame: Buffer,
  version: number,
  replace: (host: string, port: number) => { host: string; port: number },
): Buffer {
  const flexible = version >= 9;
  const reader = new Reader(frame, 8, flexible);
  if (flexible) reader.tags();
  if (version >= 3) reader.int32(); // throttle time
  const parts = [frame.subarray(4, reader.at)];
  const count = reader.length();
  parts.push(encodeLength(count, flexible));
  for (let left = count; left > 0; left--) {
    const node = reader.take(4);
    const { host, port } = replace(reader.text(), reader.int32());
    const text = Buffer.from(host);
    const portBytes = Buffer.alloc(4);
    portBytes.writeInt32BE(port);
    const length = flexible ? encodeLength(text.length, true) : Buffer.from([text.length >> 8, text.length & 0xff]);
    const rest = reader.at;
    if (version >= 1) reader.text(); // rack
    if (flexible) reader.tags();
    parts.push(node, length, text, portBytes, frame.subarray(rest, reader.at));
  }
  parts.push(frame.subarray(reader.at));
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** An ApiVersions answer (0 to 3) in which the newest version of some APIs, by name, is no newer than given. In place. */
export function capVersions(frame: Buffer, version: number, caps: Readonly<Record<string, number>>): void {
  const flexible = version >= 3;
  const reader = new Reader(frame, 8, flexible);
  const errorCode = reader.int16();
  if (errorCode !== 0) return;
  for (let left = reader.length(); left > 0; left--) {
    const cap = caps[apiNames[reader.int16()] ?? ''];
    reader.int16();
    if (reader.int16() > (cap ?? Infinity)) frame.writeInt16BE(cap!, reader.at - 2);
    if (flexible) reader.tags();
  }
}

function readBatch(topic: string, partition: number, batch: Buffer): ProducedBatch {
  if (batch[16] !== 2) throw new Error(`record batch of format ${batch[16]}: only format 2 is known here`);
  return {
    topic,
    partition,
    producerId: batch.readBigInt64BE(43),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    records: batch.readInt32BE(57),
    bytes: 12 + batch.readInt32BE(8),
    codec: batch.readInt16BE(21) & 7,
  };
}

function encodeLength(length: number, flexible: boolean): Buffer {
  if (!flexible) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(length);
    return bytes;
  }
  const bytes: number[] = [];
  let value = length + 1;
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return Buffer.from(bytes);
}

/** Reads forward; `flexible` chooses the compact forms of newer versions. */
class Reader {
  readonly #bytes: Buffer;
  readonly #flexible: boolean;
  at: number;

  constructor(bytes: Buffer, at: number, flexible: boolean) {
    this.#bytes = bytes;
    this.at = at;
    this.#flexible = flexible;
  }

  take(count: number): Buffer {
    const end = this.at + Math.max(0, count);
    if (end > this.#bytes.length) throw new Error('the frame ends before its contents');
    const part = this.#bytes.subarray(this.at, end);
    this.at = end;
    return part;
  }

  int16(): number {
    return this.take(2).readInt16BE(0);
  }

  int32(): number {
    return this.take(4).readInt32BE(0);
  }

  /** The length of a list or of bytes; -1 is null. */
  length(): number {
    return this.#flexible ? this.#varint() - 1 : this.int32();
  }

  text(): string {
    return this.take(this.#flexible ? this.#varint() - 1 : this.int16()).toString();
  }

  legacyText(): string {
    return this.take(this.int16()).toString();
  }

  tags(): void {
    for (let count = this.#varint(); count > 0; count--) {
      this.#varint();
      this.take(this.#varint());
    }
  }

  #varint(): number {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.take(1)[0]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
}
