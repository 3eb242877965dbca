/**
 * What of the spool is done, on the disk. Two files are written in turn, in place: a write that is torn leaves the other,
 * and saving progress needs no new room on a disk that is full.
 */
import { join } from 'node:path';
import { crc32c } from '../../base/crc32c.ts';
import type { SpoolFile, SpoolFiles } from './files.ts';

export interface Progress {
  /** Of topics that are not listed, every message below is done. */
  readonly base: number;
  /** Topics with messages that are not done, by name. */
  readonly topics: Readonly<Record<string, TopicProgress>>;
  /** Messages that are not done among those below `end`. */
  readonly pending: number;
  /** No sequence below is ever given again. */
  readonly end: number;
}

export interface TopicProgress {
  /** Every message of the topic below is done. */
  readonly cursor: number;
  /** And these above: pairs of the first and the one after the last. */
  readonly done: readonly number[];
}

const NAMES = ['progress.0', 'progress.1'] as const;
const HEADER_BYTES = 24;
const magic = Buffer.from('HRPROG1\n');
/** Written at the start, so that the usual sizes have their blocks. */
const FIRST_BYTES = 16 * 1024;

export class ProgressFile {
  readonly #files: readonly SpoolFile[];
  #generation: number;

  private constructor(files: readonly SpoolFile[], generation: number) {
    this.#files = files;
    this.#generation = generation;
  }

  /** The newer of the two that is sound; null progress where there is none. `damaged`: there was something unreadable. */
  static async open(
    files: SpoolFiles,
    folder: string,
  ): Promise<{ readonly file: ProgressFile; readonly progress: Progress | null; readonly damaged: boolean }> {
    const opened: SpoolFile[] = [];
    try {
      return await ProgressFile.#openBoth(files, folder, opened);
    } catch (error) {
      for (const file of opened) await file.close();
      throw error;
    }
  }

  static async #openBoth(files: SpoolFiles, folder: string, opened: SpoolFile[]): ReturnType<typeof ProgressFile.open> {
    const present = new Set((await files.list(folder)).map(({ name }) => name));
    let best: { generation: number; progress: Progress } | null = null;
    let damaged = false;
    for (const name of NAMES) {
      const path = join(folder, name);
      const file = present.has(name) ? await files.open(path) : await files.create(path);
      opened.push(file);
      const found = present.has(name) ? await read(file) : null;
      if (found === 'damaged') damaged = true;
      else if (found !== null && (best === null || found.generation > best.generation)) best = found;
      if (!present.has(name)) await file.write([Buffer.alloc(FIRST_BYTES)], 0);
      if (!present.has(name)) await file.sync();
    }
    if (present.size < NAMES.length) await files.syncFolder(folder);
    const file = new ProgressFile(opened, best?.generation ?? 0);
    return { file, progress: best?.progress ?? null, damaged: damaged && best === null };
  }

  /** Durable when it resolves. */
  async save(progress: Progress): Promise<void> {
    const generation = this.#generation + 1;
    const body = Buffer.from(JSON.stringify(progress));
    const header = Buffer.alloc(HEADER_BYTES);
    magic.copy(header);
    header.writeDoubleLE(generation, 8);
    header.writeUInt32LE(body.length, 16);
    header.writeUInt32LE(crc32c(Buffer.concat([header.subarray(0, 20), body])), 20);
    const file = this.#files[generation % 2]!;
    await file.write([header, body], 0);
    await file.sync();
    this.#generation = generation;
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

async function read(file: SpoolFile): Promise<{ generation: number; progress: Progress } | 'damaged' | null> {
  const header = Buffer.alloc(HEADER_BYTES);
  if ((await file.read(header, 0)) < HEADER_BYTES || header.every((byte) => byte === 0)) return null;
  if (!header.subarray(0, 8).equals(magic)) return 'damaged';
  const length = header.readUInt32LE(16);
  if (length > 256 * 1024 * 1024) return 'damaged';
  const body = Buffer.alloc(length);
  if ((await file.read(body, HEADER_BYTES)) < length) return 'damaged';
  if (crc32c(Buffer.concat([header.subarray(0, 20), body])) !== header.readUInt32LE(20)) return 'damaged';
  return { generation: header.readDoubleLE(8), progress: JSON.parse(body.toString()) as Progress };
}
