/** One differential round: ours against Segment's mapper, every difference in a named class. */
import assert from 'node:assert/strict';
import { beginBytes, takeBytes } from '../../src/base/json-writer.ts';
import { checkMapping, compileExpression } from '../../src/mapping/mapping.ts';
import type { JsonValue } from '../../src/model/index.ts';
import { contextOf, recordOf } from './mapping.ts';
import { longDigits, randomMapping, randomRecord, type RandomMapping } from './mappings.ts';
import type { Random } from './random.ts';
import { mappingDifferences, segmentMap } from './segment-mapping.ts';

export interface MappingCounts {
  pairs: number;
  agreed: number;
  /** Pairs of a mapping in which nothing may differ. */
  strict: number;
  /** Differences by class; a pair counts in each class that its mapping carries. */
  readonly classes: Map<string, number>;
}

/** At least `pairs` random pairs, ten records to a mapping. Throws at the first difference that no class explains. */
export function compareMappings(random: Random, pairs: number): MappingCounts {
  const counts: MappingCounts = { pairs: 0, agreed: 0, strict: 0, classes: new Map() };
  while (counts.pairs < pairs) {
    const mapping = randomMapping(random);
    compareMapping(
      mapping,
      Array.from({ length: 10 }, () => randomRecord(random)),
      counts,
    );
  }
  return counts;
}

function compareMapping(
  { mapping, classes }: RandomMapping,
  records: readonly JsonValue[],
  counts: MappingCounts,
): void {
  // Segment knows no string shorthands; inside @literal neither does ours.
  const whole: JsonValue = { '@literal': { v: mapping } };
  assert.deepEqual(checkMapping(whole, 'mapping'), [], JSON.stringify(mapping));
  const { evaluate, write } = compileExpression(whole);
  for (const record of records) {
    const before = JSON.stringify(record);
    const value = evaluate(record, recordOf(record), contextOf()) as { v?: unknown };
    const ours = JSON.stringify(value.v);
    beginBytes();
    assert.ok(write(record, recordOf(record), contextOf()));
    assert.equal(takeBytes().toString(), JSON.stringify(value), 'what is written is not the value');
    assert.equal(JSON.stringify(record), before, `the record was changed\nmapping: ${JSON.stringify(mapping)}`);
    const theirs = segmentMap(mapping, record);
    const explained = new Set<string>(classes);
    const decodes = JSON.stringify(mapping).includes('"decode"');
    if (before.includes(JSON.stringify(longDigits)) || (decodes && /\de[-+]\d/.test(before)))
      explained.add('long_digits');
    if (before.includes('__proto__')) explained.add('proto_name');
    counts.pairs++;
    if (explained.size === 0) counts.strict++;
    if (theirs.ok && theirs.json === ours) {
      counts.agreed++;
      continue;
    }
    const shown = `mapping: ${JSON.stringify(mapping)}\nrecord: ${before}\nours: ${ours}\nSegment: ${theirs.ok ? theirs.json : theirs.why}`;
    assert.ok(explained.size > 0, `no class explains the difference\n${shown}`);
    for (const name of explained) {
      assert.ok(name in mappingDifferences, `the class ${name} has no reason`);
      counts.classes.set(name, (counts.classes.get(name) ?? 0) + 1);
    }
  }
}

export function mappingCountsText({ pairs, agreed, strict, classes }: MappingCounts): string {
  const list = [...classes].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`);
  return `${pairs} pairs, ${agreed} agreed, ${strict} in which nothing may differ; differences: ${list.join(', ')}`;
}
