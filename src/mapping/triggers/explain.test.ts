/** The explanation agrees with the compiled trigger and names the clauses that settled it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceSeed, random } from '../../../test/support/random.ts';
import { randomEvent, randomTrigger } from '../../../test/support/triggers.ts';
import { parseJson } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import {
  compileTrigger,
  explainTrigger,
  explanationText,
  parseTrigger,
  type ExplainedClause,
  type Explanation,
} from './index.ts';

const event: JsonValue = {
  type: 'track',
  event: 'Order Completed',
  userId: 'u1',
  properties: { n: 5, b: true, s: '4', arr: ['x'] },
};

test('the first false clause of an `and` decides, the first true one of an `or`, else all', () => {
  const rows: [text: string, passed: boolean, decided: string[]][] = [
    ['type = "track"', true, ['type = "track"']],
    ['type = "track" and event = "X" and userId = "u2"', false, ['event = "X"']],
    ['type = "track" and userId = "u1"', true, ['type = "track"', 'userId = "u1"']],
    ['type = "page" or userId = "u1" or properties.b', true, ['userId = "u1"']],
    ['type = "page" or userId = "u2"', false, ['type = "page"', 'userId = "u2"']],
    ['type = "track" and (event = "X" or !(properties.b))', false, ['event = "X"', '(properties.b)']],
    ['!(type = "page" or userId = "u2")', true, ['type = "page"', 'userId = "u2"']],
  ];
  for (const [text, passed, decided] of rows) {
    const explanation = explain(text);
    assert.equal(explanation.passed, passed, text);
    assert.deepEqual(explanation.decided, decided, text);
  }
});

test('every clause has its place, its values and, where a type does not fit, a note', () => {
  const { clause } = explain(
    'type = "track" and\n  (properties.s > 3 or length(properties.none) > 0\n or "x" in userId or contains(properties.n, "5") or properties.s)',
  );
  const [first, group] = clause.clauses;
  assert.deepEqual([clause.kind, clause.passed, group?.kind, group?.passed], ['and', false, 'or', false]);
  assert.deepEqual(first?.values, [{ text: 'type', value: 'track', absent: false }]);
  const [order, length, membership, contains, path] = group!.clauses;
  assert.deepEqual([order!.line, order!.column, order!.text], [2, 4, 'properties.s > 3']);
  assert.match(order!.note ?? '', /compares numbers, properties\.s is a text/);
  assert.deepEqual(length!.values, [
    { text: 'length(properties.none)', value: 0, absent: false },
    { text: 'properties.none', value: null, absent: true },
  ]);
  assert.equal(length!.note, undefined);
  assert.match(membership!.note ?? '', /looks into a list, userId is a text/);
  assert.match(contains!.note ?? '', /contains looks at text, properties\.n is a number/);
  assert.match(path!.note ?? '', /a condition is true or false, properties\.s is a text/);
});

test('the text shows one clause a line with values and what decided', () => {
  assert.equal(
    explanationText(explain('type = "track" and event != "Heartbeat" and properties.n > 10')),
    `The record does not pass.

false  and
  true   type = "track"        type is "track"
  true   event != "Heartbeat"  event is "Order Completed"
  false  properties.n > 10     properties.n is 5  <- decided`,
  );
  assert.match(
    explanationText(explain('properties.none = null')),
    /^The record passes\.\n\ntrue.*properties\.none is absent {2}<- decided$/,
  );
});

test('as JSON it keeps the digits of numbers, and long values are shortened only in the text', () => {
  const record = parseJson(`{"id": 9007199254740993, "long": "${'x'.repeat(500)}"}`) as JsonValue;
  const explanation = explain('id > 9007199254740992 and long != "\n"', record);
  assert.equal(explanation.passed, true);
  assert.match(JSON.stringify(explanation), /"value":9007199254740993/);
  assert.match(JSON.stringify(explanation), /x{500}/);
  assert.ok(
    explanationText(explanation)
      .split('\n')
      .every((line) => line.length < 200),
  );
});

test('a record too deep to print is explained all the same', () => {
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as JsonValue;
  assert.match(explanationText(explain('a = null', { a: deep })), /a is nested too deep to be shown/);
  assert.equal(explain('string(a) != null', { a: deep }).passed, false);
});

test('the explanation agrees with the compiled trigger, clause by clause', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const source = random('explain');
  for (let round = 0; round < 3000; round++) {
    const parsed = parseTrigger(randomTrigger(source));
    if (!parsed.ok) continue;
    const record = randomEvent(source);
    const before = JSON.stringify(record);
    const explanation = explainTrigger(parsed.trigger, record);
    assert.equal(explanation.passed, compileTrigger(parsed.trigger)(record), parsed.trigger.text);
    assert.ok(explanation.decided.length > 0, parsed.trigger.text);
    assertConsistent(explanation.clause);
    assert.notEqual(explanationText(explanation), '');
    assert.equal(JSON.stringify(record), before);
  }
});

function assertConsistent(clause: ExplainedClause): void {
  const inner = clause.clauses.map(({ passed }) => passed);
  if (clause.kind === 'and') assert.equal(clause.passed, inner.every(Boolean));
  if (clause.kind === 'or') assert.equal(clause.passed, inner.some(Boolean));
  if (clause.kind === 'not') assert.equal(clause.passed, !inner[0]);
  if (clause.decided && clause.kind !== 'clause') assert.ok(clause.clauses.some(({ decided }) => decided));
  for (const part of clause.clauses) assertConsistent(part);
}

function explain(text: string, data: JsonValue = event): Explanation {
  const parsed = parseTrigger(text);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.error.message);
  return explainTrigger(parsed.trigger, data);
}
