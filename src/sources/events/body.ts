/** Reading the body of a request within bounds: of one body, and of all that are under way. */
import type { IncomingMessage } from 'node:http';
import { brotliDecompressSync, constants, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** What becomes of a body; exactly one of them is called, unless the client goes away first: then none. */
export interface BodyReceiver {
  /** The whole body as it came, still compressed. */
  bodyArrived(body: Buffer): void;
  /** It is over the limit. What still comes is thrown away. */
  bodyTooLarge(): void;
  /** Too many slow uploads at once, and this one is the oldest. What still comes is thrown away. */
  bodyEvicted(): void;
}

const nothing: Buffer = Buffer.alloc(0);
/** So much of a refused body is read and thrown away, that its sender sees the answer; then the line is cut. */
const thrownAwayBytes = 16 * 1024 * 1024;

/**
 * The uploads that are under way. Together they hold at most `maxBytes`; beyond, the oldest is given up, so that
 * clients which never finish cannot keep others out.
 */
export class Uploads {
  readonly #maxBytes: number;
  /** In the order they began. */
  readonly #open = new Set<Upload>();
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of unfinished bodies in memory now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Reads the body of `request`, at most `limitBytes` as they come over the wire. */
  read(request: IncomingMessage, limitBytes: number, receiver: BodyReceiver): void {
    const upload = new Upload(this, request, limitBytes, receiver);
    request.on('data', (chunk: Buffer) => upload.take(chunk));
    request.on('end', () => upload.end());
    upload.begin();
  }

  /** An upload needs memory beyond its first chunk. */
  hold(upload: Upload, bytes: number): void {
    this.#open.add(upload);
    this.#heldBytes += bytes;
    while (this.#heldBytes > this.#maxBytes && this.#open.size > 1) {
      const [oldest] = this.#open;
      if (oldest === undefined) return;
      oldest.evict();
    }
  }

  release(upload: Upload, bytes: number): void {
    this.#open.delete(upload);
    this.#heldBytes -= bytes;
  }
}

class Upload {
  readonly #uploads: Uploads;
  readonly #request: IncomingMessage;
  readonly #limitBytes: number;
  readonly #announcedBytes: number;
  readonly #receiver: BodyReceiver;
  #body = nothing;
  #length = 0;
  #heldBytes = 0;
  #isRefused = false;

  constructor(uploads: Uploads, request: IncomingMessage, limitBytes: number, receiver: BodyReceiver) {
    this.#uploads = uploads;
    this.#request = request;
    this.#limitBytes = limitBytes;
    this.#receiver = receiver;
    this.#announcedBytes = Number(request.headers['content-length'] ?? 0);
  }

  /** Refuses what announces itself as too large before any of it is read. */
  begin(): void {
    if (this.#announcedBytes <= this.#limitBytes) return;
    this.#refuse();
    this.#receiver.bodyTooLarge();
  }

  take(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (this.#isRefused) {
      this.#length = length;
      if (length > thrownAwayBytes) this.#request.destroy();
    } else if (length > this.#limitBytes) {
      this.#refuse();
      this.#receiver.bodyTooLarge();
    } else if (length === this.#announcedBytes && this.#length === 0) {
      // The usual case: the whole body in one piece, which is used as it is.
      this.#body = chunk;
      this.#length = length;
    } else {
      this.#append(chunk, length);
    }
  }

  end(): void {
    if (this.#isRefused) return;
    const body = this.#body.subarray(0, this.#length);
    this.#letGo();
    this.#receiver.bodyArrived(body);
  }

  evict(): void {
    this.#refuse();
    this.#receiver.bodyEvicted();
  }

  // Chunks are copied into one buffer: a client that sends single bytes must not make an object of each.
  #append(chunk: Buffer, length: number): void {
    if (length > this.#body.length) {
      const room = Math.min(this.#limitBytes, Math.max(this.#announcedBytes, 2 * length, 1024));
      const larger = Buffer.allocUnsafeSlow(room);
      this.#body.copy(larger, 0, 0, this.#length);
      if (this.#heldBytes === 0) this.#request.once('close', () => this.#letGo());
      const growth = room - this.#heldBytes;
      this.#body = larger;
      this.#heldBytes = room;
      this.#uploads.hold(this, growth);
      if (this.#isRefused) return;
    }
    chunk.copy(this.#body, this.#length);
    this.#length = length;
  }

  #refuse(): void {
    this.#isRefused = true;
    this.#letGo();
  }

  #letGo(): void {
    if (this.#heldBytes > 0) this.#uploads.release(this, this.#heldBytes);
    this.#heldBytes = 0;
    this.#body = nothing;
  }
}

export type Encoding = 'identity' | 'gzip' | 'deflate' | 'br' | 'zstd';

/** The encoding a `Content-Encoding` header names; null where it is none of those known, or several. */
export function encodingOf(header: string | undefined): Encoding | null {
  if (header === undefined) return 'identity';
  return encodings.get(header.trim().toLowerCase()) ?? null;
}

/**
 * The body without its compression. 'too_large' where it would be more than `limitBytes`: it is never unpacked
 * further than that. 'unreadable' where it is not what its header says.
 */
export function decompress(body: Buffer, encoding: Encoding, limitBytes: number): Buffer | 'too_large' | 'unreadable' {
  if (encoding === 'identity') return body;
  try {
    return decompressors[encoding](body, limitBytes);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'unreadable';
  }
}

const encodings = new Map<string, Encoding>([
  ['', 'identity'],
  ['identity', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
]);

// A zstd frame says how much memory its reader needs: 8 MB is what the strongest usual level asks for.
const zstdWindow = { [constants.ZSTD_d_windowLogMax]: 23 };

const decompressors: Record<Exclude<Encoding, 'identity'>, (body: Buffer, limitBytes: number) => Buffer> = {
  gzip: (body, limitBytes) => gunzipSync(body, { maxOutputLength: limitBytes }),
  deflate: (body, limitBytes) => inflateSync(body, { maxOutputLength: limitBytes }),
  br: (body, limitBytes) => brotliDecompressSync(body, { maxOutputLength: limitBytes }),
  zstd: (body, limitBytes) => zstdDecompressSync(body, { maxOutputLength: limitBytes, params: zstdWindow }),
};
