/** The file system as the spool uses it: each step that decides what survives a crash is one call, so that tests can play it. */
import { failpoint } from '../../base/failpoint.ts';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file that is open. Every call may reject with the system's error. */
export interface SpoolFile {
  /** All the buffers, one after the other, from the byte `at`; a short write is gone on with. */
  write(buffers: readonly Buffer[], at: number): Promise<void>;
  /** Fills `into` from the byte `at`; answers how many bytes there were. */
  read(into: Buffer, at: number): Promise<number>;
  /** What was written is on the disk when it resolves. A failed one is never repeated and then believed (P31). */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export interface SpoolFiles {
  /** Makes the folder, for its owner only, with its parents; its name is durable when it resolves. */
  makeFolder(folder: string): Promise<void>;
  /** Names and sizes of the files in a folder, nothing but files; empty where there is none. */
  list(folder: string): Promise<readonly { readonly name: string; readonly bytes: number }[]>;
  /** A new file, for its owner only; rejects when there is one. */
  create(path: string): Promise<SpoolFile>;
  open(path: string): Promise<SpoolFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Names made, changed and removed in the folder are durable when it resolves (P33). */
  syncFolder(folder: string): Promise<void>;
}

export const systemFiles: SpoolFiles = {
  async makeFolder(folder) {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined)
      for (let at = folder; at.length >= made.length; at = dirname(at)) await syncFolder(dirname(at));
  },
  async list(folder) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const found = await Promise.all(
      names.map(async (name) => {
        const facts = await stat(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
          // Something that points nowhere is none of ours; what the disk does not tell of may be.
          if (error.code === 'ENOENT' || error.code === 'ELOOP') return null;
          throw error;
        });
        return facts?.isFile() === true ? [{ name, bytes: facts.size }] : [];
      }),
    );
    return found.flat();
  },
  async create(path) {
    failpoint('spool.create.before');
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    failpoint('spool.create.after');
    return new SystemFile(handle);
  },
  open: async (path) => new SystemFile(await open(path, constants.O_RDWR)),
  rename,
  async remove(path) {
    failpoint('spool.remove.before');
    await rm(path, { force: true });
    failpoint('spool.remove.after');
  },
  syncFolder,
};

class SystemFile implements SpoolFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(buffers: readonly Buffer[], at: number): Promise<void> {
    let rest = [...buffers];
    let position = at;
    while (rest.length > 0) {
      // The system takes at most 1024 pieces at once.
      failpoint('spool.write.before');
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, 1024), position);
      failpoint('spool.write.after');
      if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
      position += bytesWritten;
      rest = withoutFirst(rest, bytesWritten);
    }
  }

  async read(into: Buffer, at: number): Promise<number> {
    let filled = 0;
    while (filled < into.length) {
      const { bytesRead } = await this.#handle.read(into, filled, into.length - filled, at + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  async sync(): Promise<void> {
    failpoint('spool.flush.before');
    await this.#handle.datasync();
    failpoint('spool.flush.after');
  }

  truncate = (bytes: number): Promise<void> => this.#handle.truncate(bytes);
  close = (): Promise<void> => this.#handle.close();
}

function withoutFirst(buffers: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  let first = 0;
  while (first < buffers.length && skip >= buffers[first]!.length) skip -= buffers[first++]!.length;
  const rest = buffers.slice(first);
  if (skip > 0) rest[0] = rest[0]!.subarray(skip);
  return rest;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
