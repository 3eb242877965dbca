/** CSV files as records: types, digits, quoting, dialects, broken rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { dataFolder, printed, readFiles, reasons } from '../../../../../test/support/data-files.ts';
import type { ColumnType } from '../../../../model/index.ts';

test('a column of numbers prints their own digits, true and false are booleans, the rest is text', async (context) => {
  const folder = await dataFolder(context, {
    'a.csv':
      'id,price,big,active,day,zip\n1,1.10,12345678901234567890123456789012345678.90,true,2024-01-31,00501\n2,-0.5,9007199254740993,FALSE,,10001\n',
  });
  const reading = await readFiles(folder, 'a.csv');
  assert.deepEqual(printed(reading), [
    '{"id":1,"price":1.10,"big":12345678901234567890123456789012345678.90,"active":true,"day":"2024-01-31","zip":"00501"}',
    '{"id":2,"price":-0.5,"big":9007199254740993,"active":false,"day":null,"zip":"10001"}',
  ]);
  const [first] = reading.records;
  assert.equal(first?.stream, 'a.csv');
  assert.equal(first?.position, 'a.csv:2');
  assert.equal(first?.operation, 'created');
  assert.equal(first?.bytes, null);
});

test('`types` says otherwise', async (context) => {
  const folder = await dataFolder(context, { 'a.csv': 'id,doc,flag,n\n7,"{""a"":1.10}",true,5\n8,[1],false,\n' });
  const types: Record<string, ColumnType> = { id: 'text', doc: 'json', flag: 'text', n: 'text' };
  assert.deepEqual(printed(await readFiles(folder, 'a.csv', { types })), [
    '{"id":"7","doc":{"a":1.10},"flag":"true","n":"5"}',
    '{"id":"8","doc":[1],"flag":"false","n":null}',
  ]);
  await assert.rejects(readFiles(folder, 'a.csv', { types: { dok: 'json' } }), {
    code: 'config_invalid',
    path: 'read.types.dok',
    remedy: 'Did you mean doc?',
  });
});

test('a value that does not fit its column is a rejected row with field and value, not a failed run', async (context) => {
  const rows = Array.from({ length: 20_000 }, (_, index) => `${index},true\n`).join('');
  const folder = await dataFolder(context, {
    'b.csv':
      'n,flag\n' +
      rows.repeat(6) +
      '+5,true\n.5,true\n5.,false\n 6 ,true\n007,true\nn/a,true\n1,maybe\nNaN,true\n-inf,true\n"",""\n',
  });
  const reading = await readFiles(folder, 'b.csv');
  assert.deepEqual(printed({ records: reading.records.slice(-7) }), [
    '{"n":5,"flag":true}',
    '{"n":0.5,"flag":true}',
    '{"n":5,"flag":false}',
    '{"n":6,"flag":true}',
    '{"n":"NaN","flag":true}',
    '{"n":"-Infinity","flag":true}',
    '{"n":null,"flag":null}',
  ]);
  assert.deepEqual(
    reading.rejections.map(({ position, outcome, raw }) => [position, outcome.code, outcome.field, raw?.toString()]),
    [
      ['b.csv:120006', 'row_invalid', 'n', '007,true'],
      ['b.csv:120007', 'row_invalid', 'n', 'n/a,true'],
      ['b.csv:120008', 'row_invalid', 'flag', '1,maybe'],
    ],
  );
  assert.match(reading.rejections[1]!.outcome.reason, /^"n\/a" in column "n" is not a number; .*types: \{n: text\}/);
});

test('an empty field is null, a quoted empty one is empty text', async (context) => {
  const folder = await dataFolder(context, { 'a.csv': 'a,b\n,""\n"",\n' });
  assert.deepEqual(printed(await readFiles(folder, 'a.csv')), ['{"a":null,"b":""}', '{"a":"","b":null}']);
});

test('quoted newlines, doubled quotes, CRLF, a byte order mark, a last line without end', async (context) => {
  const folder = await dataFolder(context, {
    'a.csv': '\ufeffid,note\r\n1,"two\r\nlines, ""one"" comma"\r\n\r\n2,Zürich €😀\r\n3,"last"',
  });
  const reading = await readFiles(folder, 'a.csv');
  assert.deepEqual(
    reading.records.map(({ data }) => data),
    [
      { id: 1, note: 'two\r\nlines, "one" comma' },
      { id: 2, note: 'Zürich €😀' },
      { id: 3, note: 'last' },
    ],
  );
  assert.deepEqual(
    reading.records.map(({ position }) => position),
    ['a.csv:2', 'a.csv:5', 'a.csv:6'],
  );
});

test('other delimiters, backslash escapes and old line ends are found out', async (context) => {
  const folder = await dataFolder(context, {
    'semicolon.csv': 'id;price;note\n1;1,5;a, b\n2;2,7;c\n',
    'tab.tsv': 'id\tnote\n1\ta,b,c\n2\td\n',
    'pipe.csv': 'id|note\n1|a\n',
    'backslash.csv': 'id,note\n1,"say \\"hi\\", \\\\o/"\n2,b\n',
    'old.csv': 'id,note\r1,a\r2,b\r',
  });
  const all = async (file: string): Promise<string[]> => printed(await readFiles(folder, file));
  assert.deepEqual(await all('semicolon.csv'), [
    '{"id":1,"price":"1,5","note":"a, b"}',
    '{"id":2,"price":"2,7","note":"c"}',
  ]);
  assert.deepEqual(await all('tab.tsv'), ['{"id":1,"note":"a,b,c"}', '{"id":2,"note":"d"}']);
  assert.deepEqual(await all('pipe.csv'), ['{"id":1,"note":"a"}']);
  assert.deepEqual(await all('backslash.csv'), ['{"id":1,"note":"say \\"hi\\", \\\\o/"}', '{"id":2,"note":"b"}']);
  assert.deepEqual(await all('old.csv'), ['{"id":1,"note":"a"}', '{"id":2,"note":"b"}']);
});

test('ragged rows and stray quotes are rejected with their line, and cost no other row', async (context) => {
  const folder = await dataFolder(context, {
    'a.csv': 'a,b,c\n1,2\n1,2,3\n1,2,3,4\n5" disk,2,3\n"5" disk,2,3\n4,"open,5\n6,7,8\n',
  });
  const reading = await readFiles(folder, 'a.csv');
  assert.deepEqual(printed(reading), [
    '{"a":"1","b":2,"c":3}',
    '{"a":"5\\" disk","b":2,"c":3}',
    '{"a":"6","b":7,"c":8}',
  ]);
  assert.deepEqual(reasons(reading), [
    ['a.csv:2', 'The row has 2 fields, the header has 3.'],
    ['a.csv:4', 'The row has 4 fields, the header has 3.'],
    ['a.csv:6', 'Text follows a closing quote; a quote inside a quoted field is written twice.'],
    ['a.csv:7', 'A quote is opened in this line and never closed.'],
  ]);
  assert.deepEqual(
    reading.rejections.map(({ raw }) => raw?.toString()),
    ['1,2', '1,2,3,4', '"5" disk,2,3', '4,"open,5'],
  );
});

test('a first line that reads like the others is data; a header may be all there is', async (context) => {
  const folder = await dataFolder(context, {
    'data.csv': '1,anna\n2,bob\n',
    'header.csv': 'id,name\n',
    'empty.csv': '',
    'unnamed.csv': 'id,,__proto__\n1,2,3\n',
    'one.csv': 'name\n\nb\n',
  });
  assert.deepEqual(printed(await readFiles(folder, 'data.csv')), [
    '{"column0":1,"column1":"anna"}',
    '{"column0":2,"column1":"bob"}',
  ]);
  assert.deepEqual(printed(await readFiles(folder, 'header.csv')), []);
  assert.deepEqual(printed(await readFiles(folder, 'empty.csv')), []);
  assert.deepEqual(printed(await readFiles(folder, 'unnamed.csv')), ['{"id":1,"column1":2,"__proto__":3}']);
  assert.deepEqual(printed(await readFiles(folder, 'one.csv')), ['{"name":null}', '{"name":"b"}']);
});

test('what cannot be read as a table is a clear error', async (context) => {
  const folder = await dataFolder(context, {
    'twice.csv': 'id,name,id\n1,a,2\n',
    'latin.csv': Buffer.from('id,city\n1,Z\xfcrich\n2,K\xf6ln\n', 'latin1'),
    'utf16.csv': Buffer.from('\ufeffid,city\n1,a\n', 'utf16le'),
    'title.csv': 'Report of May\n1,2\n3,4\n5,6\n7,8\n9,0\n',
  });
  const fails = (file: string, message: RegExp): Promise<void> =>
    assert.rejects(readFiles(folder, file), { code: 'source_failed', message, path: 'read.file' });
  await fails('twice.csv', /twice\.csv has two columns called "id"/);
  await fails('latin.csv', /latin\.csv is not UTF-8 \(line 2\)/);
  await fails('utf16.csv', /utf16\.csv is UTF-16/);
  await fails('title.csv', /title\.csv has 1 column in its first line but 2 in the next/);
});

test('a first line longer than the sample, a packed file, very many columns', async (context) => {
  const names = Array.from(
    { length: 4000 },
    (_, index) => `a column with quite a long name, number ${index}, ${'x'.repeat(300)}`,
  );
  const rows = Array.from({ length: 30_000 }, (_, id) => `${id},${Math.sin(id)},"t\n${id}"\n`).join('');
  const folder = await dataFolder(context, {
    'wide.csv': `${names.map((name) => `"${name}"`).join(',')}\n${names.map((_, index) => index).join(',')}\n`,
    'wider.csv': `${names.join(',')},${names.join('+,')}\n`,
    'packed.csv.gz': gzipSync(`id,sin,text\n${rows}`),
  });
  const [wide] = (await readFiles(folder, 'wide.csv')).records;
  assert.deepEqual(
    Object.entries(wide?.data as object),
    names.map((name, index) => [name, index]),
  );
  await assert.rejects(readFiles(folder, 'wider.csv'), { code: 'source_failed', message: /more than 4096 columns/ });
  const packed = await readFiles(folder, 'packed.csv.gz');
  assert.equal(packed.records.length, 30_000);
  assert.deepEqual(packed.records.at(-1)?.data, { id: 29_999, sin: Math.sin(29_999), text: 't\n29999' });
});

test('one row that is not UTF-8 among sound ones is rejected alone', async (context) => {
  const folder = await dataFolder(context, {
    'a.csv': Buffer.concat([Buffer.from('id,city\n1,Zürich\n2,'), Buffer.from([0xfc]), Buffer.from('\n3,Köln\n')]),
  });
  const reading = await readFiles(folder, 'a.csv');
  assert.deepEqual(printed(reading), ['{"id":1,"city":"Zürich"}', '{"id":3,"city":"Köln"}']);
  assert.deepEqual(reasons(reading), [['a.csv:3', 'The row is not UTF-8.']]);
});

test('a column has the same type in all files of a glob; each file has its own header', async (context) => {
  const folder = await dataFolder(context, {
    '2.csv': 'id,zip\n2,00501\n',
    '1.csv': 'zip,id\n10001,1\n',
    '3.csv.gz': gzipSync('id,extra\n3,x\n'),
  });
  assert.deepEqual(printed(await readFiles(folder, '*.csv*')), [
    '{"zip":"10001","id":1}',
    '{"id":2,"zip":"00501"}',
    '{"id":3,"extra":"x"}',
  ]);
});

test('a line or row beyond the limit is rejected, and the reading goes on', async (context) => {
  const long = 'x'.repeat(17_000_000);
  const folder = await dataFolder(context, {
    'line.csv': `id,note\n1,a\n2,${long}\n3,c\n`,
    'last.csv': `id,note\n1,a\n2,${long}`,
    'quote.csv': `id,note\n1,a\n2,"open\n${`5,${'x'.repeat(997)}\n`.repeat(17_000)}`,
  });
  const line = await readFiles(folder, 'line.csv');
  assert.deepEqual(
    line.records.map(({ position }) => position),
    ['line.csv:2', 'line.csv:4'],
  );
  assert.deepEqual(reasons(line), [['line.csv:3', 'The line is longer than 16777216 bytes.']]);
  assert.equal(line.rejections[0]?.raw?.length, 65_536);
  assert.deepEqual(reasons(await readFiles(folder, 'last.csv')), [
    ['last.csv:3', 'The line is longer than 16777216 bytes.'],
  ]);
  const stray = await readFiles(folder, 'quote.csv');
  assert.equal(stray.records.length, 17_001);
  assert.equal(stray.records.at(-1)?.position, 'quote.csv:17003');
  assert.deepEqual(reasons(stray), [
    ['quote.csv:3', 'The row does not end within 16777216 bytes; a quote may be opened here and never closed.'],
  ]);
});
