/** The message: what is produced. */

/** One header. A list, not an object: Kafka keeps order and allows a name twice. */
export type Header = readonly [name: string, value: Buffer | null];

export interface Message {
  readonly topic: string;
  /** Chosen by the mapping (`partition`, `default_partition`); null: by hash of `partitionKey`, else round robin. */
  readonly partition: number | null;
  /** The bytes whose hash chooses the partition when `partition` is null; null: round robin. Usually the key. */
  readonly partitionKey: Buffer | null;
  /** null: no key; length 0: the empty key, which is another thing. */
  readonly key: Buffer | null;
  /** null: a tombstone. */
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  /** Epoch milliseconds. */
  readonly timestampMs: number;
  /** What is missing in it though it goes (a mandatory column that only marks): a run with such messages is marked. */
  readonly flaws?: readonly string[];
}

/** The bytes a message counts as against memory and batch limits: key, value, headers and a fixed overhead. */
export function messageBytes(message: Message): number {
  let bytes =
    70 + (message.key === null ? 0 : message.key.length) + (message.value === null ? 0 : message.value.length);
  for (const [name, value] of message.headers) bytes += name.length + (value === null ? 0 : value.length) + 4;
  return bytes;
}
