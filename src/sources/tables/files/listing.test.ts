/** Which files are read, and that none outside the source's folder is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataFolder, fileRead, printed, readFiles } from '../../../../test/support/data-files.ts';
import { openFiles } from '../index.ts';
import { listFiles } from './listing.ts';

test('a glob names its files in order of their names; a folder is passed over', async (context) => {
  const folder = await dataFolder(context, {
    'orders/b.jsonl': '{"id":2}\n',
    'orders/a.jsonl': '{"id":1}\n',
    'orders/B.jsonl': '{"id":0}\n',
    'orders/2024/c.jsonl': '{"id":3}\n',
  });
  await mkdir(join(folder, 'orders/d.jsonl'));
  const names = async (file: string): Promise<string[]> =>
    (await listFiles(folder, fileRead(file))).map(({ name }) => name);
  assert.deepEqual(await names('orders/*.jsonl'), ['orders/B.jsonl', 'orders/a.jsonl', 'orders/b.jsonl']);
  assert.deepEqual(await names('**/c.jsonl'), ['orders/2024/c.jsonl']);
  const reading = await readFiles(folder, 'orders/*.jsonl');
  assert.deepEqual(printed(reading), ['{"id":0}', '{"id":1}', '{"id":2}']);
  assert.deepEqual(
    reading.records.map(({ stream }) => stream),
    ['orders/B.jsonl', 'orders/a.jsonl', 'orders/b.jsonl'],
  );
});

test('the format is told by the name or by `format`', async (context) => {
  const folder = await dataFolder(context, {
    'a.ndjson': '{"id":1}\n',
    'b.dat': '{"id":1}\n',
    'x[1].csv': 'id\n7\n',
  });
  assert.deepEqual(printed(await readFiles(folder, 'a.ndjson')), ['{"id":1}']);
  assert.deepEqual(printed(await readFiles(folder, 'b.dat', { format: 'jsonl' })), ['{"id":1}']);
  assert.deepEqual(printed(await readFiles(folder, 'x[1].csv')), ['{"id":7}']);
  await assert.rejects(readFiles(folder, 'b.dat'), { code: 'config_invalid', message: /format of b\.dat/ });
});

test('what is not there is said, with the nearest name', async (context) => {
  const folder = await dataFolder(context, { 'orders.csv': 'id\n1\n' });
  await assert.rejects(readFiles(folder, 'order.csv'), { code: 'source_failed', remedy: 'Did you mean orders.csv?' });
  await assert.rejects(readFiles(folder, '*.parquet'), { code: 'source_failed', message: /No file matches/ });
  await assert.rejects(readFiles(join(folder, 'none'), 'a.csv'), { code: 'source_failed', path: 'path' });
  await assert.rejects(readFiles(folder, 'none/a.csv'), { code: 'source_failed', message: /No file matches/ });
});

test('nothing outside the folder is read: no `..`, no absolute path, no link', async (context) => {
  const outside = await dataFolder(context, { 'secret.csv': 'id\n1\n', 'deep/secret.csv': 'id\n1\n' });
  const folder = await dataFolder(context, { 'inside.csv': 'id\n1\n' });
  await symlink(join(outside, 'secret.csv'), join(folder, 'link.csv'));
  await symlink(outside, join(folder, 'sub'));
  await symlink('inside.csv', join(folder, 'good.csv'));
  for (const file of ['../secret.csv', 'a/../../secret.csv', join(outside, 'secret.csv'), '..', '', 'a\0.csv'])
    await assert.rejects(readFiles(folder, file), { code: 'config_invalid', path: 'read.file' }, file);
  for (const file of ['link.csv', 'sub/secret.csv', '*.csv', 'sub/*.csv'])
    await assert.rejects(readFiles(folder, file), { code: 'config_invalid', message: /link that leads out/ }, file);
  await symlink('circle.csv', join(folder, 'circle.csv'));
  await assert.rejects(readFiles(folder, 'circle.csv'), { code: 'source_failed', message: /circle/ });
  assert.deepEqual(printed(await readFiles(folder, 'good.csv')), ['{"id":1}']);
});

test('only regular files are read, and a pipe does not make it wait', async (context) => {
  const folder = await dataFolder(context, { 'a.csv': 'id\n1\n' });
  execFileSync('mkfifo', [join(folder, 'pipe.csv')]);
  await mkdir(join(folder, 'folder.csv'));
  await assert.rejects(readFiles(folder, 'pipe.csv'), { code: 'source_failed', message: /not a regular file/ });
  await assert.rejects(readFiles(folder, 'folder.csv'), { code: 'source_failed', message: /is a folder/ });
  for (const system of ['/proc', '/proc/self', '/dev', '/sys'])
    await assert.rejects(readFiles(system, 'meminfo', { format: 'csv' }), { code: 'config_invalid', path: 'path' });
  await assert.rejects(readFiles('/', 'proc/self/environ', { format: 'csv' }), {
    code: 'source_failed',
    message: /system/,
  });
});

test('a file swapped after it was listed is not read', async (context) => {
  const outside = await dataFolder(context, { 'secret.jsonl': '{"id":"secret"}\n' });
  const folder = await dataFolder(context, { 'a.jsonl': '{"id":1}\n' });
  const read = async (): Promise<void> => {
    for await (const batch of reader.batches(null, new AbortController().signal)) assert.fail(JSON.stringify(batch));
  };
  // As alike as can be: only that it is a link tells.
  await writeFile(join(outside, 'secret.jsonl'), '{"id":0}\n');
  await utimes(join(outside, 'secret.jsonl'), 1, 1);
  await utimes(join(folder, 'a.jsonl'), 1, 1);
  const reader = await openFiles(folder, fileRead('a.jsonl'));
  execFileSync('ln', ['-sf', join(outside, 'secret.jsonl'), join(folder, 'a.jsonl')]);
  await assert.rejects(read(), { code: 'source_failed' });
  execFileSync('rm', [join(folder, 'a.jsonl')]);
  execFileSync('mkfifo', [join(folder, 'a.jsonl')]);
  await assert.rejects(read(), { code: 'source_failed' });
  await reader.close();
});
