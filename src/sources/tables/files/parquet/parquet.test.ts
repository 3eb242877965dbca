/** Parquet files as records: every type to its JSON value, digit for digit; order; going on. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { dataFolder, fileRead, readAll, readFiles } from '../../../../../test/support/data-files.ts';
import { openFiles } from '../../index.ts';

async function writeParquet(file: string, select: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  connection.closeSync();
  instance.closeSync();
}

/** SQL expression → how its value prints in JSON. */
const matrix: Record<string, string> = {
  true: 'true',
  '1::TINYINT': '1',
  '(-32768)::SMALLINT': '-32768',
  '2147483647::INTEGER': '2147483647',
  '9223372036854775807::BIGINT': '9223372036854775807',
  '18446744073709551615::UBIGINT': '18446744073709551615',
  '255::UTINYINT': '255',
  '65535::USMALLINT': '65535',
  '4294967295::UINTEGER': '4294967295',
  '1.10::DECIMAL(10,2)': '1.10',
  '(-0.05)::DECIMAL(4,2)': '-0.05',
  '12345678901234567890123456789012345.678::DECIMAL(38,3)': '12345678901234567890123456789012345.678',
  '0.1::DOUBLE': '0.1',
  '0.1::FLOAT': '0.1',
  '1e300::DOUBLE': '1e+300',
  '1e-7::DOUBLE': '1e-07',
  "'nan'::DOUBLE": '"NaN"',
  "'inf'::DOUBLE": '"Infinity"',
  "'-inf'::FLOAT": '"-Infinity"',
  '\'a "quote", \\ and \u0001 and ü 😀\' || chr(10)': '"a \\"quote\\", \\\\ and \\u0001 and ü 😀\\n"',
  "''": '""',
  "DATE '2024-02-29'": '"2024-02-29"',
  "DATE '10000-01-01'": '"10000-01-01"',
  "TIME '10:20:30.123456'": '"10:20:30.123456"',
  "TIMESTAMP '2024-01-31 10:20:30.123456'": '"2024-01-31T10:20:30.123456"',
  "TIMESTAMP '2024-01-31 10:20:30'": '"2024-01-31T10:20:30"',
  "TIMESTAMP_NS '2024-01-31 10:20:30.123456789'": '"2024-01-31T10:20:30.123456789"',
  "TIMESTAMP_MS '2024-01-31 10:20:30.123'": '"2024-01-31T10:20:30.123"',
  "TIMESTAMPTZ '2024-01-31 10:20:30.5+05:45'": '"2024-01-31T04:35:30.5Z"',
  "TIMESTAMPTZ 'infinity'": '"infinity"',
  "INTERVAL '1 month 2 days'": '"1 month 2 days"',
  "'\\xFF\\x00A'::BLOB": '"/wBB"',
  "UUID '2c2cd0c5-8c2b-4a52-a2a5-111111111111'": '"2c2cd0c5-8c2b-4a52-a2a5-111111111111"',
  "'b'::ENUM('a', 'b')": '"b"',
  '\'{"a": 1.10, "b": [null]}\'::JSON': '{"a": 1.10, "b": [null]}',
  '[1.10::DECIMAL(5,2), NULL, 2]': '[1.10,null,2.00]',
  '[]::INTEGER[]': '[]',
  '[[1, 2], NULL, []]': '[[1,2],null,[]]',
  "['a', NULL, 'b\"']": '["a",null,"b\\""]',
  "{'a': 1, 'b \"c''': [{'d': 'nan'::DOUBLE}], 'n': NULL::VARCHAR}": '{"a":1,"b \\"c\'":[{"d":"NaN"}],"n":null}',
  "MAP {'k\"': 1.50::DECIMAL(5,2), 'l': NULL}": '{"k\\"":1.50,"l":null}',
  "MAP {1: [TIMESTAMP '2024-01-31 10:20:30']}": '{"1":["2024-01-31T10:20:30"]}',
  'NULL::STRUCT(a INTEGER, b VARCHAR[])': 'null',
  'NULL::INTEGER[]': 'null',
  'NULL::MAP(VARCHAR, INTEGER)': 'null',
  'NULL::DOUBLE': 'null',
  'NULL::TIMESTAMPTZ': 'null',
};

