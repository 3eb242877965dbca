/** JSON lines as records: bytes kept, parsed late, broken lines rejected with their number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { dataFolder, printed, readFiles, reasons } from '../../../../../test/support/data-files.ts';

test('a record keeps its bytes, without the line end', async (context) => {
  const lines = ['{"id":1.10,"n":12345678901234567890}', '{ "id" : 2 }  ', '{"city":"Zürich 😀"}'];
  const folder = await dataFolder(context, { 'a.jsonl': `\ufeff${lines[0]}\r\n\n  \r\n${lines[1]}\n${lines[2]}` });
  const reading = await readFiles(folder, 'a.jsonl');
  assert.deepEqual(
    reading.records.map(({ bytes }) => bytes?.toString()),
    lines,
  );
  assert.deepEqual(
    reading.records.map(({ position }) => position),
    ['a.jsonl:1', 'a.jsonl:4', 'a.jsonl:5'],
  );
  assert.equal(reading.records[0]?.unparsed, true);
  assert.deepEqual(printed(reading), [lines[0], '{"id":2}', lines[2]]);
  assert.equal(reading.records[0]?.unparsed, false);
});

test('a line that is no JSON object is rejected with its number; faults inside show when it is parsed', async (context) => {
  const folder = await dataFolder(context, {
    'a.jsonl': Buffer.concat([
      Buffer.from('{"id":1}\n[1]\n{"cut":"of\n"text"\n{"bad":}\n{"id":'),
      Buffer.from([0xff]),
      Buffer.from('}\n{\n{"id":2}\n{"la'),
    ]),
  });
  const reading = await readFiles(folder, 'a.jsonl');
  assert.deepEqual(reasons(reading), [
    ['a.jsonl:2', 'A row must be a JSON object that starts with {.'],
    ['a.jsonl:3', 'Not valid JSON: the object is cut off, its last } is missing.'],
    ['a.jsonl:4', 'A row must be a JSON object that starts with {.'],
    ['a.jsonl:6', 'Not valid JSON: the line is not UTF-8.'],
    ['a.jsonl:7', 'Not valid JSON: the object is cut off, its last } is missing.'],
    ['a.jsonl:9', 'Not valid JSON: the object is cut off, its last } is missing.'],
  ]);
  assert.equal(reading.rejections[1]?.raw?.toString(), '{"cut":"of');
  assert.equal(reading.rejections[0]?.outcome.code, 'row_invalid');
  const [first, bad, last] = reading.records;
  assert.deepEqual([first?.data, last?.data], [{ id: 1 }, { id: 2 }]);
  assert.throws(() => bad?.data, SyntaxError);
});

test('lines over piece bounds, long lines and lines beyond the limit', async (context) => {
  const long = JSON.stringify({ id: 1, text: 'é'.repeat(3_000_000) });
  const beyond = JSON.stringify({ text: 'x'.repeat(17_000_000) });
  const many = Array.from({ length: 30_000 }, (_, id) => JSON.stringify({ id, pad: 'p'.repeat(id % 200) }));
  const folder = await dataFolder(context, {
    'a.jsonl': [...many, long, beyond, '{"id":2}', beyond].join('\n'),
    'b.jsonl.gz': gzipSync([long, beyond, '{"id":2}', ''].join('\n')),
  });
  const reading = await readFiles(folder, 'a.jsonl');
  const lines = reading.records.map(({ bytes }) => bytes?.toString());
  assert.ok(lines.join('\n') === [...many, long, '{"id":2}'].join('\n'), 'the lines, byte for byte');
  assert.deepEqual(reasons(reading), [
    ['a.jsonl:30002', 'The line is longer than 16777216 bytes.'],
    ['a.jsonl:30004', 'The line is longer than 16777216 bytes.'],
  ]);
  assert.equal(reading.rejections[0]?.raw?.length, 65_536);
  assert.ok(reading.batches.every((batch) => batch.records.length <= 1000));
  const packed = await readFiles(folder, 'b.jsonl.gz');
  assert.deepEqual(
    packed.records.map(({ bytes, position }) => [bytes?.length, position]),
    [
      [Buffer.byteLength(long), 'b.jsonl.gz:1'],
      [8, 'b.jsonl.gz:3'],
    ],
  );
});

test('a gzip file that is cut off fails the reading after its whole lines', async (context) => {
  const packed = gzipSync(Array.from({ length: 5000 }, (_, id) => `{"id":${id},"x":"${Math.sin(id)}"}\n`).join(''));
  const folder = await dataFolder(context, { 'a.jsonl.gz': packed.subarray(0, packed.length / 2) });
  await assert.rejects(readFiles(folder, 'a.jsonl.gz'), { code: 'source_failed', message: /no whole gzip file/ });
});
