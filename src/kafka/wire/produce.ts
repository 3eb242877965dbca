/** The Produce request and its answer, partition by partition: one partition's failure never hides another's success. */
import { Writer, type Reader } from '@platformatic/kafka';

export const PRODUCE_KEY = 0;
/** Versions this writer speaks: 3 is the first with record batches v2 (Kafka 0.11), 11 the last before topic ids. */
export const PRODUCE_VERSIONS = { min: 3, max: 11 } as const;
const FIRST_FLEXIBLE = 9;

export interface PartitionData {
  readonly topic: string;
  readonly partition: number;
  readonly records: Buffer;
  /** Others of the same partition may be under way at the same time. */
  readonly beside?: boolean;
}

/** An upper bound of what a Produce request has beside the batches and what belongs to each, its length included. */
export function envelopeBytes(clientId: string): number {
  return 40 + Buffer.byteLength(clientId);
}

/** An upper bound of what one batch adds beside its own bytes. */
export function besideBatchBytes(topic: string): number {
  return 24 + topic.length;
}

export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly baseOffset: bigint;
  /** Records the broker named as the cause (from version 8). */
  readonly recordErrors: readonly { readonly index: number; readonly message: string | null }[];
}

export function isFlexibleProduce(version: number): boolean {
  return version >= FIRST_FLEXIBLE;
}

export function writeProduceRequest(
  version: number,
  acks: number,
  timeoutMs: number,
  data: readonly PartitionData[],
): Writer {
  const flexible = isFlexibleProduce(version);
  const writer = Writer.create();
  writer.appendString(null, flexible).appendInt16(acks).appendInt32(timeoutMs);
  const topics = Map.groupBy(data, (one) => one.topic);
  writeCount(writer, topics.size, flexible);
  for (const [topic, partitions] of topics) {
    writer.appendString(topic, flexible);
    writeCount(writer, partitions.length, flexible);
    for (const { partition, records } of partitions) {
      writer.appendInt32(partition);
      writeCount(writer, records.length, flexible);
      writer.append(records);
      if (flexible) writer.appendUnsignedVarInt(0);
    }
    if (flexible) writer.appendUnsignedVarInt(0);
  }
  if (flexible) writer.appendUnsignedVarInt(0);
  if (acks === 0) writer.context.noResponse = true;
  return writer;
}

export function readProduceResponse(version: number, reader: Reader): ProduceAnswer {
  const flexible = isFlexibleProduce(version);
  const answers: PartitionAnswer[] = [];
  const topicCount = readCount(reader, flexible);
  for (let i = 0; i < topicCount; i++) {
    const topic = reader.readString(flexible);
    const partitionCount = readCount(reader, flexible);
    for (let j = 0; j < partitionCount; j++) answers.push(readPartition(reader, version, topic));
    if (flexible) reader.readTaggedFields();
  }
  return { answers, throttleMs: reader.readInt32() };
}

/** What a broker answers to one request. */
export interface ProduceAnswer {
  readonly answers: readonly PartitionAnswer[];
  /** P22: how long the broker listens to nothing more on this connection, by a quota. */
  readonly throttleMs: number;
}

function readPartition(reader: Reader, version: number, topic: string): PartitionAnswer {
  const flexible = isFlexibleProduce(version);
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const baseOffset = reader.readInt64();
  reader.readInt64(); // log append time
  if (version >= 5) reader.readInt64(); // log start offset
  const recordErrors: { index: number; message: string | null }[] = [];
  let errorMessage: string | null = null;
  if (version >= 8) {
    const count = readCount(reader, flexible);
    for (let i = 0; i < count; i++) {
      recordErrors.push({ index: reader.readInt32(), message: reader.readNullableString(flexible) });
      if (flexible) reader.readTaggedFields();
    }
    errorMessage = reader.readNullableString(flexible);
  }
  if (flexible) reader.readTaggedFields();
  return { topic, partition, errorCode, errorMessage, baseOffset, recordErrors };
}

/** Array lengths and byte lengths: varint plus one in flexible versions, else 32 bits. */
function writeCount(writer: Writer, count: number, flexible: boolean): void {
  if (flexible) writer.appendUnsignedVarInt(count + 1);
  else writer.appendInt32(count);
}

function readCount(reader: Reader, flexible: boolean): number {
  return flexible ? reader.readUnsignedVarInt() - 1 : reader.readInt32();
}
