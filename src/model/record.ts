/** The record: one unit as a source gives it, before mapping. */
import type { Outcome } from './outcome.ts';

/** What happened to the thing a record describes; `none` for events. */
export type Operation = 'created' | 'updated' | 'deleted' | 'none';

/**
 * Any JSON value. Numbers whose digits a double would change are kept as `JSON.rawJSON` objects (see
 * `base/json.ts`), which `JSON.stringify` prints digit for digit.
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

export interface SourceRecord {
  readonly operation: Operation;
  /** Table, file or event type the record came from. */
  readonly stream: string;
  readonly namespace: string | null;
  /** Where the record stands, readable by a person, e.g. `orders.csv:17`. */
  readonly position: string;
  /** The parsed record; the root of every `$.` path. Getter: sources that hold bytes parse on first use. */
  readonly data: JsonValue;
  /** The record as UTF-8 JSON exactly as the source gave it, or null where the source has no such bytes. */
  readonly bytes: Buffer | null;
  /**
   * True while nobody has parsed or checked `bytes` yet: the mapping then checks them with a scan that is several times
   * as fast, and rejects the record (`row_invalid`) when they are not JSON. `data` may throw SyntaxError then.
   */
  readonly unparsed?: boolean;
  /** Epoch milliseconds: an event's `receivedAt`; null for rows, whose message takes the run's `synced_at`. */
  readonly receivedAtMs: number | null;
  /** An event's `messageId`; null for rows. */
  readonly messageId: string | null;
}

/**
 * Records that a source hands on together, with what to save once all of them have their outcome.
 * `rejections` are records the source could not read (a broken line, a value that does not fit its column).
 */
export interface RecordBatch {
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly SourceRejection[];
  /** Position after the last record of this batch, in the source's own terms: JSON, small. */
  readonly position: JsonValue;
  /** Rough bytes the batch holds in memory. */
  readonly bytes: number;
}

/** A record that never became one: the reason, and what could be read of it. */
export interface SourceRejection {
  readonly position: string;
  readonly outcome: Outcome & { state: 'rejected' };
  /** The raw text or bytes as far as known, for the dead letter. */
  readonly raw: Buffer | null;
}
