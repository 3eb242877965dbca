/** Opens `read: {file: …}`: lists the files and finds for each the way to read it. */
import { HeadraceError, type FileFormat } from '../../../model/index.ts';
import type { OpenFiles } from '../../ports.ts';
import { openCsv } from './csv/open.ts';
import { readElements } from './json/elements.ts';
import { readLines } from './json/lines.ts';
import { listFiles, type ListedFile } from './listing.ts';
import { Database } from './parquet/database.ts';
import { openParquet } from './parquet/rows.ts';
import { FilesReader, type FileToRead } from './reader.ts';

/**
 * Opens the files that `read` names in the folder. Throws HeadraceError `config_invalid` or `source_failed`, with the
 * remedy. Close it when done.
 */
export const openFiles: OpenFiles = async (folder, read) => {
  const files = await listFiles(folder, read);
  const of = (format: FileFormat): ListedFile[] => files.filter((file) => file.format === format);
  const csv = of('csv');
  if (csv.length === 0 && Object.keys(read.types).length > 0) {
    throw new HeadraceError('config_invalid', `${read.file} has its own types.`, {
      path: 'read.types',
      remedy: 'Remove `types`: it is for CSV, where all is text.',
    });
  }
  const ways = new Map<ListedFile, FileToRead>();
  for (const way of csv.length === 0 ? [] : await openCsv(csv, read.types)) ways.set(way.file, way);
  for (const file of of('jsonl')) {
    ways.set(file, { file, read: (from, signal) => readLines(file, from, signal), rows: null, columns: null });
  }
  for (const file of of('json')) {
    ways.set(file, { file, read: (from, signal) => readElements(file, from, signal), rows: null, columns: null });
  }
  const parquet = of('parquet');
  const database = parquet.length === 0 ? null : await Database.open();
  try {
    for (const file of parquet) ways.set(file, await openParquet(file, database!));
  } catch (error) {
    database?.close();
    throw error;
  }
  return new FilesReader(
    files.map((file) => ways.get(file)!),
    async () => database?.close(),
  );
};
