/** The writer prints what JSON.stringify prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  beginBytes,
  markHere,
  rewindTo,
  takeBytes,
  writeJson,
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
