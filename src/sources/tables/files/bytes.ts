/** A file's bytes piece by piece: plain or gunzipped, from any offset, read ahead by one piece. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HeadraceError } from '../../../model/index.ts';
import { reasonOf, type ListedFile } from './listing.ts';
import { noBytes } from './reading.ts';

export interface ByteReader {
  /**
   * The next bytes with `carry` (what the caller could not use of the last piece) before them; null at the end and
   * after it. The
   * buffer is the caller's to keep. Throws HeadraceError `source_failed`.
   */
  next(carry: Buffer): Promise<Buffer | null>;
  /** Bytes of the file itself read so far when it is packed, else undefined. */
  readonly packed: number | undefined;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Offset of the first byte wanted, after gunzip. */
  readonly from: number;
  readonly pieceBytes: number;
}

/** Opens the file that was listed; throws HeadraceError when it is no longer that file. */
export async function openBytes(file: ListedFile, options: ReadOptions): Promise<ByteReader> {
  const handle = await openListed(file);
  return file.gzip ? new PackedBytes(file, handle, options) : new PlainBytes(file, handle, options);
}

/**
 * Like `next`, but reads at least as much as it carries: a record over many pieces is looked through a few times, not
 * once for each piece.
 */
export async function nextDoubling(reader: ByteReader, carry: Buffer): Promise<Buffer | null> {
  const piece = await reader.next(carry);
  if (piece === null || piece.length >= 2 * carry.length) return piece;
  const pieces = [piece];
  let length = piece.length;
  while (length < 2 * carry.length) {
    const more = await reader.next(noBytes);
    if (more === null) break;
    pieces.push(more);
    length += more.length;
  }
  return Buffer.concat(pieces, length);
}

/**
 * Opens the path without following a last link and without waiting for a pipe's other end, then makes sure that it
 * still is the regular file that was listed: someone who can write to the folder may have swapped it since.
 */
export async function openListed(file: ListedFile): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw new HeadraceError('source_failed', `${file.name} cannot be opened: ${reasonOf(cause)}.`, {
      path: 'read.file',
      remedy: 'Check that it exists and may be read.',
      cause,
    });
  }
  try {
    await expectUnchanged(file, handle);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** One consistent reading: what changes under it cannot be trusted. Checked before the first and after the last byte. */
export async function expectUnchanged(file: ListedFile, handle: FileHandle): Promise<void> {
  const facts = await handle.stat();
  if (facts.isFile() && facts.size === file.size && facts.mtimeMs === file.mtimeMs) return;
  throw new HeadraceError('source_failed', `${file.name} changed while it was read.`, {
    path: 'read.file',
    remedy: 'Write files under another name and rename them when they are complete, then run again.',
  });
}

function failed(file: ListedFile, cause: unknown): HeadraceError {
  if (cause instanceof HeadraceError) return cause;
  const code = (cause as NodeJS.ErrnoException).code;
  const reason = code?.startsWith('Z_') ? `it is no whole gzip file (${(cause as Error).message})` : reasonOf(cause);
  return new HeadraceError('source_failed', `${file.name} could not be read: ${reason}.`, {
    path: 'read.file',
    remedy: code?.startsWith('Z_') ? 'Pack it again, or copy it again.' : 'Check the disk and the permissions.',
    cause,
  });
}

/** Room left before each piece, so that a short carry is put there instead of copying the piece. */
const headroomBytes = 65_536;

interface Filled {
  readonly buffer: Buffer;
  readonly length: number;
}

class PlainBytes implements ByteReader {
  readonly packed = undefined;
  readonly #file: ListedFile;
  readonly #handle: FileHandle;
  readonly #pieceBytes: number;
  #offset: number;
  #ahead: Promise<Filled>;

  constructor(file: ListedFile, handle: FileHandle, options: ReadOptions) {
    this.#file = file;
    this.#handle = handle;
    this.#pieceBytes = options.pieceBytes;
    this.#offset = options.from;
    this.#ahead = this.#fill();
  }

  async next(carry: Buffer): Promise<Buffer | null> {
    const { buffer, length } = await this.#ahead;
    if (length === 0) return null;
    this.#ahead = this.#fill();
    const end = headroomBytes + length;
    if (carry.length > headroomBytes) return Buffer.concat([carry, buffer.subarray(headroomBytes, end)]);
    const start = headroomBytes - carry.length;
    carry.copy(buffer, start);
    return buffer.subarray(start, end);
  }

  async close(): Promise<void> {
    await this.#ahead.catch(() => {});
    await this.#handle.close();
  }

  #fill(): Promise<Filled> {
    const filled = this.#read();
    // It is awaited with the next call; until then a failure is nobody's yet.
    filled.catch(() => {});
    return filled;
  }

  async #read(): Promise<Filled> {
    const wanted = Math.min(this.#pieceBytes, this.#file.size - this.#offset);
    const buffer = Buffer.allocUnsafeSlow(headroomBytes + Math.max(wanted, 0));
    let length = 0;
    try {
      while (length < wanted) {
        const { bytesRead } = await this.#handle.read(buffer, headroomBytes + length, wanted - length, this.#offset);
        if (bytesRead === 0) break;
        length += bytesRead;
        this.#offset += bytesRead;
      }
      if (length === 0) await expectUnchanged(this.#file, this.#handle);
    } catch (cause) {
      throw failed(this.#file, cause);
    }
    return { buffer, length };
  }
}

class PackedBytes implements ByteReader {
  readonly #file: ListedFile;
  readonly #handle: FileHandle;
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #stream: Readable;
  #skip: number;
  #packed = 0;

  constructor(file: ListedFile, handle: FileHandle, options: ReadOptions) {
    this.#file = file;
    this.#handle = handle;
    this.#skip = options.from;
    const gunzip = createGunzip({ chunkSize: options.pieceBytes });
    this.#stream = gunzip;
    // The iterator reports errors; `pipeline` only sees to it that both ends are closed.
    pipeline(Readable.from(this.#packedPieces(), { objectMode: false }), gunzip, () => {});
    this.#pieces = gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  get packed(): number {
    return this.#packed;
  }

  async next(carry: Buffer): Promise<Buffer | null> {
    try {
      for (;;) {
        const { value, done } = await this.#pieces.next();
        if (done === true) break;
        const piece = value.subarray(Math.min(this.#skip, value.length));
        this.#skip -= value.length - piece.length;
        if (piece.length > 0) return carry.length === 0 ? piece : Buffer.concat([carry, piece]);
      }
      await expectUnchanged(this.#file, this.#handle);
      return null;
    } catch (cause) {
      throw failed(this.#file, cause);
    }
  }

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#handle.close();
  }

  async *#packedPieces(): AsyncGenerator<Buffer> {
    while (this.#packed < this.#file.size) {
      const wanted = Math.min(65_536, this.#file.size - this.#packed);
      const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, this.#packed);
      if (bytesRead === 0) return;
      this.#packed += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}
