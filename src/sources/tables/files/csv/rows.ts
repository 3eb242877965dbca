/** CSV: rows in file order, each a record or a rejection with its line. */
import { isUtf8 } from 'node:buffer';
import type { ColumnType, JsonValue, SourceRejection } from '../../../../model/index.ts';
import { nextDoubling, openBytes, type ByteReader } from '../bytes.ts';
import type { ListedFile } from '../listing.ts';
import type { Place } from '../position.ts';
import {
  batchBytes,
  batchRecords,
  keptRawBytes,
  maxRecordBytes,
  noBytes,
  rejectRow,
  shortened,
  type FileBatch,
} from '../reading.ts';
import { RowRecord } from './record.ts';
import {
  beyondAscii,
  fieldText,
  RowCutter,
  quoted,
  escaped,
  withoutEscapes,
  type Dialect,
  type RowState,
} from './row-cutter.ts';
import { convert, plainNumber } from './values.ts';

/** How the rows of one file are read. */
export interface CsvPlan {
  readonly dialect: Dialect;
  readonly columns: readonly string[];
  /** Of each column. */
  readonly types: readonly ColumnType[];
  /** Where the first data row starts. */
  readonly start: Place;
}

const pieceBytes = 262_144;

/** Reads one CSV file from a place, in batches. */
export async function* readRows(
  file: ListedFile,
  plan: CsvPlan,
  from: Place | null,
  signal: AbortSignal,
): AsyncGenerator<FileBatch> {
  const start = from ?? plan.start;
  const rows = new RowReader(file.name, plan, start);
  const reader = await openBytes(file, { from: start.next, pieceBytes });
  try {
    yield* read(rows, reader, signal);
  } finally {
    await reader.close();
  }
}

async function* read(rows: RowReader, reader: ByteReader, signal: AbortSignal): AsyncGenerator<FileBatch> {
  let carry: Buffer = noBytes;
  while (!signal.aborted) {
    const piece = await nextDoubling(reader, carry);
    rows.feed(piece ?? carry, piece === null);
    for (let batch = rows.take(reader.packed); batch !== null; batch = rows.take(reader.packed)) {
      yield batch;
      if (signal.aborted) return;
    }
    if (piece === null) return;
    carry = rows.rest;
  }
}

class RowReader {
  /** What is left of the piece: the beginning of a row. */
  rest: Buffer = noBytes;
  readonly #stream: string;
  readonly #plan: CsvPlan;
  readonly #cutter: RowCutter;
  readonly #template: Record<string, JsonValue>;
  /** Byte and line after the last row: the only places to go on from. */
  #next: number;
  #line: number;
  #piece: Buffer = noBytes;
  /** The piece, one character a byte: fields without other than ASCII are cut out of it. */
  #text = '';
  #pieceIsUtf8 = true;
  #final = false;
  #at = 0;
  /** The beginning of a line that is too long, while the rest of it is thrown away. */
  #tooLong: Buffer | null = null;
  #thrownAway = 0;

  constructor(stream: string, plan: CsvPlan, from: Place) {
    this.#stream = stream;
    this.#plan = plan;
    this.#cutter = new RowCutter(plan.dialect, plan.columns.length);
    // Made so that a column called `__proto__` is one like any other.
    this.#template = Object.fromEntries(plan.columns.map((name) => [name, null]));
    this.#next = from.next;
    this.#line = from.line;
  }

