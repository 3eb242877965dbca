/** JSON lines: one record a line, its bytes kept, cut out without looking inside. */
import { isUtf8 } from 'node:buffer';
import type { SourceRejection } from '../../../../model/index.ts';
import { openBytes, type ByteReader } from '../bytes.ts';
import type { ListedFile } from '../listing.ts';
import type { Place } from '../position.ts';
import {
  batchBytes,
  batchRecords,
  keptRawBytes,
  maxRecordBytes,
  noBytes,
  rejectRow,
  type FileBatch,
} from '../reading.ts';
import { JsonRecord, notAnObject } from './record.ts';

const pieceBytes = 1_048_576;
const newline = 0x0a;
const carriageReturn = 0x0d;

/** Reads one JSONL file from a place, in batches. */
export async function* readLines(file: ListedFile, from: Place | null, signal: AbortSignal): AsyncGenerator<FileBatch> {
  const start = from ?? { next: 0, line: 0 };
  const splitter = new LineSplitter(file.name, start);
  const reader = await openBytes(file, { from: start.next, pieceBytes });
  try {
    yield* split(splitter, reader, signal);
  } finally {
    await reader.close();
  }
}

async function* split(splitter: LineSplitter, reader: ByteReader, signal: AbortSignal): AsyncGenerator<FileBatch> {
  let carry: Buffer = noBytes;
  while (!signal.aborted) {
    const piece = await reader.next(carry);
    splitter.feed(piece ?? carry, piece === null);
    for (let batch = splitter.take(reader.packed); batch !== null; batch = splitter.take(reader.packed)) {
      yield batch;
      if (signal.aborted) return;
    }
    if (piece === null) return;
    carry = splitter.rest;
  }
}

/** Cuts pieces into lines. */
class LineSplitter {
  /** What is left of the piece: the beginning of a line. */
  rest: Buffer = noBytes;
  readonly #stream: string;
  /** Byte and line after the last whole line: the only places to go on from. */
  #next: number;
  #line: number;
  #piece: Buffer = noBytes;
  #final = false;
  /** Where in the piece the next line starts, and from where a line end is still to be looked for. */
  #at = 0;
  #seen = 0;
  #pieceIsUtf8 = true;
  /** The beginning of a line that is too long, while the rest of it is thrown away; with its length so far. */
  #tooLong: Buffer | null = null;
  #thrownAway = 0;

  constructor(stream: string, from: Place) {
    this.#stream = stream;
    this.#next = from.next;
    this.#line = from.line;
  }

  /** `piece` starts with what `rest` was. */
  feed(piece: Buffer, final: boolean): void {
    this.#seen = this.rest.length;
    this.#piece = piece;
    this.#final = final;
    this.#at = 0;
    this.rest = noBytes;
    if (this.#next === 0 && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf) this.#step(3);
    const whole = final ? piece.length : piece.lastIndexOf(newline) + 1;
    this.#pieceIsUtf8 = isUtf8(piece.subarray(0, whole));
  }

  /** The next batch of the piece, or null when the piece is used up. */
  take(packed: number | undefined): FileBatch | null {
    const piece = this.#piece;
    const records: JsonRecord[] = [];
    const rejections: SourceRejection[] = [];
    const first = this.#at;
    while (records.length + rejections.length < batchRecords && this.#at - first < batchBytes) {
      const end = piece.indexOf(newline, Math.max(this.#at, this.#seen));
      if (end === -1 && !this.#isLastLine()) {
        this.#keepRest();
        break;
      }
      this.#line++;
      this.#add(piece.subarray(this.#at, end === -1 ? piece.length : end), records, rejections);
      this.#step((end === -1 ? piece.length : end + 1) - this.#at);
    }
    if (records.length + rejections.length === 0) return null;
    const place = { next: this.#next, line: this.#line };
    return {
      records,
      rejections,
      place: packed === undefined ? place : { ...place, packed },
      bytes: this.#at - first + records.length * 100,
    };
  }

  /** A last line counts also when no line end follows it. */
  #isLastLine(): boolean {
    return this.#final && (this.#at < this.#piece.length || this.#tooLong !== null);
  }

  #add(line: Buffer, records: JsonRecord[], rejections: SourceRejection[]): void {
    const last = line.length - 1;
    const bytes = line[last] === carriageReturn ? line.subarray(0, last) : line;
    const isObject = bytes[0] === 0x7b && bytes[bytes.length - 1] === 0x7d && bytes.length > 1;
    if (isObject && this.#pieceIsUtf8 && bytes.length <= maxRecordBytes && this.#tooLong === null) {
      records.push(new JsonRecord(this.#stream, bytes, this.#line));
      return;
    }
    const reason = this.#reasonAgainst(bytes);
    if (reason !== null) rejections.push(rejectRow(`${this.#stream}:${this.#line}`, reason, this.#tooLong ?? bytes));
    else if (!isBlank(bytes)) records.push(new JsonRecord(this.#stream, bytes, this.#line));
    this.#tooLong = null;
  }

  #reasonAgainst(bytes: Buffer): string | null {
    if (this.#tooLong !== null || bytes.length > maxRecordBytes)
      return `The line is longer than ${maxRecordBytes} bytes.`;
    if (isBlank(bytes)) return null;
    return isUtf8(bytes) ? notAnObject(bytes) : 'Not valid JSON: the line is not UTF-8.';
  }

  /** No line end in sight: the beginning of a line waits for the next piece, unless it is too long already. */
  #keepRest(): void {
    const rest = this.#piece.subarray(this.#at);
    if (this.#tooLong === null && rest.length <= maxRecordBytes) {
      this.rest = rest;
      return;
    }
    this.#tooLong ??= Buffer.from(rest.subarray(0, keptRawBytes));
    this.#thrownAway += rest.length;
    this.#at = this.#piece.length;
  }

  /** Past a whole line. */
  #step(bytes: number): void {
    this.#at += bytes;
    this.#next += bytes + this.#thrownAway;
    this.#thrownAway = 0;
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== carriageReturn) return false;
  return true;
}
