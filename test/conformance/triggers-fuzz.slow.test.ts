/** Twenty million random texts as triggers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceSeed, random } from '../support/random.ts';
import { fuzzTriggers } from '../support/trigger-fuzz.ts';

test('20,000,000 random texts crash nothing', { timeout: 14_400_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzTriggers(random('trigger fuzz, many'), 20_000_000);
  t.diagnostic(`${counts.parsed} parsed, ${counts.refused} refused`);
  assert.ok(counts.parsed > 1_000_000);
});
