/** A dead letter: a rejected message, or a record that never became one, kept byte for byte with its reason. */
import type { ErrorCode } from './errors.ts';
import type { Header } from './message.ts';

export interface DeadLetter {
  readonly sync: string;
  /** null for event syncs. */
  readonly run: string | null;
  readonly code: ErrorCode;
  readonly reason: string;
  /** The field of the message or the column that is at fault, where known. */
  readonly field: string | null;
  /** Where the record stood in its source, e.g. `orders.csv:17`. */
  readonly position: string | null;
  /** null: the record never became a message; then key, value and timestamp are null, headers empty. */
  readonly topic: string | null;
  readonly partition: number | null;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  readonly timestampMs: number | null;
  /** The record as the source gave it, where known. */
  readonly raw: Buffer | null;
  /** The bytes whose hash chose the partition, where it is not `partition` and not the key. */
  readonly partitionKey?: Buffer | null;
  /** The same for the same record however often it is rejected or redriven: by it readers drop doubles. */
  readonly identity?: string;
  /** How often it was sent. */
  readonly attempts?: number;
  /** Where it was tried last, where `partition` does not say so. Told to readers of a topic, and not kept in the state. */
  readonly triedPartition?: number;
}

/** What there is of one reason. */
export interface DeadLetterGroup {
  readonly code: ErrorCode;
  readonly count: number;
  /** When the first and the last was stored: ISO 8601 UTC. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** The reason of the last one. */
  readonly example: string;
}

export interface StoredDeadLetter extends DeadLetter {
  /** Grows with each dead letter. */
  readonly id: number;
  /** ISO 8601 UTC with milliseconds. */
  readonly createdAt: string;
}

/** Up to where one partition of a topic of dead letters is done for one sync. */
export interface LetterPosition {
  readonly partition: number;
  /** The first offset that is not done. */
  readonly next: bigint;
  /** Offsets above it that are done all the same. */
  readonly done: readonly bigint[];
  /** Of the topic that the offsets belong to; null: its brokers do not tell. */
  readonly topicId: string | null;
}
