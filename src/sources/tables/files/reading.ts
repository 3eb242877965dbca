/** What every format gives to the reader of several files, and what their batches are limited to. */
import type { SourceRecord, SourceRejection } from '../../../model/index.ts';
import type { Place } from './position.ts';

/** Records of one file that belong together, and where the file stands after them. */
export interface FileBatch {
  readonly records: SourceRecord[];
  readonly rejections: SourceRejection[];
  readonly place: Place;
  readonly bytes: number;
}

/** Reads one file from a place (null: its start). Ends when the signal aborts. */
export type ReadFile = (from: Place | null, signal: AbortSignal) => AsyncGenerator<FileBatch>;

/** A batch is handed on when it has this many records … */
export const batchRecords = 1000;
/** … or this many bytes. */
export const batchBytes = 1_048_576;
/** A longer line, row or element is rejected: nothing that long fits a message, and memory stays bounded (Promise 9). */
export const maxRecordBytes = 16_777_216;
/** Of a record that was too long, this much is kept for the dead letter. */
export const keptRawBytes = 65_536;

/** `raw` is copied, so that a rejection kept for long does not hold a whole piece of the file. */
export function rejectRow(position: string, reason: string, raw: Buffer | null, field?: string): SourceRejection {
  return {
    position,
    outcome: { state: 'rejected', code: 'row_invalid', reason, ...(field === undefined ? {} : { field }) },
    raw: raw === null ? null : Buffer.from(raw.subarray(0, raw.length > maxRecordBytes ? keptRawBytes : raw.length)),
  };
}

/** For texts that quote a value: at most 60 characters of it, on one line. */
export function shortened(text: string): string {
  const line = JSON.stringify(text.length > 60 ? text.slice(0, 57) : text);
  return text.length > 60 ? `${line.slice(0, -1)}…"` : line;
}

export const noBytes: Buffer = Buffer.alloc(0);
