/** Triggers against Segment's own evaluator: every difference is of a named class that says why ours is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceSeed, random } from '../support/random.ts';
import { compareWithSegment, countsText } from '../support/trigger-differences.ts';

test('20,000 random triggers and records: what differs from Segment has a reason, and the linter foretells it', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = compareWithSegment(random('triggers against Segment'), 20_000);
  t.diagnostic(countsText(counts));
  // The comparison means something only if both often say yes, and often differ.
  assert.ok(counts.agreedTrue > 500, countsText(counts));
  assert.ok(counts.agreed > 10_000, countsText(counts));
  assert.ok(counts.classes.size >= 15, countsText(counts));
});
