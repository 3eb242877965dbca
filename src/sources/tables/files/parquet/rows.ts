/** Parquet: rows in file order, printed as JSON by DuckDB, streamed chunk by chunk. */
import type { FileHandle } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { HeadraceError } from '../../../../model/index.ts';
import { expectUnchanged, openListed } from '../bytes.ts';
import { JsonRecord } from '../json/record.ts';
import type { ListedFile } from '../listing.ts';
import type { Place } from '../position.ts';
import type { FileToRead } from '../reader.ts';
import { batchBytes, batchRecords, type FileBatch } from '../reading.ts';
import { fileLiteral, type Database } from './database.ts';
import { rowAsJson, type Column } from './json-sql.ts';

/** Reads the file's columns and its number of rows. Throws HeadraceError when it is no Parquet file. */
export async function openParquet(file: ListedFile, database: Database): Promise<FileToRead> {
  return withFile(file, database, async (connection, path) => {
    const empty = await connection.run(`SELECT * FROM ${scan(path, false)} LIMIT 0`);
    const types = empty.columnTypes();
    const columns = empty.columnNames().map((name, index) => ({ name, type: types[index]! }));
    const counted = await connection.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${path})`);
    const rows = Number(counted.getRows()[0]![0]);
    return {
      file,
      rows,
      columns: columns.map(({ name }) => name),
      read: (from: Place | null, signal: AbortSignal) => readRows(file, database, columns, from, signal),
    };
  });
}

/** Reads one Parquet file from a place (`next` counts rows), in batches. */
async function* readRows(
  file: ListedFile,
  database: Database,
  columns: readonly Column[],
  from: Place | null,
  signal: AbortSignal,
): AsyncGenerator<FileBatch> {
  const handle = await openListed(file);
  const connection = await database.connect();
  try {
    const path = fileLiteral(handle.fd, file.path);
    let row = from?.next ?? 0;
    const result = await connection.stream(query(path, columns, row, database)).catch((cause: unknown) => {
      throw failed(file, cause);
    });
    while (!signal.aborted) {
      const chunk = await result.fetchChunk().catch((cause: unknown) => {
        throw failed(file, cause);
      });
      if (chunk === null || chunk.rowCount === 0) break;
      for (const batch of batchesOf(chunk, file.name, row)) {
        yield batch;
        if (signal.aborted) return;
      }
      row += chunk.rowCount;
    }
    await expectUnchanged(file, handle);
  } finally {
    connection.closeSync();
    await handle.close();
  }
}

function query(path: string, columns: readonly Column[], from: number, database: Database): string {
  const row = rowAsJson(columns, database.typeIds);
  if (from === 0) return `SELECT ${row} FROM ${scan(path, false)}`;
  // Skips whole row groups; an OFFSET would read them.
  const numbered = columns.every(({ name }) => name.toLowerCase() !== 'file_row_number');
  if (!numbered) return `SELECT ${row} FROM ${scan(path, false)} OFFSET ${from}`;
  return `SELECT ${row} FROM ${scan(path, true)} WHERE file_row_number >= ${from}`;
}

function scan(path: string, numbered: boolean): string {
  return `read_parquet(${path}, hive_partitioning = false, file_row_number = ${numbered})`;
}

function* batchesOf(chunk: DuckDBDataChunk, stream: string, rowsBefore: number): Generator<FileBatch> {
  const rows = copyRows(chunk);
  let records: JsonRecord[] = [];
  let bytes = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    records.push(new JsonRecord(stream, row, rowsBefore + index + 1));
    bytes += row.length + 100;
    if (index < rows.length - 1 && records.length < batchRecords && bytes < batchBytes) continue;
    const next = rowsBefore + index + 1;
    yield { records, rejections: [], place: { next, line: next }, bytes };
    records = [];
    bytes = 0;
  }
}

/** The chunk's memory is DuckDB's: rows are copied out of it, into one buffer. */
function copyRows(chunk: DuckDBDataChunk): Buffer[] {
  const vector = chunk.getColumnVector(0);
  const texts: Uint8Array[] = [];
  let total = 0;
  for (let row = 0; row < chunk.rowCount; row++) {
    const { bytes } = vector.getItem(row) as { readonly bytes: Uint8Array };
    texts.push(bytes);
    total += bytes.length;
  }
  const all = Buffer.allocUnsafeSlow(total);
  let at = 0;
  return texts.map((bytes) => {
    all.set(bytes, at);
    return all.subarray(at, (at += bytes.length));
  });
}

async function withFile<T>(
  file: ListedFile,
  database: Database,
  use: (connection: DuckDBConnection, path: string) => Promise<T>,
): Promise<T> {
  const handle: FileHandle = await openListed(file);
  const connection = await database.connect();
  try {
    return await use(connection, fileLiteral(handle.fd, file.path));
  } catch (cause) {
    throw failed(file, cause);
  } finally {
    connection.closeSync();
    await handle.close();
  }
}

function failed(file: ListedFile, cause: unknown): HeadraceError {
  if (cause instanceof HeadraceError) return cause;
  const [reason = ''] = (cause as Error).message.split('\n');
  return new HeadraceError('source_failed', `${file.name} could not be read as Parquet: ${reason}`, {
    path: 'read.file',
    remedy: reason.startsWith('Out of Memory')
      ? 'Write the file with smaller row groups.'
      : 'Check that it is a whole Parquet file; if it is something else, set `format`.',
    cause,
  });
}