test('every type becomes the JSON value that keeps all of it', async (context) => {
  const folder = await dataFolder(context, {});
  const expressions = Object.keys(matrix);
  const columns = expressions.map((sql, index) => `${sql} AS "c""${index}"`);
  await writeParquet(join(folder, 'a.parquet'), `SELECT ${columns.join(', ')}`);
  const [record] = (await readFiles(folder, 'a.parquet')).records;
  const data = record?.data as Record<string, unknown>;
  assert.ok(record?.bytes !== null && record !== undefined);
  JSON.parse(record.bytes.toString());
  const raw = record.bytes.toString();
  assert.deepEqual(
    Object.keys(data),
    expressions.map((_, index) => `c"${index}`),
  );
  expressions.forEach((sql, index) => {
    assert.ok(raw.includes(`"c\\"${index}":${matrix[sql]!}`), `${sql}: ${JSON.stringify(data[`c"${index}`])}`);
    assert.equal(
      JSON.stringify(data[`c"${index}`]),
      matrix[sql]!.replace('{"a": 1.10, "b": [null]}', '{"a":1.10,"b":[null]}'),
    );
  });
});

test('the time zone of the machine changes nothing', async (context) => {
  const folder = await dataFolder(context, {});
  await writeParquet(
    join(folder, 'a.parquet'),
    "SELECT TIMESTAMPTZ '2024-01-31 10:20:30.5+05:45' AS at, TIMESTAMP '2024-07-01 00:00:00' AS plain",
  );
  const module = new URL('../../index.ts', import.meta.url).href;
  const script = `const {openFiles} = await import(${JSON.stringify(module)});
    const reader = await openFiles(${JSON.stringify(folder)}, {file: 'a.parquet', format: null, types: {}});
    for await (const batch of reader.batches(null, new AbortController().signal)) console.log(batch.records[0].bytes.toString());
    await reader.close();`;
  for (const zone of ['UTC', 'Asia/Kathmandu', 'America/St_Johns']) {
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ: zone },
    });
    assert.equal(out.toString(), '{"at":"2024-01-31T04:35:30.5Z","plain":"2024-07-01T00:00:00"}\n');
  }
});

test('rows come in file order, and a reading that goes on from any position gives exactly the rest', async (context) => {
  const folder = await dataFolder(context, {});
  await writeParquet(
    join(folder, 'a[1].parquet'),
    "SELECT i AS id, repeat('x', (i % 90)::INTEGER) AS pad FROM range(9000) t(i)",
  );
  await writeParquet(join(folder, 'b.parquet'), 'SELECT i AS id, i AS file_row_number FROM range(9000, 13000) t(i)');
  const reader = await openFiles(folder, fileRead('*.parquet'));
  assert.deepEqual(reader.columns, ['id', 'pad', 'file_row_number']);
  assert.equal(reader.extent.unit, 'rows');
  assert.equal(reader.extent.total, 13_000);
  const whole = await readAll(reader);
  const ids = whole.records.map(({ data }) => (data as { id: number }).id);
  assert.deepEqual(
    ids,
    Array.from({ length: 13_000 }, (_, id) => id),
  );
  assert.equal(whole.records[8999]?.position, 'a[1].parquet:9000');
  assert.ok(whole.batches.every(({ records }) => records.length <= 1000));
  let before = 0;
  for (const { position, records } of whole.batches) {
    before += records.length;
    assert.equal(reader.extent.done(position), before);
    const again = await openFiles(folder, fileRead('*.parquet'));
    assert.ok(again.fits(position));
    const rest = await readAll(again, position);
    assert.deepEqual(
      rest.records.map(({ data }) => (data as { id: number }).id),
      ids.slice(before),
    );
    await again.close();
  }
  await reader.close();
});

test('what is no Parquet file, or changes, is a clear error; other formats stand beside it', async (context) => {
  const folder = await dataFolder(context, { 'bad.parquet': 'id\n1\n', 'empty.parquet': '', 'x.csv': 'id\n1\n' });
  for (const file of ['bad.parquet', 'empty.parquet'])
    await assert.rejects(readFiles(folder, file), { code: 'source_failed', message: /could not be read as Parquet/ });
  await writeParquet(join(folder, 'good.parquet'), 'SELECT i AS id FROM range(5000) t(i)');
  const mixed = await openFiles(folder, fileRead('{good.parquet,x.csv}'));
  assert.equal(mixed.extent.unit, 'bytes');
  const reading = await readAll(mixed);
  assert.equal(reading.records.length, 5001);
  assert.equal(mixed.extent.done(reading.batches.at(-1)!.position), mixed.extent.total);
  await mixed.close();
  const changing = await openFiles(folder, fileRead('good.parquet'));
  const read = async (): Promise<void> => {
    for await (const batch of changing.batches(null, new AbortController().signal))
      if (batch.records.length > 0) await appendFile(join(folder, 'good.parquet'), 'x');
  };
  await assert.rejects(read(), { code: 'source_failed', message: /changed while it was read/ });
  await changing.close();
});

test('a file swapped after it was listed is not read', async (context) => {
  const outside = await dataFolder(context, {});
  const folder = await dataFolder(context, {});
  await writeParquet(join(outside, 'secret.parquet'), 'SELECT 1 AS id');
  await copyFile(join(outside, 'secret.parquet'), join(folder, 'a.parquet'));
  const reader = await openFiles(folder, fileRead('a.parquet'));
  execFileSync('rm', [join(folder, 'a.parquet')]);
  await symlink(join(outside, 'secret.parquet'), join(folder, 'a.parquet'));
  await assert.rejects(readAll(reader), { code: 'source_failed' });
  await reader.close();
  await writeFile(join(folder, 'b.jsonl'), '{"id":1}');
  await assert.rejects(readFiles(folder, 'b.jsonl', { types: { id: 'text' } }), {
    code: 'config_invalid',
    path: 'read.types',
  });
});
