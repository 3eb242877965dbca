/**
 * The log of one destination: frames appended to segment files, flushed in groups, read back by window, removed from the
 * front. It knows sequences and bytes; what a message is and when it is done, others know.
 */
import { join } from 'node:path';
import { afterTurn } from '../../base/turn.ts';
import { SpoolRefusal, isFull, refusalOf } from './refusal.ts';
import { LogReader, type ReadFrames, type ReadPosition } from './log-reader.ts';
import { openSegments } from './open-segments.ts';
import type { SpoolFile, SpoolFiles } from './files.ts';
import { SEGMENT_HEADER_BYTES, encodeHeader, segmentName } from './segment.ts';

export interface LogOptions {
  readonly files: SpoolFiles;
  readonly folder: string;
  /** A segment that has reached this is followed by a new one. */
  readonly segmentBytes: number;
  /** Bytes of all segments together; beyond, appending is refused. A function where it may change. */
  readonly maxBytes: number | (() => number);
  /** Sequences are given from here on, as far as the files say nothing higher. */
  readonly from: number;
  /** Something was damaged; the sentence says what and where. */
  readonly warned: (message: string) => void;
}

/** One file. The bytes up to `readable` are flushed, or were found sound at the start. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: SpoolFile;
  readonly firstSequence: number;
  readonly safeBefore: number;
  readable: number;
  /** The sequence after its last frame; null while nobody has looked. */
  endSequence: number | null;
  /** Damage was found in it: it is kept aside when it is done. */
  damaged: boolean;
  /** The sequence after the last frame that was read from it. */
  seen: number;
}

interface Waiting {
  readonly frame: Buffer;
  readonly endSequence: number;
  readonly resolve: () => void;
  readonly reject: (refusal: SpoolRefusal) => void;
}

/** One group is written and flushed at a time; more than this waits for the next. */
const GROUP_BYTES = 4 * 1024 * 1024;

export class Log {
  readonly #options: LogOptions;
  readonly #segments: Segment[];
  readonly #reader: LogReader;
  /** Takes appends; null: the next one begins a new segment. */
  #active: Segment | null = null;
  #nextNumber: number;
  #nextSequence: number;
  #flushedSequence: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing = false;
  /** Tells those whose frames are flushed. */
  #untold: (() => void) | null = null;
  #writer: Promise<void> = Promise.resolve();
  #bytes: number;
  /** One thing at a time is done to the files. */
  #turn: Promise<unknown> = Promise.resolve();
  /** No file is closed under a reader. */
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(options: LogOptions, found: Awaited<ReturnType<typeof openSegments>>) {
    this.#options = options;
    this.#segments = found.segments;
    this.#nextNumber = found.nextNumber;
    this.#nextSequence = Math.max(options.from, found.nextSequence);
    this.#flushedSequence = this.#nextSequence;
    this.#bytes = found.segments.reduce((sum, { readable }) => sum + readable, 0);
    this.#reader = new LogReader(this.#segments, options.warned);
  }

  /**
   * Looks at the headers and at the last segment only, whatever the size: the rest is verified when it is read. A torn
   * tail is cut. Throws HeadraceError for files of a newer version, and the system's errors.
   */
  static async open(options: LogOptions): Promise<Log> {
    return new Log(options, await openSegments(options.files, options.folder, options.warned));
  }

  /** The sequence that the next message gets. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Every frame below is flushed, or was refused. */
  get flushedSequence(): number {
    return this.#flushedSequence;
  }