  /** `piece` starts with what `rest` was. */
  feed(piece: Buffer, final: boolean): void {
    this.#piece = piece;
    this.#final = final;
    this.#at = 0;
    this.rest = noBytes;
    const whole = final ? piece.length : piece.lastIndexOf(this.#plan.dialect.newline) + 1;
    this.#pieceIsUtf8 = isUtf8(piece.subarray(0, whole));
    this.#text = piece.toString('latin1');
  }

  /** The next batch of the piece, or null when the piece is used up. */
  take(packed: number | undefined): FileBatch | null {
    const records: RowRecord[] = [];
    const rejections: SourceRejection[] = [];
    const first = this.#at;
    while (records.length + rejections.length < batchRecords && this.#at - first < batchBytes) {
      if (this.#tooLong !== null) {
        if (!this.#skipLine(this.#tooLong, rejections)) break;
        continue;
      }
      if (this.#at === this.#piece.length) break;
      const state = this.#cutter.cut(this.#piece, this.#at, this.#final);
      const incomplete = state === 'incomplete';
      const length = (incomplete ? this.#piece.length : this.#cutter.next) - this.#at;
      if (length > maxRecordBytes) {
        this.#giveUpLine(rejections);
        continue;
      }
      if (incomplete) {
        this.rest = this.#piece.subarray(this.#at);
        break;
      }
      this.#add(state, records, rejections);
      this.#step(this.#cutter.next - this.#at, this.#cutter.lines);
    }
    if (records.length + rejections.length === 0) return null;
    const place = { next: this.#next, line: this.#line };
    return {
      records,
      rejections,
      place: packed === undefined ? place : { ...place, packed },
      bytes: 3 * (this.#at - first) + records.length * 100,
    };
  }

  #add(state: RowState, records: RowRecord[], rejections: SourceRejection[]): void {
    const cutter = this.#cutter;
    const width = this.#plan.columns.length;
    if (state === 'blank' && width > 1) return;
    if (state === 'unclosed') return this.#reject(rejections, 'A quote is opened in this line and never closed.');
    if (state === 'broken') {
      return this.#reject(rejections, 'Text follows a closing quote; a quote inside a quoted field is written twice.');
    }
    if (cutter.count !== width) {
      const fields = `${cutter.count} field${cutter.count === 1 ? '' : 's'}`;
      return this.#reject(rejections, `The row has ${fields}, the header has ${width}.`);
    }
    const data: Record<string, JsonValue> = { ...this.#template };
    const misfit = this.#convert(data);
    if (misfit === -1) records.push(new RowRecord(this.#stream, this.#line + 1, data));
    else if (misfit === width) this.#reject(rejections, 'The row is not UTF-8.');
    else this.#rejectMisfit(rejections, misfit);
  }

  /** Fills in the row; the index of the first column whose value does not fit, or -1. */
  #convert(data: Record<string, JsonValue>): number {
    const { columns, types, dialect } = this.#plan;
    const { starts, ends, kinds } = this.#cutter;
    const piece = this.#piece;
    for (let index = 0; index < columns.length; index++) {
      const start = starts[index]!;
      const end = ends[index]!;
      const kind = kinds[index]!;
      const type = types[index]!;
      if (start === end) {
        // An empty field is null; quoted, it is empty text, where its column has text.
        if (kind === quoted && type === 'text') data[columns[index]!] = '';
        continue;
      }
      if (type === 'number' && (kind & escaped) === 0) {
        const number = plainNumber(piece, start, end);
        if (number === number) {
          data[columns[index]!] = number;
          continue;
        }
      }
      if ((kind & beyondAscii) !== 0 && !this.#pieceIsUtf8 && !isUtf8(piece.subarray(start, end)))
        return columns.length;
      let text: string;
      if ((kind & beyondAscii) !== 0) text = this.#fieldText(index);
      else {
        text = this.#text.slice(start, end);
        if ((kind & escaped) !== 0) text = withoutEscapes(text, dialect.escape);
      }
      const value = type === 'text' ? text : convert(text, type);
      if (value === undefined) return index;
      data[columns[index]!] = value;
    }
    return -1;
  }

  #fieldText(index: number): string {
    return fieldText(this.#piece, this.#cutter, index, this.#plan.dialect.escape) ?? '';
  }

  #rejectMisfit(rejections: SourceRejection[], index: number): void {
    const column = this.#plan.columns[index]!;
    const type = this.#plan.types[index]!;
    const value = shortened(this.#fieldText(index));
    const name = { number: 'a number', bool: 'true or false', json: 'JSON', text: 'text' }[type];
    const reason = `${value} in column ${shortened(column)} is not ${name}; if it may be, set the column's type: types: {${column}: text}.`;
    this.#reject(rejections, reason, column);
  }

  #reject(rejections: SourceRejection[], reason: string, field?: string): void {
    const raw = this.#piece.subarray(this.#at, this.#cutter.next);
    rejections.push(rejectRow(this.#here(), reason, withoutLineEnd(raw), field));
  }

  /** The row is too long. Only its first line is given up: most likely a stray quote in it swallows rows. */
  #giveUpLine(rejections: SourceRejection[]): void {
    const rest = this.#piece.subarray(this.#at);
    const lineEnd = rest.indexOf(this.#plan.dialect.newline);
    if (lineEnd === -1 || lineEnd > maxRecordBytes) {
      this.#tooLong = Buffer.from(rest.subarray(0, keptRawBytes));
      return;
    }
    const reason = `The row does not end within ${maxRecordBytes} bytes; a quote may be opened here and never closed.`;
    rejections.push(rejectRow(this.#here(), reason, withoutLineEnd(rest.subarray(0, lineEnd))));
    this.#step(lineEnd + 1, 1);
  }

  /** Throws the rest of a line that is too long away. True: its end was found. */
  #skipLine(beginning: Buffer, rejections: SourceRejection[]): boolean {
    const lineEnd = this.#piece.indexOf(this.#plan.dialect.newline, this.#at);
    if (lineEnd === -1 && !this.#final) {
      this.#thrownAway += this.#piece.length - this.#at;
      this.#at = this.#piece.length;
      return false;
    }
    rejections.push(rejectRow(this.#here(), `The line is longer than ${maxRecordBytes} bytes.`, beginning));
    this.#tooLong = null;
    this.#step((lineEnd === -1 ? this.#piece.length : lineEnd + 1) - this.#at, 1);
    return true;
  }

  #here(): string {
    return `${this.#stream}:${this.#line + 1}`;
  }

  #step(bytes: number, lines: number): void {
    this.#at += bytes;
    this.#next += bytes + this.#thrownAway;
    this.#line += lines;
    this.#thrownAway = 0;
  }
}

function withoutLineEnd(raw: Buffer): Buffer {
  let end = raw.length;
  while (end > 0 && (raw[end - 1] === 0x0a || raw[end - 1] === 0x0d)) end--;
  return raw.subarray(0, end);
}
