/** A broker that answers as a test scripts it: one topic, real frames, sequences checked as Kafka does. */
import { createServer, type Socket } from 'node:net';
import { readBatches } from '../../src/kafka/wire/read-batches.ts';
import { frames, requestHeader } from './kafka-frames.ts';

export type StubCall = 'ApiVersions' | 'Metadata' | 'Metadata partition' | 'InitProducerId' | 'Produce';

export interface StubOptions {
  readonly topic: string;
  readonly partitions: number;
  /** The error code of the n-th answer to this call (counted from 1), 0 for none. Produce: once for each partition. */
  fault(call: StubCall, count: number): number;
  /** What is answered with an error is written all the same: its answer is a lie. */
  readonly appendsAnyway?: boolean;
}

export interface StubBroker extends AsyncDisposable {
  readonly bootstrap: string;
  /** Values by partition, in the order in which they were written. */
  readonly written: readonly (readonly string[])[];
  count(call: StubCall): number;
}

const offered = [
  [0, 3, 8], // Produce
  [3, 1, 5], // Metadata
  [18, 0, 3], // ApiVersions
  [22, 0, 1], // InitProducerId
] as const;

const OUT_OF_ORDER = 45;
const DUPLICATE = 46;

export async function startStubBroker(options: StubOptions): Promise<StubBroker> {
  const counts = new Map<StubCall, number>();
  const written: string[][] = Array.from({ length: options.partitions }, () => []);
  const sequences = new Map<string, number>();
  const sockets = new Set<Socket>();
  let lastProducer = 0n;

  const fault = (call: StubCall): number => {
    const count = (counts.get(call) ?? 0) + 1;
    counts.set(call, count);
    return options.fault(call, count);
  };

  const append = (partition: number, records: Buffer): number => {
    const producer = `${records.readBigInt64BE(43)}/${partition}`;
    const [base, count] = [records.readInt32BE(53), records.readInt32BE(57)];
    const next = sequences.get(producer) ?? 0;
    if (base + count === next) return DUPLICATE;
    if (base !== next) return OUT_OF_ORDER;
    sequences.set(producer, base + count);
    for (const { value } of readBatches(records, 0n).messages) written[partition]!.push(String(value));
    return 0;
  };

  const produce = (frame: Buffer): Buffer => {
    const reader = new Cursor(frame, 12);
    reader.text(); // client id
    reader.text(); // transactional id
    reader.skip(6); // acks, timeout
    const body = new Body().int32(reader.int32());
    const topic = reader.text() ?? '';
    const partitions = reader.int32();
    body.text(topic).int32(partitions);
    for (let i = 0; i < partitions; i++) {
      const partition = reader.int32();
      const records = Buffer.from(reader.take(reader.int32()));
      const scripted = fault('Produce');
      const own = scripted === 0 || options.appendsAnyway === true ? append(partition, records) : 0;
      body.int32(partition).int16(scripted === 0 ? own : scripted);
      body.int64(-1n).int64(-1n).int64(0n).int32(0).text(null);
    }
    return body.int32(0).bytes();
  };

  const metadata = (port: number): Buffer => {
    const code = fault('Metadata');
    const body = new Body().int32(0).int32(1).int32(1).text('127.0.0.1').int32(port).text(null).text('stub').int32(1);
    body.int32(1).int16(code).text(options.topic).int8(0);
    if (code !== 0) return body.int32(0).bytes();
    body.int32(options.partitions);
    for (let partition = 0; partition < options.partitions; partition++) {
      const partitionCode = fault('Metadata partition');
      body
        .int16(partitionCode)
        .int32(partition)
        .int32(partitionCode === 5 ? -1 : 1);
      body.int32(1).int32(1).int32(1).int32(1).int32(0);
    }
    return body.bytes();
  };

  const versions = (version: number): Buffer => {
    const code = fault('ApiVersions');
    const body = new Body().int16(code);
    if (version < 3) {
      body.int32(offered.length);
      for (const [key, min, max] of offered) body.int16(key).int16(min).int16(max);
      return (version === 0 ? body : body.int32(0)).bytes();
    }
    body.int8(offered.length + 1);
    for (const [key, min, max] of offered) body.int16(key).int16(min).int16(max).int8(0);
    return body.int32(0).int8(0).bytes();
  };

  const answer = (frame: Buffer, port: number): Buffer => {
    const { api, version } = requestHeader(frame);
    switch (api) {
      case 'ApiVersions':
        return versions(version);
      case 'Metadata':
        return metadata(port);
      case 'InitProducerId':
        return new Body().int32(0).int16(fault('InitProducerId')).int64(++lastProducer).int16(0).bytes();
      case 'Produce':
        return produce(frame);
      default:
        throw new Error(`the stub does not know ${api}`);
    }
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    void (async () => {
      for await (const frame of frames(socket)) {
        const body = answer(frame, port);
        const head = Buffer.alloc(8);
        head.writeInt32BE(body.length + 4, 0);
        head.writeInt32BE(requestHeader(frame).correlationId, 4);
        socket.write(Buffer.concat([head, body]));
      }
    })().catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    bootstrap: `127.0.0.1:${port}`,
    written,
    count: (call) => counts.get(call) ?? 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Body {
  readonly #parts: Buffer[] = [];

  int8(value: number): this {
    return this.#add(1, (bytes) => bytes.writeInt8(value));
  }
  int16(value: number): this {
    return this.#add(2, (bytes) => bytes.writeInt16BE(value));
  }
  int32(value: number): this {
    return this.#add(4, (bytes) => bytes.writeInt32BE(value));
  }
  int64(value: bigint): this {
    return this.#add(8, (bytes) => bytes.writeBigInt64BE(value));
  }
  text(value: string | null): this {
    this.int16(value === null ? -1 : Buffer.byteLength(value));
    if (value !== null) this.#parts.push(Buffer.from(value));
    return this;
  }
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
  #add(length: number, write: (bytes: Buffer) => void): this {
    const bytes = Buffer.alloc(length);
    write(bytes);
    this.#parts.push(bytes);
    return this;
  }
}

class Cursor {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }
  skip(count: number): void {
    this.#at += count;
  }
  take(count: number): Buffer {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
  int32(): number {
    return this.take(4).readInt32BE(0);
  }
  text(): string | null {
    const length = this.take(2).readInt16BE(0);
    return length < 0 ? null : this.take(length).toString();
  }
}
