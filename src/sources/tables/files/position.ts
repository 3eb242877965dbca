/** Where a reading of files stands: which file, how far in it, and what the list looked like so far. */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../../../model/index.ts';
import type { ListedFile } from './listing.ts';

/** How far a reading is inside one file. Fields that a format has no use for are left out. */
export interface Place {
  /** Byte (after gunzip) at which the next record starts; for Parquet the number of rows read. */
  readonly next: number;
  /** Lines, elements or rows up to here. */
  readonly line: number;
  /** Bytes of the file itself read so far, where `next` counts others (gzip). */
  readonly packed?: number;
}

/** A `RecordBatch.position` of a files source. */
export interface FilePosition extends Place {
  readonly file: string;
  readonly size: number;
  readonly mtime: number;
  /** Stands for names, sizes and times of the files before this one. */
  readonly before: string;
}

export class FileList {
  readonly files: readonly ListedFile[];
  readonly #before: string[] = [];

  constructor(files: readonly ListedFile[]) {
    this.files = files;
    const hash = createHash('sha256');
    for (const file of files) {
      this.#before.push(hash.copy().digest('base64url').slice(0, 16));
      hash.update(JSON.stringify([file.name, file.size, file.mtimeMs]));
    }
  }

  position(index: number, place: Place): JsonValue {
    const file = this.files[index]!;
    const { name, size, mtimeMs } = file;
    return { file: name, size, mtime: mtimeMs, before: this.#before[index]!, ...place };
  }

  /** The file's index and place, or null when the list is not what it was at that position. */
  find(position: JsonValue): { index: number; place: Place } | null {
    if (!isFilePosition(position)) return null;
    const index = this.files.findIndex((file) => file.name === position.file);
    const file = this.files[index];
    if (file === undefined || file.size !== position.size || file.mtimeMs !== position.mtime) return null;
    if (this.#before[index] !== position.before) return null;
    const { next, line, packed } = position;
    return { index, place: packed === undefined ? { next, line } : { next, line, packed } };
  }
}

function isFilePosition(value: unknown): value is FilePosition {
  if (typeof value !== 'object' || value === null) return false;
  const { file, size, mtime, before, next, line } = value as Partial<FilePosition>;
  return (
    typeof file === 'string' &&
    typeof before === 'string' &&
    [size, mtime, next, line].every((number) => typeof number === 'number' && number >= 0)
  );
}
