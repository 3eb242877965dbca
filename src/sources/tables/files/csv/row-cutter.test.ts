/** Cutting rows: the same wherever the bytes are cut into pieces, and always going forward. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dataFolder, readFiles } from '../../../../../test/support/data-files.ts';
import { backslash, carriageReturn, comma, newline, quote, RowCutter, type Dialect } from './row-cutter.ts';

const dialect = fc.record<Dialect>({
  delimiter: fc.constant(comma),
  quote: fc.constant(quote),
  escape: fc.constantFrom(quote, backslash),
  newline: fc.constantFrom(newline, newline, carriageReturn),
});
const text = fc.stringMatching(/^["",,\n\r\\aé]{0,30}$/u).map((value) => Buffer.from(value));

function cutAll(bytes: Buffer, used: Dialect): unknown[] {
  const cutter = new RowCutter(used, 3);
  const rows: unknown[] = [];
  for (let at = 0; at < bytes.length; at = cutter.next) {
    rows.push(facts(cutter, bytes, at, true));
    assert.ok(cutter.next > at, 'goes forward');
  }
  return rows;
}

function facts(cutter: RowCutter, bytes: Buffer, at: number, final: boolean): Record<string, unknown> {
  const state = cutter.cut(bytes, at, final);
  if (state === 'incomplete') return { state };
  const { next, lines, count } = cutter;
  if (state === 'broken' || state === 'unclosed') return { state, next, lines };
  const fields = Array.from({ length: Math.min(count, 3) }, (_, index) => [
    cutter.starts[index],
    cutter.ends[index],
    cutter.kinds[index],
  ]);
  return { state, next, lines, count, fields };
}

test('what is cut from a beginning of the bytes is what is cut from all of them', () => {
  fc.assert(
    fc.property(text, dialect, (bytes, used) => {
      const cutter = new RowCutter(used, 3);
      const whole = facts(cutter, bytes, 0, true);
      for (let end = 0; end <= bytes.length; end++) {
        const part = facts(cutter, bytes.subarray(0, end), 0, false);
        if (part['state'] !== 'incomplete') assert.deepEqual(part, whole);
      }
    }),
    { numRuns: 3000 },
  );
});

test('every byte is in exactly one row, and every line is counted', () => {
  fc.assert(
    fc.property(text, dialect, (bytes, used) => {
      const rows = cutAll(bytes, used) as { lines: number }[];
      const ends = bytes.filter((byte) => byte === used.newline).length;
      const unended = bytes.length > 0 && bytes.at(-1) !== used.newline ? 1 : 0;
      assert.equal(
        rows.reduce((sum, { lines }) => sum + lines, 0),
        ends + unended,
      );
    }),
    { numRuns: 3000 },
  );
});

test('a large table of awkward cells comes back as it was, over many pieces', async (context) => {
  const cells = [
    '',
    'plain',
    'com,ma',
    'two\nlines',
    'two\r\nlines',
    '"',
    'a "quoted" word',
    'é😀',
    'x'.repeat(900),
    null,
  ];
  const rows = Array.from({ length: 60_000 }, (_, row) =>
    Array.from({ length: 4 }, (_, column) => cells[(row * 7 + column * 3 + ((row * row) % 11)) % cells.length]!),
  );
  const written = rows.map((row) =>
    row
      .map((cell) => (cell === null ? '' : /^$|[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
      .join(','),
  );
  const folder = await dataFolder(context, { 'a.csv': `a,b,c,d\r\n${written.join('\r\n')}` });
  const reading = await readFiles(folder, 'a.csv');
  assert.equal(reading.rejections.length, 0);
  assert.equal(reading.records.length, rows.length);
  reading.records.forEach(({ data }, index) => assert.deepEqual(Object.values(data as object), rows[index]));
  const lines = written.slice(0, -1).reduce((sum, row) => sum + row.split('\n').length, 2);
  assert.equal(reading.records.at(-1)?.position, `a.csv:${lines}`);
});
