/** A million mappings and records against Segment's own mapper. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareMappings, mappingCountsText } from '../support/mapping-differences.ts';
import { announceSeed, random } from '../support/random.ts';
import { mappingDifferences } from '../support/segment-mapping.ts';

test('1,000,000 random mappings and records: what differs from Segment has a reason, and every class occurs', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = compareMappings(random('mappings against Segment, many'), 1_000_000);
  t.diagnostic(mappingCountsText(counts));
  for (const name of Object.keys(mappingDifferences))
    assert.ok(counts.classes.has(name), `the class ${name} never occurred: ${mappingCountsText(counts)}`);
});
