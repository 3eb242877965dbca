/** Printing a trigger and parsing it again gives the same tree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceSeed, random } from '../../../test/support/random.ts';
import { randomCondition, randomTrigger } from '../../../test/support/triggers.ts';
import { formatTrigger, parseTrigger, type Expression } from './index.ts';

test('parse(print(x)) is x, for every tree', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const source = random('format');
  for (let round = 0; round < 5000; round++) {
    const condition = randomCondition(source, 3);
    const text = formatTrigger({ text: '', condition });
    const parsed = parseTrigger(text);
    assert.ok(parsed.ok, parsed.ok ? '' : `${text}: ${parsed.error.message}`);
    assert.deepEqual(withoutPlaces(parsed.trigger.condition), withoutPlaces(condition), text);
  }
});

test('what is printed prints as itself, whatever was written', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const source = random('format texts');
  for (let round = 0; round < 5000; round++) {
    const parsed = parseTrigger(randomTrigger(source));
    if (!parsed.ok) continue;
    const text = formatTrigger(parsed.trigger);
    const again = parseTrigger(text);
    assert.ok(again.ok, text);
    assert.equal(formatTrigger(again.trigger), text);
    assert.deepEqual(withoutPlaces(again.trigger.condition), withoutPlaces(parsed.trigger.condition));
  }
});

function withoutPlaces(expression: Expression): unknown {
  return JSON.parse(
    JSON.stringify(expression, (key, value: unknown) => (key === 'start' || key === 'end' ? undefined : value)),
  );
}
