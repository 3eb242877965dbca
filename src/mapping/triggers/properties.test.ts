/** Whatever the trigger and the record: an answer, the same each time, and an unchanged record. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { announceSeed, random } from '../../../test/support/random.ts';
import { randomCondition } from '../../../test/support/triggers.ts';
import { parseJson } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import { compileCondition } from './compile.ts';
import { compileTrigger, formatTrigger, parseTrigger, type Condition } from './index.ts';

const number = fc.constantFrom('1.10', '1e3', '-0', '12345678901234567890', '1e400', '5', '0.5');
const leaf = fc.oneof(
  number,
  fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value)),
);
const json = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(
        fc.tuple(
          fc.constantFrom('type', 'event', 'properties', 'n', '0', '__proto__', 'length', 'rawJSON'),
          tie('value'),
        ),
      )
      .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  ),
})).value;

test('a trigger never throws, answers the same each time, and changes nothing', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const source = random('trigger properties');
  const triggers: [string, Condition, Condition][] = Array.from({ length: 300 }, () => {
    const text = formatTrigger({ text: '', condition: randomCondition(source, 3) });
    const parsed = parseTrigger(text);
    assert.ok(parsed.ok, text);
    // The second has no net below it: what is no fault of the engine's limits must not throw in the first place.
    return [text, compileTrigger(parsed.trigger), compileCondition(parsed.trigger.condition)];
  });
  fc.assert(
    fc.property(json, (text) => {
      const data = parseJson(text) as JsonValue;
      const before = JSON.stringify(data);
      for (const [trigger, first, second] of triggers) {
        const answer = first(data);
        assert.equal(typeof answer, 'boolean', trigger);
        assert.equal(first(data), answer, trigger);
        assert.equal(second(data), answer, trigger);
      }
      assert.equal(JSON.stringify(data), before);
    }),
    { numRuns: 200 },
  );
});

test('a negation is the opposite, and the laws of De Morgan hold', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const source = random('trigger laws');
  const records = fc.sample(json, 50).map((text) => parseJson(text) as JsonValue);
  for (let round = 0; round < 500; round++) {
    const [a, b] = [randomCondition(source, 2), randomCondition(source, 2)];
    const place = { start: 0, end: 0 };
    const not = (clause: typeof a): typeof a => ({ kind: 'not', clause, ...place });
    const both = (kind: 'and' | 'or', left: typeof a, right: typeof a): typeof a => ({
      kind,
      clauses: [left, right],
      ...place,
    });
    const compiled = (condition: typeof a): Condition => compileTrigger({ text: '', condition });
    const pairs = [
      [not(both('and', a, b)), both('or', not(a), not(b))],
      [not(both('or', a, b)), both('and', not(a), not(b))],
      [not(not(a)), both('and', a, a)],
    ] as const;
    for (const [left, right] of pairs) {
      const [one, other] = [compiled(left), compiled(right)];
      for (const record of records) assert.equal(one(record), other(record));
    }
  }
});
