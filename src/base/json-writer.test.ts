/** The writer prints what JSON.stringify prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  beginBytes,
  closeObject,
  fragment,
  markHere,
  memberName,
  rewindTo,
  takeBytes,
  writeFragment,
  writeJson,
  writeMember,
  writeRaw,
  writeString,
  writeText,
} from './json-writer.ts';
import { parseJson } from './json.ts';

function written(value: unknown): string {
  beginBytes();
  assert.equal(writeJson(value), value !== undefined);
  return takeBytes().toString();
}

test('any text and value prints as JSON.stringify has it', () => {
  const text = fc.string({ unit: 'binary', maxLength: 400 });
  const unpaired = fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) => String.fromCharCode(...codes));
  fc.assert(
    fc.property(
      fc.oneof(text, unpaired, fc.jsonValue(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      (value) => {
        assert.equal(written(value), JSON.stringify(value));
      },
    ),
    { numRuns: 5000 },
  );
});

test('whole numbers of every length, and what is next to them', () => {
  for (let power = 1; power <= 1e16; power *= 10)
    for (const value of [power - 1, power, power + 1, power + 0.5, -power, 2 * power - 1])
      assert.equal(written(value), JSON.stringify(value));
  for (const value of [-0, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53]) assert.equal(written(value), JSON.stringify(value));
});

test('an object written member by member prints as JSON.stringify has it, without what is undefined', () => {
  const unpaired = fc.array(fc.nat(0xffff), { maxLength: 50 }).map((codes) => String.fromCharCode(...codes));
  const text = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 60 }), unpaired);
  const number = fc.oneof(
    fc.integer({ min: -20_000, max: 20_000 }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const value = fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.constant(undefined), fc.jsonValue());
  fc.assert(
    fc.property(fc.array(fc.tuple(text, value), { maxLength: 8 }), (members) => {
      beginBytes();
      writeFragment(fragment('{'));
      for (const [name, member] of members) writeMember(memberName(name), member);
      closeObject();
      const parts = members
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`);
      assert.equal(takeBytes().toString(), `{${parts.join(',')}}`);
    }),
    { numRuns: 5000 },
  );
});

test('long text: escapes, text of other scripts and lone surrogates', () => {
  const long = 'abcdefgh'.repeat(10);
  for (const text of [
    long,
    `${long}"`,
    `\n${long}`,
    `${long}é€😀`,
    `${long}\ud800`,
    `\udc00${long}é`,
    'ł'.repeat(5000),
  ])
    assert.equal(written(text), JSON.stringify(text));
});

test('numbers kept as raw JSON print their digits; NaN and infinities are text', () => {
  assert.equal(written(parseJson('12345678901234567890.10')), '12345678901234567890.10');
  assert.equal(written(Number.NaN), '"NaN"');
  assert.equal(written(Number.NEGATIVE_INFINITY), '"-Infinity"');
  assert.equal(written(undefined), '');
});

test('pieces keep their bytes while later ones are written, over the end of a slab', () => {
  const pieces: [Buffer, string][] = [];
  for (let index = 0; index < 3000; index++) {
    const text = `piece ${index} ${'é'.repeat(index % 400)}`;
    beginBytes();
    writeString(text);
    pieces.push([takeBytes(), JSON.stringify(text)]);
  }
  for (const [bytes, text] of pieces) assert.equal(bytes.toString(), text);
});

test('a piece larger than a slab, a rewind and an abandoned piece', () => {
  const long = 'x'.repeat(1_000_000);
  beginBytes();
  writeText('abandoned');
  beginBytes();
  writeRaw(Buffer.from('['));
  const mark = markHere();
  writeString(long);
  rewindTo(mark);
  writeString(long);
  writeRaw(Buffer.from(']'));
  assert.equal(takeBytes().toString(), `["${long}"]`);
});

test('what was written keeps no more memory than it needs', () => {
  beginBytes();
  writeString('é'.repeat(1_000_000));
  const large = takeBytes();
  assert.equal(large.buffer.byteLength, large.length);
  beginBytes();
  writeString('small');
  const small = takeBytes();
  assert.ok(small.buffer.byteLength <= 64 * 1024);
  assert.equal(small.toString() + large.length, '"small"2000002');
});
