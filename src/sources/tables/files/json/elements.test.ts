/** JSON files as records: lists and sequences, bytes kept, faults found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { dataFolder, fileRead, printed, readAll, readFiles, reasons } from '../../../../../test/support/data-files.ts';
import { openFiles } from '../../index.ts';
import { ValueScanner } from './value-scanner.ts';

test('the elements of a list are records with their own bytes', async (context) => {
  const folder = await dataFolder(context, {
    'a.json':
      '\ufeff [ {"id":1.10, "text":"a \\" ] } , \\\\"},\n{\n  "id": 12345678901234567890\n}\t,{"city":"Zürich"} ]\n',
  });
  const reading = await readFiles(folder, 'a.json');
  assert.deepEqual(
    reading.records.map(({ bytes }) => bytes?.toString()),
    ['{"id":1.10, "text":"a \\" ] } , \\\\"}', '{\n  "id": 12345678901234567890\n}', '{"city":"Zürich"}'],
  );
  assert.deepEqual(printed(reading)[1], '{"id":12345678901234567890}');
  assert.deepEqual(
    reading.records.map(({ position }) => position),
    ['a.json:1', 'a.json:2', 'a.json:3'],
  );
});

test('one object, objects one after another, an empty list, nothing at all', async (context) => {
  const folder = await dataFolder(context, {
    'one.json': '{\n "id": 1\n}',
    'many.json': '{"id":1}\n{"id":2}{"id":3}',
    'empty.json': ' [ ]',
    'nothing.json': '',
    'packed.json.gz': gzipSync('[{"id":1},{"id":2}]'),
  });
  const all = async (file: string): Promise<string[]> => printed(await readFiles(folder, file));
  assert.deepEqual(await all('one.json'), ['{"id":1}']);
  assert.deepEqual(await all('many.json'), ['{"id":1}', '{"id":2}', '{"id":3}']);
  assert.deepEqual(await all('empty.json'), []);
  assert.deepEqual(await all('nothing.json'), []);
  assert.deepEqual(await all('packed.json.gz'), ['{"id":1}', '{"id":2}']);
});

test('elements that are no objects are rejected; faults inside one show when it is parsed', async (context) => {
  const folder = await dataFolder(context, {
    'a.json': Buffer.concat([
      Buffer.from('[{"id":1},2,"x",[{}],null,{"bad":},{"x":"'),
      Buffer.from([0xff]),
      Buffer.from('"},{"id":3}]'),
    ]),
    'scalar.json': '12',
  });
  const reading = await readFiles(folder, 'a.json');
  assert.deepEqual(reasons(reading), [
    ...[2, 3, 4, 5].map((n) => [`a.json:${n}`, 'A row must be a JSON object that starts with {.']),
    ['a.json:7', 'Not valid JSON: it is not UTF-8.'],
  ]);
  assert.deepEqual([reading.records[0]?.data, reading.records[2]?.data], [{ id: 1 }, { id: 3 }]);
  assert.throws(() => reading.records[1]?.data, SyntaxError);
  assert.equal((await readFiles(folder, 'scalar.json')).rejections.length, 1);
});

test('a file whose list is broken fails after the elements before it, and says where', async (context) => {
  const faults: [content: string, message: RegExp, before: number][] = [
    ['[{"id":1},{"id":2}', /ends before its list does \(byte 18, after element 2\)/, 2],
    ['[{"id":1},{"id":', /ends in the middle of a value/, 1],
    ['[{"id":1}{"id":2}]', /a comma or \] is missing \(byte 9, after element 1\)/, 1],
    ['[{"id":1},,{"id":2}]', /a value is missing/, 1],
    ['[{"id":1},]', /a value is missing/, 1],
    ['[{"id":1}] x', /something follows the end/, 1],
    ['{"id":1}\n{"id":"', /ends in the middle of a value/, 1],
  ];
  for (const [content, message, before] of faults) {
    const folder = await dataFolder(context, { 'a.json': content });
    const reader = await openFiles(folder, fileRead('a.json'));
    let records = 0;
    const read = async (): Promise<void> => {
      for await (const batch of reader.batches(null, new AbortController().signal)) records += batch.records.length;
    };
    await assert.rejects(read(), { code: 'source_failed', message });
    assert.equal(records, before, content);
    await reader.close();
  }
});

test('elements over piece bounds, beyond the limit, and going on from any position', async (context) => {
  const many = Array.from({ length: 30_000 }, (_, id) => JSON.stringify({ id, pad: '\\"é'.repeat(id % 40) }));
  const long = JSON.stringify({ id: 1, text: '\\"'.repeat(1_500_000) });
  const beyond = JSON.stringify({ text: ['{'.repeat(17_000_000)] });
  const elements = [...many.slice(0, 100), long, beyond, ...many, beyond];
  const folder = await dataFolder(context, {
    'list.json': `[${elements.join(' ,\n')}]`,
    'sequence.json': elements.join('\n'),
  });
  for (const file of ['list.json', 'sequence.json']) {
    const reader = await openFiles(folder, fileRead(file));
    const whole = await readAll(reader);
    const lines = whole.records.map(({ bytes }) => bytes!.toString());
    const sound = elements.filter((element) => element !== beyond);
    assert.ok(lines.join('\n') === sound.join('\n'), 'the elements, byte for byte');
    assert.deepEqual(reasons(whole), [
      [`${file}:102`, 'The element is longer than 16777216 bytes.'],
      [`${file}:30103`, 'The element is longer than 16777216 bytes.'],
    ]);
    let before = 0;
    for (const [index, { position, records }] of whole.batches.entries()) {
      before += records.length;
      if (index % 12 !== 0) continue;
      const rest = await readAll(reader, position);
      assert.ok(rest.records.map(({ bytes }) => bytes!.toString()).join('\n') === sound.slice(before).join('\n'));
    }
    await reader.close();
  }
});

test('the end of any value is found, wherever the pieces are cut', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.nat(200), { maxLength: 5 }), fc.boolean(), (value, cuts, pretty) => {
      const text = Buffer.from(`${JSON.stringify(value, null, pretty ? 2 : 0)},{`);
      const bounds = [...new Set([...cuts.filter((cut) => cut < text.length), text.length])].sort((a, b) => a - b);
      const scanner = new ValueScanner();
      scanner.begin();
      let start = 0;
      for (const bound of bounds) {
        const end = scanner.scan(text.subarray(start, bound), 0);
        if (end !== -1) return assert.equal(start + end, text.length - 2);
        start = bound;
      }
      assert.fail('no end');
    }),
    { numRuns: 500 },
  );
});
