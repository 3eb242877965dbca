/** The linter: each rule with a trigger and a record for which Segment's own evaluator answers otherwise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentTrigger } from '../../../test/support/segment.ts';
import type { JsonValue } from '../../model/index.ts';
import { compileTrigger, lintTrigger, parseTrigger, segmentEquivalent } from './index.ts';
import { segmentRules, type SegmentRuleName } from './segment-rules.ts';

const event = {
  type: 'track',
  event: 'Order Completed',
  userId: 'u1',
  messageId: 'm1',
  name: 'properties.n',
  properties: { n: 5, b: true, s: 'u1', arr: ['x'], id: 5e20, 'a.b': 1, a: { b: 2 } },
  traits: { email: 'a@y.com' },
} satisfies JsonValue;

/** Segment's answer differs from ours for each of these, and the linter names the rule. */
const witnesses: [SegmentRuleName, trigger: string, record?: JsonValue][] = [
  ['mixed_and_or', 'type="track" and event="X" or userId="u1"', { ...event, userId: 'u2' }],
  ['mixed_and_or', 'type="track" or event="Order Completed" and userId="nope"'],
  ['group_cut', 'type="track" and (contains(event,"zzz") or userId="u2")'],
  ['nested_parentheses', 'type="track" and ((event="Order Completed") or (userId="u1"))'],
  ['single_quotes', "event = 'Order Completed'"],
  ['no_escapes', String.raw`event = "a \"q\""`, { ...event, event: 'a "q"' }],
  ['match_pattern', 'match(event,"Or*ed")'],
  ['match_pattern', 'match(event,"Order?Completed")'],
  ['match_pattern', 'match(event,"rder Completed")'],
  ['negation_dropped', '!(type="track")'],
  ['negation_dropped', '!(type="page")'],
  ['negated_missing', 'properties.missing != 5'],
  ['negated_missing', '!contains(properties.missing, "a")'],
  ['negated_missing', '!match(traits.missing, "a*")'],
  ['compared_as_text', 'properties.b != true'],
  ['compared_as_text', 'userId = 5', { ...event, userId: 5 }],
  ['compared_as_text', 'event = 5', { ...event, event: '5' }],
  ['null_as_text', 'event = null', { type: 'page' }],
  ['null_as_text', 'type != null', {}],
  ['path_as_text', 'name = properties.n'],
  ['missing_value', 'type = ', { type: 'eos' }],
  ['text_as_number', 'properties.n > "4"'],
  ['field_dropped', 'type="track" and anonymousId="zzz"'],
  ['field_dropped', 'type="track" and contains(type, "zzz")'],
  ['field_dropped', 'not type="track"'],
  ['field_dropped', 'type="track" and constructor != null'],
  ['deeper_path', 'type.x = "track"'],
  ['whole_object', 'properties != null'],
  ['escaped_dot', 'properties.a\\.b = 1'],
  ['exponent', 'properties.n = 5e0 and properties.n = 50e-1'],
  ['long_number', 'properties.id = 500000000000000000001'],
  ['path_condition', 'properties.arr.0 = "x"'],
  ['path_condition', 'type in ["track"]'],
  ['path_condition', 'properties.b and type = "track"'],
  ['path_condition', 'type contains "rack"'],
  ['unspaced', 'type="track"and event="X"'],
  ['unspaced', 'properties.n >=5'],
  ['upper_case', 'type="track" AND event="Order Completed"'],
  ['upper_case', 'type="track" OR event="Order Completed"'],
  ['ignored', 'type="track")'],
  ['ignored', 'and type="track"'],
  ['ignored', 'type="track" and'],
  ['empty_group', 'type="track" or ()'],
  ['never_sends', 'messageId="m1"'],
  ['never_sends', 'length(userId)>0'],
  ['never_sends', '"x" in properties.arr'],
  ['never_sends', 'properties.arr[0] = "x"'],
  ['never_sends', 'event!="X"'],
];

test('each rule has a record for which Segment answers otherwise', () => {
  for (const [rule, text, record = event] of witnesses) {
    const rules = lintTrigger(text).map((lint) => lint.rule);
    assert.ok(rules.includes(rule), `${text}: ${rules.join(', ')}`);
    const theirs = segmentTrigger(text)(record);
    assert.notEqual(theirs, ours(text, record), text);
  }
  const missing = Object.keys(segmentRules).filter((rule) => !witnesses.some(([name]) => name === rule));
  assert.deepEqual(missing, []);
});

test('a trigger that Segment reads as written has no lint', () => {
  for (const text of [
    'type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"',
    'type="track" and event="Order Completed"',
    '(type = "track") and (properties.n > 4 or traits.email != null)',
    'match(event, "Order*") and match(traits.email, "*@y.com") and contains(userId, "u")',
    'properties.b = true and properties.n = 5 and context.page.path != "/"',
    'type = "track" and (type = "track" and event = "x")',
    'userId = null or name != null',
  ])
    assert.deepEqual(lintTrigger(text), [], text);
});

test('a lint says where and what Segment would make of it', () => {
  const [lint, ...others] = lintTrigger('type = "track"\nor event = "X" and userId = "u1"');
  assert.deepEqual(others, []);
  assert.deepEqual([lint?.line, lint?.column, lint?.offset, lint?.rule], [2, 16, 30, 'mixed_and_or']);
  assert.match(lint?.message ?? '', /Segment would treat this as `type = "track" and event = "X" and userId = "u1"`/);
  assert.match(lintTrigger('messageId = "m1"')[0]?.message ?? '', /Segment would never send a record/);
  assert.match(lintTrigger('')[0]?.message ?? 'none', /none/);
});

test('what can never be true is said, also where Segment would agree', () => {
  const neverTrue = (text: string): boolean => lintTrigger(text).some((lint) => lint.rule === 'never_true');
  for (const text of [
    'properties.n > "4"',
    'a in "abc"',
    'a < null',
    'length(a) = "5"',
    'contains(a, 5)',
    'match(5, "a")',
    '"a" = 5',
    '!(a > "b") or b',
  ])
    assert.ok(neverTrue(text), text);
  for (const text of [
    'properties.n > 4',
    'a in b',
    'length(a) = null',
    'length(a) = 5',
    'contains(a, b)',
    'a != 5',
    'string(a) = "5"',
    'a = b',
  ])
    assert.ok(!neverTrue(text), text);
});

test('the equivalent trigger does here what Segment did', () => {
  assert.equal(
    segmentEquivalent('type="track" and event="X" or userId="u1"'),
    'type = "track" or event = "X" or userId = "u1"',
  );
  assert.equal(segmentEquivalent('!contains(event, "a")'), 'typeof(event) = "string" and !contains(event, "a")');
  assert.equal(segmentEquivalent('match(event, "50%*")'), 'match(event, "50%*")');
  assert.equal(segmentEquivalent('messageId = "m1"'), null);
});

function ours(text: string, record: JsonValue): boolean {
  const parsed = parseTrigger(text);
  return parsed.ok && compileTrigger(parsed.trigger)(record);
}
