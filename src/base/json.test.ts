/** JSON keeps the digits of every number, and what is plain stays plain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRawNumber, parseJson } from './json.ts';

const digits = (least: number, most: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: least, maxLength: most }).map((list) => list.join(''));

/** Every number that JSON's grammar allows. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      digits(0, 25).map((rest) => `7${rest}`),
    ),
    fc.oneof(
      fc.constant(''),
      digits(1, 25).map((fraction) => `.${fraction}`),
      digits(1, 3).map((fraction) => `.00000${fraction}`),
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: fc.constantFrom('e5', 'E+5', 'e-7', 'e400') },
    ),
  )
  .map((parts) => parts.join(''));

const documents: ((number: string) => string)[] = [
  (number) => number,
  (number) => `[${number}]`,
  (number) => `[1,${number},2]`,
  (number) => `{"a":${number}}`,
  (number) => `{"at":"10:00:00.000Z","id":"1e5-9e3","a":{"b":${number},"c":null}}`,
];

test('numbers keep every digit wherever they stand', () => {
  fc.assert(
    fc.property(numberText, fc.constantFrom(...documents), (number, document) => {
      const text = document(number);
      assert.equal(JSON.stringify(parseJson(text)), text);
    }),
    { numRuns: 5_000 },
  );
});

test('white space around a number does not hide it', () => {
  const value = parseJson('{ "a" :\n\t1.10 , "b": [ 12345678901234567890 ] }');
  assert.equal(JSON.stringify(value), '{"a":1.10,"b":[12345678901234567890]}');
});

test('plain numbers stay numbers', () => {
  const value = parseJson('{"a":1.5,"b":-3,"c":0,"d":1.10}') as Record<string, unknown>;
  assert.deepEqual([value['a'], value['b'], value['c']], [1.5, -3, 0]);
  assert.ok(isRawNumber(value['d']));
});

test('hostile text costs no more than linear time', () => {
  for (const piece of ['1', '1.', ', 1', ':-1.0', '0.000000', ' -', '1e+']) {
    const text = JSON.stringify(piece.repeat(500_000 / piece.length));
    const startedMs = performance.now();
    parseJson(text);
    assert.ok(performance.now() - startedMs < 500, `${piece} took too long`);
  }
});
