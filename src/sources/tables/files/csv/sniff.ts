/** What a CSV file's beginning tells: encoding, dialect, header. Nothing is skipped to make it fit. */
import { isUtf8 } from 'node:buffer';
import { HeadraceError } from '../../../../model/index.ts';
import { maxRecordBytes, shortened } from '../reading.ts';
import { backslash, carriageReturn, comma, fieldText, newline, quote, RowCutter, type Dialect } from './row-cutter.ts';
import { ColumnSample } from './values.ts';

export interface Sniffed {
  readonly dialect: Dialect;
  readonly columns: readonly string[];
  /** Byte and line count in the file at which the first data row starts. */
  readonly dataStart: number;
  readonly dataLine: number;
  /** Data rows of the sample that have as many fields as there are columns. */
  readonly rows: readonly (string | null)[][];
}

type Cells = (string | null)[];

const maxColumns = 4096;

/**
 * `sample` is the file's beginning, `final` when it is all of it; null when it must be longer to hold the first line.
 * Throws HeadraceError.
 */
export function sniff(sample: Buffer, final: boolean, name: string): Sniffed | null {
  const start = checkEncoding(sample, final, name);
  const dialect = findDialect(sample, start, final);
  const first = cutRows(sample, start, final, dialect, 1);
  const header = first.rows[0];
  if (header === undefined) {
    if (final) return { dialect, columns: [], dataStart: sample.length, dataLine: 0, rows: [] };
    if (sample.length < maxRecordBytes) return null;
    throw bad(name, `has a first line of more than ${maxRecordBytes} bytes`, 'Check that it is a CSV file.');
  }
  if (header.length > maxColumns) {
    throw bad(name, `has more than ${maxColumns} columns`, 'Check that it is a CSV file.');
  }
  const body = cutRows(sample, first.next, final, dialect, Infinity);
  const whole = body.rows.filter((row) => row.length === header.length);
  if (whole.length === 0 && body.rows.length >= 5) throw noTable(name, header, body.rows[0]!);
  if (isData(header, whole)) {
    const columns = header.map((_, index) => `column${index}`);
    return { dialect, columns, dataStart: start, dataLine: 0, rows: [header, ...whole] };
  }
  return { dialect, columns: columnNames(header, name), dataStart: first.next, dataLine: first.lines, rows: whole };
}

function bad(name: string, reason: string, remedy: string): HeadraceError {
  return new HeadraceError('source_failed', `${name} ${reason}.`, { path: 'read.file', remedy });
}

/** Where the text starts, after a byte order mark. */
function checkEncoding(sample: Buffer, final: boolean, name: string): number {
  const utf16 = (sample[0] === 0xff && sample[1] === 0xfe) || (sample[0] === 0xfe && sample[1] === 0xff);
  if (utf16 || sample.includes(0)) {
    const reason = utf16 ? 'is UTF-16' : 'has zero bytes: it is UTF-16, or no text at all';
    throw bad(name, reason, 'Convert it to UTF-8, e.g. `iconv -f utf-16 -t utf-8`.');
  }
  // One broken row among sound ones is rejected when it is read; a file of another encoding is not read at all.
  let broken = 0;
  let firstBroken = 0;
  const whole = final ? sample.length : sample.lastIndexOf(newline) + 1;
  if (!isUtf8(sample.subarray(0, whole))) {
    for (let at = 0, line = 1, sound = true; at < whole && sound; line++) {
      const found = sample.indexOf(newline, at);
      const bytes = sample.subarray(at, found === -1 ? whole : found);
      at += bytes.length + 1;
      if (!isUtf8(bytes)) {
        if (broken++ === 0) firstBroken = line;
      } else if (bytes.some((byte) => byte > 127)) sound = false;
      if (!sound) broken = 0;
    }
  }
  if (broken > 1 || firstBroken === 1) {
    throw bad(name, `is not UTF-8 (line ${firstBroken})`, 'Convert it, e.g. `iconv -f latin1 -t utf-8`.');
  }
  return sample[0] === 0xef && sample[1] === 0xbb && sample[2] === 0xbf ? 3 : 0;
}

/** The delimiter that cuts most rows of the sample into as many fields as the first one. */
function findDialect(sample: Buffer, start: number, final: boolean): Dialect {
  const rowEnd = sample.includes(newline) || !sample.includes(carriageReturn) ? newline : carriageReturn;
  let best: Dialect = { delimiter: comma, quote, escape: quote, newline: rowEnd };
  let bestScore = 0;
  for (const escape of [quote, backslash]) {
    for (const delimiter of [comma, 0x3b, 0x09, 0x7c]) {
      const dialect: Dialect = { delimiter, quote, escape, newline: rowEnd };
      const { rows, faults } = cutRows(sample, start, final, dialect, 200);
      const width = rows[0]?.length ?? 0;
      if (width < 2) continue;
      const alike = rows.reduce((sum, row) => sum + (row.length === width ? 1 : 0), 0);
      const score = alike / (rows.length + faults) + Math.min(width, 1000) / 1e6;
      // A backslash is an escape only where quotes make no sense otherwise.
      if (score > bestScore + (escape === backslash ? 0.001 : 0)) [best, bestScore] = [dialect, score];
    }
  }
  return best;
}

function cutRows(
  sample: Buffer,
  start: number,
  final: boolean,
  dialect: Dialect,
  limit: number,
): { rows: Cells[]; faults: number; next: number; lines: number } {
  const cutter = new RowCutter(dialect, maxColumns + 1);
  const rows: Cells[] = [];
  let faults = 0;
  let at = start;
  let lines = 0;
  while (rows.length < limit && at < sample.length) {
    const state = cutter.cut(sample, at, final);
    if (state === 'incomplete') break;
    at = cutter.next;
    lines += cutter.lines;
    if (state === 'row') rows.push(cellsOf(sample, cutter, dialect));
    else if (state !== 'blank') faults++;
  }
  return { rows, faults, next: at, lines };
}

function cellsOf(sample: Buffer, cutter: RowCutter, dialect: Dialect): Cells {
  const cells: Cells = Array.from({ length: Math.min(cutter.count, cutter.starts.length) }, () => null);
  for (let index = 0; index < cells.length; index++) cells[index] = fieldText(sample, cutter, index, dialect.escape);
  return cells;
}

/** A first row that reads like the others, numbers under numbers, is no header. */
function isData(first: Cells, rows: readonly Cells[]): boolean {
  let telling = false;
  for (let column = 0; column < first.length; column++) {
    const sample = new ColumnSample();
    for (const row of rows) sample.add(row[column]!);
    const value = first[column] ?? '';
    if (rows.length === 0) sample.add(value);
    if (sample.type() === 'text') continue;
    if (value === '' || !sample.fits(value)) return false;
    telling = true;
  }
  return telling;
}

function columnNames(header: Cells, name: string): string[] {
  const columns = header.map((cell, index) => (cell === null || cell === '' ? `column${index}` : cell));
  const seen = new Set<string>();
  for (const column of columns) {
    if (seen.has(column)) {
      throw bad(
        name,
        `has two columns called ${shortened(column)}`,
        'Give each column its own name in the first line.',
      );
    }
    seen.add(column);
  }
  return columns;
}

function noTable(name: string, header: Cells, row: Cells): HeadraceError {
  return bad(
    name,
    `has ${header.length} column${header.length === 1 ? '' : 's'} in its first line but ${row.length} in the next`,
    'Remove what stands before the line with the column names.',
  );
}
