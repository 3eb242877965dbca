/** Numbers compare as the decimals that were written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rawNumber } from '../../base/json.ts';
import { compareNumbers, exactNumber, isNumber, numberText, type AnyNumber } from './numbers.ts';

const digits = fc.string({ unit: fc.constantFrom('0', '0', '1', '9', '5'), minLength: 1, maxLength: 22 });
const numeral = fc
  .tuple(fc.constantFrom('', '-', '+'), digits, fc.option(digits), fc.option(fc.integer({ min: -30, max: 30 })))
  .map(
    ([sign, whole, part, exponent]) =>
      sign + whole + (part === null ? '' : `.${part}`) + (exponent === null ? '' : `e${exponent}`),
  );

test('a number keeps its value exactly, as a double where that is one', () => {
  fc.assert(
    fc.property(numeral, (text) => {
      const value = exactNumber(text);
      assert.ok(isNumber(value));
      assert.equal(scaled(numberText(value)), scaled(text));
      if (typeof value !== 'number') assert.notEqual(scaled(String(Number(text))), scaled(text));
    }),
    { numRuns: 2000 },
  );
});

test('two numbers compare as whole numbers of the same scale do', () => {
  fc.assert(
    fc.property(numeral, numeral, (left, right) => {
      const [a, b] = [scaled(left), scaled(right)];
      const expected = a < b ? -1 : a > b ? 1 : 0;
      assert.equal(Math.sign(compareNumbers(number(left), number(right))), expected);
      assert.equal(Math.sign(compareNumbers(raw(left), number(right))) + 0, expected);
    }),
    { numRuns: 5000 },
  );
});

test('what is no number compares with nothing, and exponents are never expanded', () => {
  assert.ok(Number.isNaN(compareNumbers(Number.NaN, 1)));
  assert.ok(Number.isNaN(compareNumbers(raw('"text"'), 1)));
  assert.ok(compareNumbers(raw('1e999999999999'), raw('1e999999999998')) > 0);
  assert.ok(compareNumbers(raw('-1e999999999999'), 0) < 0);
  assert.ok(compareNumbers(raw('1e-999999999999'), 0) > 0);
});

function number(text: string): AnyNumber {
  return exactNumber(text) as unknown as AnyNumber;
}

function raw(text: string): AnyNumber {
  const json = text.replace('+', '').replace(/^(-?)0+(?=\d)/, '$1');
  return rawNumber(json) as AnyNumber;
}

/** The value times 10^60. */
function scaled(text: string): bigint {
  const [mantissa, exponent] = text.toLowerCase().split('e');
  const negative = mantissa!.startsWith('-');
  const [whole, part] = mantissa!.replace(/^[+-]/, '').split('.');
  const value = BigInt(whole! + (part ?? '')) * 10n ** BigInt(60 - (part ?? '').length + Number(exponent ?? 0));
  return negative ? -value : value;
}
