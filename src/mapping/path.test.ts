/** Paths: what parses, and what a lookup sees. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../base/json.ts';
import { lookUp, parsePath, pathExpression } from './path.ts';
import { contextOf, recordOf } from '../../test/support/mapping.ts';

test('the forms of a path', () => {
  const steps = (path: string) => {
    const parsed = parsePath(path);
    return parsed.ok ? parsed.steps : parsed.reason;
  };
  for (const whole of ['$.', '.', '', '$']) assert.deepEqual(steps(whole), [], whole);
  assert.deepEqual(steps('$.a.b[0].c'), ['a', 'b', '0', 'c']);
  assert.deepEqual(steps('a.0.c'), ['a', '0', 'c']);
  assert.deepEqual(steps("$.o['d.e'].f"), ['o', 'd.e', 'f']);
  assert.deepEqual(steps('$["x y"]'), ['x y']);
  assert.deepEqual(steps("$['it\\'s']"), ["it's"]);
  assert.deepEqual(steps('$.sp ace'), ['sp ace']);
  assert.deepEqual(steps('$.$.a'), ['$', 'a']);
  assert.deepEqual(steps('[0][1]'), ['0', '1']);
});

test('what does not read says where', () => {
  for (const [path, reason] of [
    ['$.a..b', /missing before the "\." at character 5/],
    ['$.a.', /after the last/],
    ['$.a[', /not closed/],
    ['$.a[]', /empty/],
    ["$.a['b", /quote .* not closed/],
    ["$.a['b'x", /"\]" is missing/],
    ['$.a[0]b', /"\." or "\[" is missing/],
  ] as const) {
    const parsed = parsePath(path);
    assert.ok(!parsed.ok, path);
    assert.match(parsed.reason, reason);
  }
});

test('a lookup sees own properties and list indexes only', () => {
  const root = parseJson(
    '{"a":{"b":[1,{"c":2}]},"n":null,"zero":0,"text":"abc","__proto__":{"x":1},"constructor":5,"long":12345678901234567890}',
  );
  const cases: readonly (readonly [string, unknown])[] = [
    ['$.a.b[1].c', 2],
    ['$.a.b.1.c', 2],
    ['$.a.b[2]', undefined],
    ['$.a.b[01]', undefined],
    ['$.a.b.length', undefined],
    ['$.a.b.map', undefined],
    ['$.n.x.y', null],
    ['$.zero.x', undefined],
    ['$.text.length', undefined],
    ['$.text.0', undefined],
    ['$.__proto__.x', 1],
    ['$.constructor', 5],
    ['$.toString', undefined],
    ['$.a.constructor.name', undefined],
    ['$.a.__proto__', undefined],
    ['$.long.rawJSON', undefined],
    ['$.missing.x.y.z.w', undefined],
  ];
  for (const [path, expected] of cases) {
    const parsed = parsePath(path);
    assert.ok(parsed.ok);
    assert.deepEqual(lookUp(root, parsed.steps), expected, path);
    const { evaluate } = pathExpression(parsed.steps);
    assert.deepEqual(evaluate(root, recordOf(root), contextOf()), expected, path);
  }
});
