/** A JSON file: the elements of its list, or the values that stand in it one after another, as records with their bytes. */
import { isUtf8 } from 'node:buffer';
import { HeadraceError, type SourceRejection } from '../../../../model/index.ts';
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
import { isSpace, ValueScanner } from './value-scanner.ts';

const pieceBytes = 1_048_576;
const comma = 0x2c;
const openList = 0x5b;
const closeList = 0x5d;

/** Reads one JSON file from a place, in batches. */
export async function* readElements(
  file: ListedFile,
  from: Place | null,
  signal: AbortSignal,
): AsyncGenerator<FileBatch> {
  const start = from ?? { next: 0, line: 0 };
  const expect = from === null ? 'start' : (await isList(file)) ? 'comma' : 'value';
  const splitter = new ElementSplitter(file.name, start, expect);
  const reader = await openBytes(file, { from: start.next, pieceBytes });
  try {
    yield* split(splitter, reader, signal);
  } finally {
    await reader.close();
  }
}

/** Whether a file that is read from its middle began as a list. */
async function isList(file: ListedFile): Promise<boolean> {
  const reader = await openBytes(file, { from: 0, pieceBytes: 65_536 });
  try {
    for (let piece = await reader.next(noBytes); piece !== null; piece = await reader.next(noBytes)) {
      const first = piece.find((byte) => !isSpace(byte) && byte !== 0xef && byte !== 0xbb && byte !== 0xbf);
      if (first !== undefined) return first === openList;
    }
    return false;
  } finally {
    await reader.close();
  }
}

async function* split(splitter: ElementSplitter, reader: ByteReader, signal: AbortSignal): AsyncGenerator<FileBatch> {
  while (!signal.aborted) {
    const piece = await reader.next(splitter.rest);
    splitter.feed(piece ?? splitter.rest, piece === null);
    for (let batch = splitter.take(reader.packed); batch !== null; batch = splitter.take(reader.packed)) {
      yield batch;
      if (signal.aborted) return;
    }
    if (piece === null) return;
  }
}

/** What comes next: anything, a comma or the list's end, a list's value, a value of a sequence, nothing. */
type Expected = 'start' | 'comma' | 'element' | 'value' | 'end';

class ElementSplitter {
  /** The beginning of a value whose end is in a later piece. */
  rest: Buffer = noBytes;
  readonly #stream: string;
  readonly #scanner = new ValueScanner();
  #expected: Expected;
  /** Byte and number of elements after the last whole one: the only places to go on from. */
  #next: number;
  #count: number;
  #piece: Buffer = noBytes;
  #final = false;
  #pieceIsUtf8 = true;
  #at = 0;
  /** Byte of the file at which the piece starts. */
  #pieceStart: number;
  /** Inside a value: where it starts in the piece, and how much of it was scanned. */
  #valueAt = -1;
  #scanned = 0;
  #tooLong: Buffer | null = null;
  /** Thrown once what was read before it has been handed on. */
  #failure: HeadraceError | null = null;

  constructor(stream: string, from: Place, expected: Expected) {
    this.#stream = stream;
    this.#next = from.next;
    this.#pieceStart = from.next;
    this.#count = from.line;
    this.#expected = expected;
  }

