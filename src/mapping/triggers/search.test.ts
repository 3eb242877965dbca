/** The search finds what the engine's own search finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileContains, compileSearch } from './search.ts';

test('long needles are found where the engine finds them', () => {
  const letters = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom('a', 'a', 'a', 'b'), minLength, maxLength });
  fc.assert(
    fc.property(letters(33, 40), letters(0, 60), letters(0, 60), fc.nat(80), (needle, before, after, from) => {
      const text = before + needle + after;
      const find = compileSearch(needle);
      assert.equal(find(text, from), text.indexOf(needle, from));
      assert.equal(find(before + after, 0), (before + after).indexOf(needle));
      assert.equal(compileContains(needle)(text), true);
      assert.equal(compileContains(needle)(before + after), (before + after).includes(needle));
    }),
    { numRuns: 2000 },
  );
});

test('short and empty needles too', () => {
  assert.equal(compileSearch('')('abc', 2), 2);
  assert.equal(compileSearch('c')('abc', 0), 2);
  assert.equal(compileSearch('d')('abc', 0), -1);
});
