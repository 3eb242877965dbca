/** Opens CSV files: sniffs each, and gives a column of one name the same type in all of them. */
import { suggest } from '../../../../base/suggest.ts';
import { HeadraceError, type ColumnType } from '../../../../model/index.ts';
import { openBytes } from '../bytes.ts';
import type { ListedFile } from '../listing.ts';
import { noBytes } from '../reading.ts';
import type { FileToRead } from '../reader.ts';
import { readRows, type CsvPlan } from './rows.ts';
import { sniff, type Sniffed } from './sniff.ts';
import { ColumnSample } from './values.ts';

const oneSampleBytes = 1_048_576;
const allSampleBytes = 16_777_216;

/** `types` overrides what the samples tell. Throws HeadraceError for a file that cannot be read as CSV. */
export async function openCsv(
  files: readonly ListedFile[],
  types: Readonly<Record<string, ColumnType>>,
): Promise<FileToRead[]> {
  const sampleBytes = Math.max(16_384, Math.min(oneSampleBytes, Math.floor(allSampleBytes / files.length)));
  const samples = new Map<string, ColumnSample>();
  const sniffed: Omit<Sniffed, 'rows'>[] = [];
  for (const file of files) {
    const { rows, ...found } = await sniffFile(file, sampleBytes);
    sniffed.push(found);
    addRows(samples, found.columns, rows);
  }
  refuseUnknown(types, samples);
  return files.map((file, index) => {
    const { dialect, columns, dataStart, dataLine } = sniffed[index]!;
    const plan: CsvPlan = {
      dialect,
      columns,
      types: columns.map((name) => (Object.hasOwn(types, name) ? types[name]! : samples.get(name)!.type())),
      start: { next: dataStart, line: dataLine },
    };
    return { file, read: (from, signal) => readRows(file, plan, from, signal), rows: null, columns };
  });
}

/** Reads a sample, and more where its first line is longer than that. */
async function sniffFile(file: ListedFile, sampleBytes: number): Promise<Sniffed> {
  const reader = await openBytes(file, { from: 0, pieceBytes: sampleBytes });
  try {
    let sample: Buffer = noBytes;
    for (let wanted = sampleBytes; ; wanted *= 2) {
      let piece: Buffer | null = sample;
      while (piece !== null && sample.length < wanted) {
        piece = await reader.next(sample);
        sample = piece ?? sample;
      }
      const sniffed = sniff(sample, piece === null, file.name);
      if (sniffed !== null) return sniffed;
    }
  } finally {
    await reader.close();
  }
}

function addRows(
  samples: Map<string, ColumnSample>,
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): void {
  columns.forEach((name, index) => {
    const sample = samples.get(name) ?? new ColumnSample();
    for (const row of rows) sample.add(row[index]!);
    samples.set(name, sample);
  });
}

function refuseUnknown(types: Readonly<Record<string, ColumnType>>, samples: ReadonlyMap<string, ColumnSample>): void {
  for (const name of Object.keys(types)) {
    if (samples.has(name)) continue;
    const near = suggest(name, samples.keys());
    throw new HeadraceError('config_invalid', `No file has a column ${name}.`, {
      path: `read.types.${name}`,
      remedy: near === null ? `The columns are: ${[...samples.keys()].join(', ')}.` : `Did you mean ${near}?`,
    });
  }
}
