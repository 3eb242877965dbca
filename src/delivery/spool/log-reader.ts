/** Reads the frames of a log by window: memory does not grow with the spool (Promise 9). Damage is passed over and told. */
import {
  claimedLength,
  decodeFrame,
  findFrame,
  frameAt,
  sequencesOf,
  FRAME_HEADER_BYTES,
  type Frame,
} from './frame.ts';
import type { Segment } from './log.ts';
import { SEGMENT_HEADER_BYTES } from './segment.ts';

export interface ReadPosition {
  /** Of the segment. */
  readonly number: number;
  readonly offset: number;
}

export interface ReadFrames {
  readonly frames: readonly Frame[];
  /** Where to go on. */
  readonly next: ReadPosition;
}

/** A place is remembered each so many bytes, so that reading can begin near a sequence. */
const NOTE_EVERY_BYTES = 256 * 1024;

interface Note {
  readonly sequence: number;
  readonly offset: number;
}

export class LogReader {
  readonly #segments: readonly Segment[];
  readonly #warned: (message: string) => void;
  readonly #notes = new WeakMap<Segment, Note[]>();
  /** Damage and gaps that have been told. */
  readonly #told = new Set<string>();

  constructor(segments: readonly Segment[], warned: (message: string) => void) {
    this.#segments = segments;
    this.#warned = warned;
  }

  positionOf(sequence: number): ReadPosition {
    let segment = this.#segments[0];
    for (const one of this.#segments) if (one.firstSequence <= sequence) segment = one;
    if (segment === undefined) return { number: 0, offset: 0 };
    let offset = SEGMENT_HEADER_BYTES;
    for (const note of this.#notes.get(segment) ?? []) if (note.sequence <= sequence) offset = note.offset;
    return { number: segment.number, offset };
  }

  /** Remembers that the frame at an offset begins with a sequence. */
  note(segment: Segment, sequence: number, offset: number): void {
    let notes = this.#notes.get(segment);
    if (notes === undefined) this.#notes.set(segment, (notes = []));
    const last = notes.at(-1);
    if (last === undefined || (offset >= last.offset + NOTE_EVERY_BYTES && sequence > last.sequence))
      notes.push({ sequence, offset });
  }

  async read(from: ReadPosition, bytes: number): Promise<ReadFrames> {
    for (let { number, offset } = from; ;) {
      const segment = this.#segments.find((one) => one.number >= number);
      if (segment === undefined) return { frames: [], next: { number, offset } };
      if (segment.number > number) [number, offset] = [segment.number, 0];
      offset = Math.max(offset, SEGMENT_HEADER_BYTES);
      if (offset >= segment.readable) {
        const after = this.#segments.find((one) => one.number > number);
        if (after === undefined || after.readable === 0) return { frames: [], next: { number, offset } };
        this.#checkGap(segment, after);
        [number, offset] = [after.number, SEGMENT_HEADER_BYTES];
        continue;
      }
      const { frames, end } = await this.#readIn(segment, offset, bytes);
      offset = end;
      if (frames.length > 0) return { frames, next: { number, offset } };
    }
  }

  /** At least one step forward; an end without frames: there was none up to there. */
  async #readIn(segment: Segment, offset: number, bytes: number): Promise<{ frames: Frame[]; end: number }> {
    const left = segment.readable - offset;
    let chunk = await readBytes(segment, offset, Math.min(left, bytes));
    if (chunk.length >= FRAME_HEADER_BYTES && frameAt(chunk, 0) === 'short' && chunk.length < left)
      chunk = await readBytes(segment, offset, Math.min(left, Math.max(bytes, claimedLength(chunk, 0))));
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const found = frameAt(chunk, at);
      if (found === 'short' && offset + chunk.length < segment.readable && at > 0) break;
      if (typeof found === 'string') {
        if (at >= chunk.length) break;
        segment.seen = Math.max(segment.seen, endOf(frames));
        return { frames, end: frames.length > 0 ? offset + at : await this.#passOver(segment, offset) };
      }
      this.note(segment, sequencesOf(chunk, at).first, offset + at);
      frames.push(decodeFrame(chunk, at, found.end));
      at = found.end;
    }
    segment.seen = Math.max(segment.seen, endOf(frames));
    return { frames, end: offset + at };
  }

  /** The next sound frame behind damage, or the end of the segment. Read whole: damage is rare. */
  async #passOver(segment: Segment, offset: number): Promise<number> {
    const rest = await readBytes(segment, offset, segment.readable - offset);
    const found = findFrame(rest, 1);
    const end = found === -1 ? segment.readable : offset + found;
    const after = this.#segments.find((one) => one.number > segment.number);
    // The tail of a write that was cut off, which nobody was told was safe.
    if (found === -1 && after !== undefined && after.safeBefore <= segment.seen) return end;
    segment.damaged = true;
    this.#tell(
      `The spool file ${segment.path} is damaged from byte ${offset} to ${end}: what stood there cannot be sent. ` +
        'The file is kept with the ending .damaged; everything else goes on.',
    );
    return end;
  }

  /** A segment that ends before the next one says that all was safe. */
  #checkGap(segment: Segment, after: Segment): void {
    if (segment.seen >= after.safeBefore) return;
    segment.damaged = true;
    this.#tell(
      `The spool file ${segment.path} lacks ${after.safeBefore - segment.seen} messages at its end: they cannot be sent.`,
    );
  }

  #tell(message: string): void {
    if (this.#told.has(message) || this.#told.size > 10_000) return;
    this.#told.add(message);
    this.#warned(message);
  }
}

function endOf(frames: readonly Frame[]): number {
  const last = frames.at(-1);
  return last === undefined ? 0 : last.firstSequence + last.messages.length;
}

async function readBytes({ file, path }: Segment, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  const filled = await file.read(buffer, offset);
  if (filled < bytes) throw new Error(`${path} ends at byte ${offset + filled}, ${bytes - filled} bytes too soon`);
  return buffer;
}
