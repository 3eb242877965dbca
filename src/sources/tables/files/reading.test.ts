/** Files read as one: order, positions, going on after a stop, progress, and tables that come back as they were. */
import assert from 'node:assert/strict';
import { appendFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { dataFolder, fileRead, printed, readAll } from '../../../../test/support/data-files.ts';
import type { JsonValue } from '../../../model/index.ts';
import { openFiles } from '../index.ts';

const csvRows = (from: number, count: number): string =>
  'id,note\n' +
  Array.from({ length: count }, (_, index) =>
    index % 97 === 13 ? 'ragged' : `${from + index},"line one é\nline, two ${'x'.repeat(index % 60)}"`,
  ).join('\r\n');
const jsonLines = (from: number, count: number): string =>
  '\ufeff' +
  Array.from({ length: count }, (_, index) =>
    index % 89 === 7 ? 'broken' : `{"id":${from + index},"x":"ü${'y'.repeat(index % 50)}"}`,
  ).join('\n');

const formats: Record<string, Record<string, string | Uint8Array>> = {
  csv: { 'a.csv': csvRows(0, 4500), 'b.csv': csvRows(10_000, 10), 'c.csv': csvRows(20_000, 2100) },
  jsonl: { 'a.jsonl': jsonLines(0, 4500), 'b.jsonl': '', 'c.jsonl': jsonLines(20_000, 2100) },
  packed: { 'a.csv.gz': gzipSync(csvRows(0, 4500)), 'b.jsonl.gz': gzipSync(jsonLines(0, 4500)) },
};

for (const [name, files] of Object.entries(formats)) {
  test(`${name}: a reading that goes on from any position gives exactly the rest`, async (context) => {
    const folder = await dataFolder(context, files);
    const reader = await openFiles(folder, fileRead('*'));
    const whole = await readAll(reader);
    const all = whole.batches.map((batch) => [
      ...batch.records.map((record) => [record.position, JSON.stringify(record.data)]),
      ...batch.rejections.map(({ position, outcome, raw }) => [position, outcome.reason, raw?.toString()]),
    ]);
    assert.ok(whole.batches.length >= 8, 'enough positions');
    assert.ok(whole.rejections.length > 60);
    let done = 0;
    for (const [index, { position }] of whole.batches.entries()) {
      const kept = JSON.parse(JSON.stringify(position)) as JsonValue;
      const again = await openFiles(folder, fileRead('*'));
      assert.ok(again.fits(kept));
      const rest = await readAll(again, kept);
      // Batches may be cut elsewhere; what is in them may not differ.
      const lines = [
        ...rest.records.map((record) => [record.position, JSON.stringify(record.data)]),
        ...rest.rejections.map(({ position, outcome, raw }) => [position, outcome.reason, raw?.toString()]),
      ];
      const byLine = (a: (string | undefined)[], b: (string | undefined)[]): number => (a[0]! < b[0]! ? -1 : 1);
      assert.deepEqual(
        lines.sort(byLine),
        all
          .slice(index + 1)
          .flat()
          .sort(byLine),
      );
      assert.ok(reader.extent.done(kept) >= done, 'progress goes forward');
      done = reader.extent.done(kept);
      await again.close();
    }
    assert.equal(reader.extent.unit, 'bytes');
    assert.equal(done, reader.extent.total, 'the last position is the end');
    assert.deepEqual((await readAll(reader, whole.batches.at(-1)!.position)).batches, []);
    await reader.close();
  });
}

test('a position fits only the files it was made in', async (context) => {
  const folder = await dataFolder(context, { 'a.csv': csvRows(0, 2), 'b.csv': csvRows(0, 2), 'd.csv': csvRows(0, 2) });
  const fits = async (position: JsonValue, file = '*.csv'): Promise<boolean> => {
    const reader = await openFiles(folder, fileRead(file));
    await reader.close();
    return reader.fits(position);
  };
  const reader = await openFiles(folder, fileRead('*.csv'));
  const { batches } = await readAll(reader);
  const lastIn = (file: string): Record<string, JsonValue> =>
    batches
      .map(({ position }) => position as Record<string, JsonValue>)
      .findLast((position) => position['file'] === file)!;
  const first = lastIn('a.csv');
  const second = lastIn('b.csv');
  assert.deepEqual([await fits(null), await fits(first), await fits(second)], [true, true, true]);
  assert.equal(await fits(second, 'b.csv'), false, 'the files before are others');
  for (const nonsense of [{}, 7, 'a.csv', { ...second, next: -1 }, { ...second, file: 'x' }])
    assert.equal(await fits(nonsense), false);
  await utimes(join(folder, 'd.csv'), 1, 1);
  assert.equal(await fits(second), true, 'what is still to come may change');
  await appendFile(join(folder, 'b.csv'), '\n9,x');
  assert.deepEqual([await fits(first), await fits(second)], [true, false]);
  await utimes(join(folder, 'a.csv'), 1, 1);
  assert.deepEqual([await fits(first), await fits(second)], [false, false]);
  await assert.rejects(readAll(await openFiles(folder, fileRead('*.csv')), second), { code: 'source_failed' });
});

test('a file that changes while it is read fails the reading', async (context) => {
  const folder = await dataFolder(context, {
    'a.jsonl': jsonLines(0, 100_000),
    'b.jsonl.gz': gzipSync(jsonLines(0, 90_000)),
  });
  for (const file of ['a.jsonl', 'b.jsonl.gz']) {
    const reader = await openFiles(folder, fileRead(file));
    const read = async (): Promise<void> => {
      let batches = 0;
      for await (const batch of reader.batches(null, new AbortController().signal))
        if (batches++ === 0) await appendFile(join(folder, file), batch.records[0]!.bytes!);
    };
    await assert.rejects(read(), { code: 'source_failed', message: /changed while it was read/ });
    await reader.close();
  }
});

test('a reading ends early and without error when it is told to', async (context) => {
  for (const files of Object.values(formats)) {
    const folder = await dataFolder(context, files);
    const reader = await openFiles(folder, fileRead('*'));
    const stop = new AbortController();
    let batches = 0;
    for await (const batch of reader.batches(null, stop.signal)) {
      assert.ok(batch.records.length > 0);
      if (++batches === 2) stop.abort();
    }
    assert.equal(batches, 2);
    for await (const batch of reader.batches(null, stop.signal)) assert.fail(JSON.stringify(batch.position));
    for await (const batch of reader.batches(null, new AbortController().signal)) if (batch !== null) break;
    await reader.close();
  }
});

const cell = fc.oneof(
  fc.constant(null),
  fc.constant(''),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.stringMatching(/^[ ",;\n\r\\|\ta-cä😀]{0,8}$/u),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,10})?$/),
);
const table = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 0, max: 40 }))
  .chain(([width, height]) =>
    fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: height, maxLength: height }),
  );

