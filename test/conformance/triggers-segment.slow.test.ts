/** A million triggers and records against Segment's own evaluator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentRules } from '../../src/mapping/triggers/segment-rules.ts';
import { announceSeed, random } from '../support/random.ts';
import { recordOddities } from '../support/segment.ts';
import { compareWithSegment, countsText } from '../support/trigger-differences.ts';

test('1,000,000 random triggers and records: what differs from Segment has a reason, and every class occurs', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = compareWithSegment(random('triggers against Segment, many'), 1_000_000);
  t.diagnostic(countsText(counts));
  for (const name of [...Object.keys(segmentRules), ...Object.keys(recordOddities)])
    assert.ok(counts.classes.has(name), `the class ${name} never occurred: ${countsText(counts)}`);
});
