/** One differential round: ours against Segment's evaluator, every difference in a named class. */
import assert from 'node:assert/strict';
import { compileTrigger, lintTrigger, parseTrigger } from '../../src/mapping/triggers/index.ts';
import { readAsSegment } from '../../src/mapping/triggers/segment-reading.ts';
import { segmentRules } from '../../src/mapping/triggers/segment-rules.ts';
import type { JsonValue } from '../../src/model/index.ts';
import type { Random } from './random.ts';
import { oddityOf, recordOddities, segmentTrigger } from './segment.ts';
import { randomEvent, randomTrigger } from './triggers.ts';

export interface DifferenceCounts {
  pairs: number;
  agreed: number;
  agreedTrue: number;
  /** Differences by class; a pair with several lints counts in each. */
  readonly classes: Map<string, number>;
}

/** At least `pairs` random pairs, ten records to a trigger. Throws at the first difference that no class explains. */
export function compareWithSegment(random: Random, pairs: number): DifferenceCounts {
  const counts: DifferenceCounts = { pairs: 0, agreed: 0, agreedTrue: 0, classes: new Map() };
  while (counts.pairs < pairs) {
    const text = randomTrigger(random);
    compareTrigger(
      text,
      Array.from({ length: 10 }, () => randomEvent(random)),
      counts,
    );
  }
  return counts;
}

export function compareTrigger(text: string, records: readonly JsonValue[], counts: DifferenceCounts): void {
  const parsed = parseTrigger(text);
  const ours = parsed.ok ? compileTrigger(parsed.trigger) : () => false;
  const theirs = segmentTrigger(text);
  const reading = readAsSegment(text);
  const model = reading.reads ? compileTrigger({ text, condition: reading.condition }) : () => false;
  const rules = new Set(lintTrigger(text).map((lint) => lint.rule));
  rules.delete('never_true');
  for (const record of records) {
    counts.pairs++;
    const answer = theirs(record);
    const oddity = reading.reads ? oddityOf(reading.condition, record) : null;
    const shown = (): string => `trigger: ${text}\nrecord: ${JSON.stringify(record)}\nlints: ${[...rules].join(', ')}`;
    // What the linter says that Segment would do is what it does.
    if (oddity === null && answer !== 'fails')
      assert.equal(model(record), answer, `the reading differs from Segment\n${shown()}`);
    if (ours(record) === (answer === true)) {
      counts.agreed++;
      if (answer === true) counts.agreedTrue++;
      continue;
    }
    const classes: string[] = rules.size > 0 ? [...rules] : oddity === null ? [] : [oddity];
    assert.ok(classes.length > 0, `no class explains the difference (ours ${ours(record)})\n${shown()}`);
    for (const name of classes) {
      assert.ok(name in segmentRules || name in recordOddities, `the class ${name} has no reason`);
      counts.classes.set(name, (counts.classes.get(name) ?? 0) + 1);
    }
  }
}

export function countsText({ pairs, agreed, agreedTrue, classes }: DifferenceCounts): string {
  const named = [...classes].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
  return `${pairs} pairs, ${agreed} agree (${agreedTrue} of them pass), differences: ${named.join(', ')}`;
}
