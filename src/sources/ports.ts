/** What the sources need from outside, and how the rest reads them. */
import type { FileRead, JsonValue, RecordBatch, SourceRecord } from '../model/index.ts';

/** One consistent reading of a table, query or file, in order, streamed. */
export interface TableReader {
  /**
   * Batches in the source's order, starting after `from` (a `RecordBatch.position` of an earlier reading; null: from
   * the start). Ends early, without error, when the signal aborts. Throws HeadraceError `source_failed`.
   * A slow consumer slows the reading: at most a few batches are held.
   */
  batches(from: JsonValue, signal: AbortSignal): AsyncIterable<RecordBatch>;
  /** How much there is, as far as it is cheap to know: drives the progress bar. `done` of a position, in the same unit. */
  readonly extent: {
    readonly unit: 'bytes' | 'rows';
    readonly total: number | null;
    done(position: JsonValue): number;
  };
  /** False when `from` no longer fits what is there (a file of another size or time): the run starts anew and says so. */
  fits(from: JsonValue): boolean;
  /** The column names where known before reading (checked against added fields), else null. */
  readonly columns: readonly string[] | null;
  close(): Promise<void>;
}

export type OpenFiles = (folder: string, read: FileRead) => Promise<TableReader>;

/** Where accepted events go. Implemented by `syncs/`. */
export interface EventIntake {
  /**
   * Maps the events for every enabled sync of the source and delivers them. Resolves when every one has its outcome
   * (Promise 1), or as unavailable when Kafka did not answer in time: then what was not yet in a send under way has
   * been withdrawn. Never rejects.
   */
  accept(source: string, events: readonly SourceRecord[]): Promise<IntakeAnswer>;
  /** True while shutting down: the collector answers 503 with `Connection: close`. */
  readonly draining: boolean;
}

export type IntakeAnswer =
  | { readonly state: 'safe' }
  | { readonly state: 'unavailable'; readonly retryAfterSeconds: number; readonly reason: string };