/** As RFC 4180 has it: quoted where it must be, null as nothing at all. */
function asCsv(value: string | null): string {
  if (value === null) return '';
  return value === '' || /[",;\n\r\t|\\]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

test('going on after a record that was too long gives exactly the rest', async (context) => {
  const long = 'x'.repeat(36_000_000);
  const folder = await dataFolder(context, {
    'a.csv': `id,note\n1,a\n2,${long}\n3,c\n${'4,d\n'.repeat(2000)}`,
    'b.jsonl': `{"id":1}\n{"id":"${long}"}\n{"id":3}\n${'{"id":4}\n'.repeat(2000)}`,
  });
  for (const file of ['a.csv', 'b.jsonl']) {
    const reader = await openFiles(folder, fileRead(file));
    const whole = await readAll(reader);
    let left = 2002;
    assert.equal(whole.records.length, left);
    for (const { position, records } of whole.batches) {
      left -= records.length;
      if (left === 2001) continue;
      const rest = await readAll(reader, position);
      assert.equal(rest.records.length, left, JSON.stringify(position));
      assert.equal(rest.records.at(-1)?.position, left === 0 ? undefined : `${file}:${file === 'a.csv' ? 2004 : 2003}`);
    }
    await reader.close();
  }
});

test('any table written as CSV comes back as it was', async (context) => {
  const folder = await dataFolder(context, {});
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.constantFrom(',', ';', '\t', '|'),
      fc.constantFrom('\n', '\r\n'),
      async (rows, delimiter, end) => {
        const columns = Array.from({ length: rows[0]?.length ?? 2 }, (_, index) => `c ${index}`);
        const lines = [columns, ...rows].map((row) => row.map(asCsv).join(delimiter));
        const file = `${number++}.csv`;
        await appendFile(join(folder, file), lines.join(end) + end);
        const types = Object.fromEntries(columns.map((name) => [name, 'text' as const]));
        const reader = await openFiles(folder, fileRead(file, { types }));
        const reading = await readAll(reader);
        await reader.close();
        assert.deepEqual(reading.rejections, []);
        assert.deepEqual(
          reading.records.map(({ data }) => Object.values(data as object)),
          rows,
        );
      },
    ),
    { numRuns: 150 },
  );
});

test('numbers at the edges of a double keep their digits', async (context) => {
  const values =
    '0 -0 0.1 10 100 1.0 1.10 -1.5 0.000001 0.0000001 0.00000012 123456789012345 1234567890123456 9007199254740992 9007199254740993 99999999999999.9 999999999999999.9 9007199254740.993 1e5 1E5 1e-7 1.5e+300 1e400 123456789.123456789 -0.0';
  const folder = await dataFolder(context, { 'a.csv': `n,t\n${values.replaceAll(/(\S+) ?/g, '$1,x\n')}` });
  const reader = await openFiles(folder, fileRead('a.csv'));
  assert.deepEqual(
    printed(await readAll(reader)),
    values.split(' ').map((value) => `{"n":${value},"t":"x"}`),
  );
  await reader.close();
});

test('any number in a column of numbers prints the digits it was written with', async (context) => {
  const folder = await dataFolder(context, {});
  let number = 0;
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/);
  const short = fc.stringMatching(/^-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,9})?$/);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(digits, short), { minLength: 1, maxLength: 50 }), async (values) => {
      const file = `${number++}.csv`;
      await appendFile(join(folder, file), `n,t\n${values.map((value) => `${value},x\n`).join('')}`);
      const reader = await openFiles(folder, fileRead(file));
      const reading = await readAll(reader);
      await reader.close();
      assert.deepEqual(
        printed(reading),
        values.map((value) => `{"n":${value},"t":"x"}`),
      );
    }),
    { numRuns: 150 },
  );
});
