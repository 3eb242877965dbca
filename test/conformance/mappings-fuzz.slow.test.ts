/** Twenty million random messages and templates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzMappings, fuzzTemplates } from '../support/mapping-fuzz.ts';
import { announceSeed, random } from '../support/random.ts';

test('4,000,000 random messages crash nothing', { timeout: 7_200_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzMappings(random('mapping fuzz, many'), 4_000_000);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.mapped > 400_000);
});

test('16,000,000 random templates crash nothing', { timeout: 7_200_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzTemplates(random('template fuzz, many'), 16_000_000);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.mapped > 1_000_000);
});
