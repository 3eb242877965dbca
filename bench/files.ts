/**
 * How many records a second the files source reads on its own, with their data asked for where a mapping would ask:
 * `node bench/files.ts [--rows 1000000] [--rounds 3] [--only csv]`. Prints one line a format; peak RSS is the process's.
 */
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { openFiles } from '../src/sources/tables/index.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const rows = Number(values.rows);
const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-files-'));

/** Ten columns, about 105 bytes. */
function csvRow(id: number): string {
  const time = `2024-01-0${1 + (id % 9)} 10:00:00`;
  return `${id},t${id % 7},Name ${id},user${id}@example.com,${(id % 100_000) / 100},${id % 13},${id % 2 === 0},${time},City ${id % 50},plain note ${id % 17}\n`;
}
const csvHeader = 'id,tenant,name,email,total,quantity,active,created_at,city,note\n';

/** About 400 bytes. */
function jsonLine(id: number): string {
  const properties = { total: (id % 10_000) / 100, items: ['a', 'b'], note: 'x'.repeat(220) };
  return `${JSON.stringify({ id, type: 'track', event: 'Order Completed', userId: `u${id}`, messageId: `m-${id}`, properties, timestamp: '2024-01-01T00:00:00.000Z' })}\n`;
}

async function write(name: string, first: string, line: (id: number) => string, last = ''): Promise<void> {
  const out = createWriteStream(join(folder, name));
  let text = first;
  for (let id = 0; id < rows; id++) {
    text += line(id);
    if (text.length < 1_048_576) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text + last);
  await once(out, 'finish');
}

async function writeParquet(name: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT i AS id, 't' || i % 7 AS tenant, 'Name ' || i AS name, 'user' || i || '@example.com' AS email,
    (i % 100000)::DECIMAL(12, 2) AS total, (i % 13)::INTEGER AS quantity, i % 2 = 0 AS active,
    TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS created_at, 'City ' || i % 50 AS city, 'plain note ' || i % 17 AS note
    FROM range(${rows}) t(i)) TO '${join(folder, name)}'`);
  connection.closeSync();
  instance.closeSync();
}

interface Format {
  readonly name: string;
  readonly file: string;
  /** Whether records are asked for their data, as a mapping of single columns does; else only for their bytes. */
  readonly data: boolean;
  write(): Promise<void>;
}
const formats: readonly Format[] = [
  { name: 'CSV, 10 columns', file: 'a.csv', data: true, write: () => write('a.csv', csvHeader, csvRow) },
  {
    name: 'JSON lines, 400 bytes, not parsed',
    file: 'a.jsonl',
    data: false,
    write: () => write('a.jsonl', '', jsonLine),
  },
  {
    name: 'JSON list, 400 bytes, not parsed',
    file: 'a.json',
    data: false,
    write: () => write('a.json', '[', (id) => `${id === 0 ? '' : ','}${jsonLine(id)}`, ']'),
  },
  { name: 'Parquet, 10 columns, as JSON', file: 'a.parquet', data: false, write: () => writeParquet('a.parquet') },
];

async function read(format: Format): Promise<string> {
  const started = performance.now();
  const before = process.cpuUsage();
  const reader = await openFiles(folder, { file: format.file, format: null, types: {} });
  let records = 0;
  let peak = 0;
  for await (const batch of reader.batches(null, new AbortController().signal)) {
    records += batch.records.length;
    if (format.data) for (const { data } of batch.records) if (data === null) throw new Error('no data');
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  await reader.close();
  const seconds = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage(before);
  if (records !== rows) throw new Error(`${records} records of ${rows}`);
  const perSecond = Math.round(records / seconds).toLocaleString('en');
  const perCpuSecond = Math.round((records * 1e6) / (cpu.user + cpu.system)).toLocaleString('en');
  const megabytes = Math.round(statSync(join(folder, format.file)).size / 1e6 / seconds);
  return `${perSecond} rows/s, ${perCpuSecond} a CPU second, ${megabytes} MB/s, peak RSS ${Math.round(peak / 1_048_576)} MiB`;
}

try {
  for (const format of formats.filter(({ file }) => file.endsWith(values.only))) {
    await format.write();
    for (let round = 0; round < Number(values.rounds); round++) console.log(`${format.name}: ${await read(format)}`);
    rmSync(join(folder, format.file));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
