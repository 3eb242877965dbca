/** Data files in a folder of their own, and all that a reading of them gives. */
import { mkdtemp, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FileRead, JsonValue, RecordBatch, SourceRecord, SourceRejection } from '../../src/model/index.ts';
import type { TableReader } from '../../src/sources/ports.ts';
import { openFiles } from '../../src/sources/tables/index.ts';

/** A temporary folder with these files (path → content), removed after the test. */
export async function dataFolder(
  context: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'headrace-files-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export function fileRead(file: string, more: Partial<FileRead> = {}): FileRead {
  return { file, format: null, types: {}, ...more };
}

export interface Reading {
  readonly batches: readonly RecordBatch[];
  readonly records: readonly SourceRecord[];
  readonly rejections: readonly SourceRejection[];
}

export async function readAll(reader: TableReader, from: JsonValue = null): Promise<Reading> {
  const batches: RecordBatch[] = [];
  for await (const batch of reader.batches(from, new AbortController().signal)) batches.push(batch);
  return {
    batches,
    records: batches.flatMap((batch) => batch.records),
    rejections: batches.flatMap((batch) => batch.rejections),
  };
}

/** Opens, reads everything and closes. */
export async function readFiles(folder: string, file: string, more: Partial<FileRead> = {}): Promise<Reading> {
  const reader = await openFiles(folder, fileRead(file, more));
  try {
    return await readAll(reader);
  } finally {
    await reader.close();
  }
}

/** Each record's data as it prints in JSON: shows every digit. */
export function printed(reading: Pick<Reading, 'records'>): string[] {
  return reading.records.map((record) => JSON.stringify(record.data));
}

/** Position and reason of each rejection. */
export function reasons(reading: Pick<Reading, 'rejections'>): [position: string, reason: string][] {
  return reading.rejections.map(({ position, outcome }) => [position, outcome.reason]);
}
