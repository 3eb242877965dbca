/** Several files read as one: in order of their names, with one position and one extent. */
import { HeadraceError, type JsonValue, type RecordBatch } from '../../../model/index.ts';
import type { TableReader } from '../../ports.ts';
import type { ListedFile } from './listing.ts';
import { FileList, type Place } from './position.ts';
import type { ReadFile } from './reading.ts';

/** One file with the way to read it. */
export interface FileToRead {
  readonly file: ListedFile;
  readonly read: ReadFile;
  /** Rows where the format tells (Parquet), else null. */
  readonly rows: number | null;
  readonly columns: readonly string[] | null;
}

export class FilesReader implements TableReader {
  readonly columns: readonly string[] | null;
  readonly extent: TableReader['extent'];
  readonly #files: readonly FileToRead[];
  readonly #list: FileList;
  readonly #release: () => Promise<void>;

  constructor(files: readonly FileToRead[], release: () => Promise<void>) {
    this.#files = files;
    this.#list = new FileList(files.map(({ file }) => file));
    this.#release = release;
    this.columns = commonColumns(files);
    this.extent = extentOf(files, this.#list);
  }

  async *batches(from: JsonValue, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    const start = from === null ? { index: 0, place: null } : this.#list.find(from);
    if (start === null) {
      throw new HeadraceError('source_failed', 'The files are not those that the checkpoint was made in.', {
        path: 'read.file',
        remedy: 'Start a new run.',
      });
    }
    let place: Place | null = start.place;
    for (let index = start.index; index < this.#files.length && !signal.aborted; index++) {
      for await (const batch of this.#files[index]!.read(place, signal)) {
        const { records, rejections, bytes } = batch;
        yield { records, rejections, bytes, position: this.#list.position(index, batch.place) };
      }
      place = null;
    }
  }

  fits(from: JsonValue): boolean {
    return from === null || this.#list.find(from) !== null;
  }

  close(): Promise<void> {
    return this.#release();
  }
}

function commonColumns(files: readonly FileToRead[]): readonly string[] | null {
  const names = new Set<string>();
  for (const { columns } of files) {
    if (columns === null) return null;
    for (const name of columns) names.add(name);
  }
  return [...names];
}

/** Rows when every file tells them, else bytes on disk (of a Parquet file then the share of its rows). */
function extentOf(files: readonly FileToRead[], list: FileList): TableReader['extent'] {
  const unit = files.every(({ rows }) => rows !== null) ? 'rows' : 'bytes';
  const sizes = files.map(({ file, rows }) => (unit === 'rows' ? rows! : file.size));
  const ends: number[] = [];
  let total = 0;
  for (const size of sizes) ends.push((total += size));
  return {
    unit,
    total,
    done(position) {
      const found = position === null ? null : list.find(position);
      if (found === null) return 0;
      const { rows, file } = files[found.index]!;
      const { next, packed } = found.place;
      const inFile = unit === 'bytes' && rows !== null ? (next / Math.max(rows, 1)) * file.size : (packed ?? next);
      return ends[found.index]! - sizes[found.index]! + inFile;
    },
  };
}