  /** On the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  get firstSequence(): number {
    return this.#segments[0]?.firstSequence ?? this.#nextSequence;
  }

  /**
   * Adds a frame of `count` messages; `encode` gets the sequence of the first. `flushed` resolves when it is on the disk
   * (Promise 1) and rejects with SpoolRefusal when it is not. Throws SpoolRefusal when there is no room.
   */
  append(
    count: number,
    encode: (firstSequence: number) => Buffer,
  ): { readonly firstSequence: number; readonly flushed: Promise<void> } {
    const firstSequence = this.#nextSequence;
    const frame = encode(firstSequence);
    const given = this.#options.maxBytes;
    const maxBytes = typeof given === 'number' ? given : given();
    if (this.#bytes + this.#waitingBytes + frame.length > maxBytes) {
      throw new SpoolRefusal(`the spool has reached its limit of ${maxBytes} bytes (spool.max_bytes)`);
    }
    this.#nextSequence += count;
    const endSequence = this.#nextSequence;
    this.#waitingBytes += frame.length;
    const flushed = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ frame, endSequence, resolve, reject });
    });
    if (!this.#writing) this.#writer = this.#writeAll();
    return { firstSequence, flushed };
  }

  /** Frames from a position on, about `bytes` of them; none at the end of what is flushed. */
  async read(from: ReadPosition, bytes: number): Promise<ReadFrames> {
    const reading = this.#reader.read(from, bytes);
    this.#reading = reading.catch(() => undefined);
    return await reading;
  }

  /** Where reading must begin to find a sequence and all that follow. */
  positionOf(sequence: number): ReadPosition {
    return this.#reader.positionOf(sequence);
  }

  /** Removes the segments whose messages are all below. To be called once that is durable elsewhere (P33). */
  removeBefore(sequence: number): Promise<void> {
    return this.#inTurn(async () => {
      const { files, folder } = this.#options;
      let removed = 0;
      for (let first = this.#segments[0]; first !== undefined; first = this.#segments[0]) {
        const end = this.#segments[1]?.firstSequence ?? first.endSequence;
        await this.#readingEnded();
        if (end === null || end > sequence || (first === this.#active && this.#waiting.length > 0)) break;
        if (first === this.#active) this.#active = null;
        this.#segments.shift();
        this.#bytes -= first.readable;
        await first.file.close();
        if (first.damaged) await files.rename(first.path, `${first.path}.damaged`);
        else await files.remove(first.path);
        removed++;
      }
      if (removed > 0) await files.syncFolder(folder);
    });
  }

  /** Resolves when nothing waits for its flush. */
  written(): Promise<void> {
    return this.#writer;
  }

  /** Waits for what is being written and closes the files; nothing may be appended after. */
  async close(): Promise<void> {
    await this.#writer;
    await this.#inTurn(async () => {
      await this.#readingEnded();
      for (const { file } of this.#segments) await file.close();
    });
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    // Everything that comes within this turn of the event loop goes with the first.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#inTurn(() => this.#writeGroup(this.#nextGroup()));
    this.#writing = false;
    this.#tell();
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.frame.length <= GROUP_BYTES))
      bytes += this.#waiting[count++]!.frame.length;
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  /** One write and one flush for the whole group: whoever waits is told after that and not before. */
  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const refusal = await this.#store(group).then(
      () => null,
      (error: unknown) => refusalOf(error),
    );
    this.#flushedSequence = group.at(-1)!.endSequence;
    // Those before, where what came after them never got as far as being written.
    this.#tell();
    this.#untold = () => {
      for (const { resolve, reject } of group) {
        if (refusal === null) resolve();
        else reject(refusal);
      }
    };
    // The next group is on its way first: answering takes long enough for the disk to be idle meanwhile.
    if (this.#waiting.length === 0) this.#tell();
    else afterTurn(() => this.#tell());
  }

  #tell(): void {
    const tell = this.#untold;
    this.#untold = null;
    tell?.();
  }

  /** P31: a flush that failed is not repeated; what it was to save is written to a new segment, once. */
  async #store(group: readonly Waiting[]): Promise<void> {
    try {
      await this.#storeIn(await this.#segmentForMore(), group);
    } catch (error) {
      const full = isFull(error);
      await this.#abandon(full);
      if (full) throw error;
      try {
        await this.#storeIn(await this.#segmentForMore(), group);
      } catch (again) {
        await this.#abandon(isFull(again));
        throw again;
      }
    }
  }

  async #storeIn(segment: Segment, group: readonly Waiting[]): Promise<void> {
    const fresh = segment.readable === 0;
    const frames = group.map(({ frame }) => frame);
    const pieces = fresh ? [encodeHeader(segment), ...frames] : frames;
    const at = segment.readable;
    const written = segment.file.write(pieces, at);
    this.#tell();
    await written;
    await segment.file.sync();
    // A file whose name is not durable is not there after a power loss (P33).
    if (fresh) await this.#options.files.syncFolder(this.#options.folder);
    let offset = at + (fresh ? SEGMENT_HEADER_BYTES : 0);
    let first = segment.endSequence ?? segment.firstSequence;
    for (const { frame, endSequence } of group) {
      this.#reader.note(segment, first, offset);
      offset += frame.length;
      first = endSequence;
    }
    segment.readable = offset;
    segment.endSequence = first;
    this.#bytes += offset - at;
  }

  /** The segment that takes what comes: the present one while it has room, else a new one. */
  async #segmentForMore(): Promise<Segment> {
    const { files, folder, segmentBytes } = this.#options;
    if (this.#active !== null && this.#active.readable < segmentBytes) return this.#active;
    const number = this.#nextNumber++;
    const path = join(folder, segmentName(number));
    const file = await files.create(path);
    const firstSequence = this.#flushedSequence;
    const segment = {
      number,
      path,
      file,
      firstSequence,
      safeBefore: this.#safeBefore(),
      readable: 0,
      endSequence: null,
      damaged: false,
      seen: firstSequence,
    };
    this.#active = segment;
    this.#segments.push(segment);
    return segment;
  }

  #safeBefore(): number {
    return this.#segments.at(-1)?.endSequence ?? this.#flushedSequence;
  }

  /** Nothing more goes to the present segment; what it holds that was flushed stays readable. */
  async #abandon(keepIfMended: boolean): Promise<void> {
    const segment = this.#active;
    if (segment === null) return;
    const mended = await segment.file.truncate(segment.readable).then(
      () => true,
      () => false,
    );
    if (keepIfMended && mended && segment.readable > 0) return;
    this.#active = null;
    if (segment.readable > 0) return;
    this.#segments.pop();
    await segment.file.close().catch(() => undefined);
    await this.#options.files.remove(segment.path).catch(() => undefined);
  }

  async #readingEnded(): Promise<void> {
    for (let before: unknown = null; before !== this.#reading;) await (before = this.#reading);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
