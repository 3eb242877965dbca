/** 100,000 random configuration values and JAAS texts: always an answer, never a secret in it, nothing takes long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzJaas, fuzzSecurity } from '../support/configuration-fuzz.ts';
import { announceSeed, random } from '../support/random.ts';

test('15,000 random destinations are answered', { timeout: 300_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzSecurity(random('security fuzz'), 15_000);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.taken > 1_000 && counts.refused > 5_000, JSON.stringify(counts));
});

test('85,000 random JAAS texts are answered', { timeout: 300_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzJaas(random('jaas fuzz'), 85_000);
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.taken > 4_000 && counts.refused > 10_000, JSON.stringify(counts));
});
