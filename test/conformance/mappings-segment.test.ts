/** Mappings against Segment's own mapper: every difference is of a named class that says why ours is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareMappings, mappingCountsText } from '../support/mapping-differences.ts';
import { announceSeed, random } from '../support/random.ts';

test('20,000 random mappings and records: what differs from Segment has a reason', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = compareMappings(random('mappings against Segment'), 20_000);
  t.diagnostic(mappingCountsText(counts));
  // The comparison means something only if nothing may differ in most pairs, and many classes occur.
  assert.ok(counts.strict > 10_000, mappingCountsText(counts));
  assert.ok(counts.agreed > 16_000, mappingCountsText(counts));
  assert.ok(counts.classes.size >= 10, mappingCountsText(counts));
});