  /** `piece` starts with what `rest` was. */
  feed(piece: Buffer, final: boolean): void {
    this.#pieceStart += this.#piece.length - this.rest.length;
    this.#piece = piece;
    this.#final = final;
    this.#at = 0;
    this.rest = noBytes;
    if (this.#valueAt !== -1) this.#valueAt = 0;
    const whole = final ? piece.length : piece.lastIndexOf(0x7d) + 1;
    this.#pieceIsUtf8 = isUtf8(piece.subarray(0, whole));
  }

  /** The next batch of the piece, or null when the piece is used up. */
  take(packed: number | undefined): FileBatch | null {
    const records: JsonRecord[] = [];
    const rejections: SourceRejection[] = [];
    const first = this.#at;
    while (records.length + rejections.length < batchRecords && this.#at - first < batchBytes) {
      if (this.#failure !== null || (this.#valueAt === -1 && !this.#findValue())) break;
      const end = this.#scanner.scan(this.#piece, this.#valueAt + this.#scanned);
      if (end === -1 && !this.#isLastScalar()) {
        if (this.#final) this.#fail('it ends in the middle of a value');
        else this.#keepRest();
        break;
      }
      this.#at = end === -1 ? this.#piece.length : end;
      this.#count++;
      this.#next = this.#pieceStart + this.#at;
      this.#add(this.#piece.subarray(this.#valueAt, this.#at), records, rejections);
      this.#valueAt = -1;
      this.#expected = this.#expected === 'element' ? 'comma' : 'value';
    }
    if (records.length + rejections.length === 0) {
      if (this.#failure !== null) throw this.#failure;
      return null;
    }
    const place = { next: this.#next, line: this.#count };
    return {
      records,
      rejections,
      place: packed === undefined ? place : { ...place, packed },
      bytes: this.#at - first + records.length * 100,
    };
  }

  /** Goes to the start of the next value. False: there is none in the piece. */
  #findValue(): boolean {
    const piece = this.#piece;
    if (this.#expected === 'start' && this.#pieceStart === 0 && piece[0] === 0xef && piece[1] === 0xbb) this.#at = 3;
    for (; this.#at < piece.length; this.#at++) {
      const byte = piece[this.#at]!;
      if (isSpace(byte)) continue;
      if (this.#expected === 'end') return this.#fail('something follows the end of its list');
      if (byte === openList && this.#expected === 'start') this.#expected = 'element';
      else if (byte === comma && this.#expected === 'comma') this.#expected = 'element';
      else if (byte === closeList && this.#mayEnd()) this.#expected = 'end';
      else if (this.#expected === 'comma') return this.#fail('a comma or ] is missing');
      else if (byte === comma || byte === closeList || byte === 0x7d) return this.#fail('a value is missing');
      else {
        if (this.#expected === 'start') this.#expected = 'value';
        this.#valueAt = this.#at;
        this.#scanned = 0;
        this.#scanner.begin();
        return true;
      }
    }
    const open = this.#expected === 'comma' || this.#expected === 'element';
    return this.#final && open ? this.#fail('it ends before its list does') : false;
  }

  /** `]` may follow a value or stand in an empty list; after a comma a value must come. */
  #mayEnd(): boolean {
    return this.#expected === 'comma' || (this.#expected === 'element' && this.#count === 0);
  }

  /** A number or word at the very end has no byte after it that would end it. */
  #isLastScalar(): boolean {
    const first = this.#tooLong?.[0] ?? this.#piece[this.#valueAt];
    return this.#final && this.#expected === 'value' && first !== 0x7b && first !== openList && first !== 0x22;
  }

  #add(value: Buffer, records: JsonRecord[], rejections: SourceRejection[]): void {
    if (this.#tooLong === null && value.length <= maxRecordBytes) {
      const reason = this.#pieceIsUtf8 || isUtf8(value) ? notAnObject(value) : 'Not valid JSON: it is not UTF-8.';
      if (reason === null) records.push(new JsonRecord(this.#stream, value, this.#count));
      else rejections.push(rejectRow(`${this.#stream}:${this.#count}`, reason, value));
      return;
    }
    const reason = `The element is longer than ${maxRecordBytes} bytes.`;
    rejections.push(rejectRow(`${this.#stream}:${this.#count}`, reason, this.#tooLong ?? value));
    this.#tooLong = null;
  }

  /** The value goes on in the next piece. Of one that is too long already only the beginning is kept. */
  #keepRest(): void {
    const rest = this.#piece.subarray(this.#valueAt);
    this.#at = this.#piece.length;
    if (this.#tooLong === null && rest.length <= maxRecordBytes) {
      this.rest = rest;
      this.#scanned = rest.length;
      return;
    }
    this.#tooLong ??= Buffer.from(rest.subarray(0, keptRawBytes));
    this.#scanned = 0;
  }

  #fail(what: string): false {
    const where = `byte ${this.#pieceStart + this.#at}, after element ${this.#count}`;
    this.#failure = new HeadraceError('source_failed', `${this.#stream} is not valid JSON: ${what} (${where}).`, {
      path: 'read.file',
      remedy:
        'Correct or replace the file. If it has one object a line, set `format: jsonl`: then only broken lines are rejected.',
    });
    return false;
  }
}
