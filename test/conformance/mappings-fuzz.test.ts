/** Random messages and records: no crash, nothing changed, always the same answer, always JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzMappings, fuzzTemplates } from '../support/mapping-fuzz.ts';
import { announceSeed, random } from '../support/random.ts';

test('20,000 random messages crash nothing, and what is accepted never throws', { timeout: 120_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzMappings(random('mapping fuzz'), 20_000);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.refused > 5_000 && counts.mapped > 4_000 && counts.rejected > 2_000, JSON.stringify(counts));
});

test('30,000 random templates crash nothing, and what is accepted as JSON gives JSON', { timeout: 60_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzTemplates(random('template fuzz'), 30_000);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.refused > 5_000 && counts.mapped > 2_000, JSON.stringify(counts));
});
