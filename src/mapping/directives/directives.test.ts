/** Every directive: its own example, and its edges. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../base/json.ts';
import { beginBytes, takeBytes } from '../../base/json-writer.ts';
import type { JsonValue } from '../../model/index.ts';
import { checkMapping, compileExpression } from '../mapping.ts';
import { contextOf, eventOf, recordOf } from '../support.test-helper.ts';
import { directives } from './index.ts';

/** The result, after comparing evaluation with what is written. */
function run(mapping: JsonValue, data: unknown): unknown {
  assert.deepEqual(checkMapping(mapping, 'm'), [], JSON.stringify(mapping));
  const expression = compileExpression(mapping);
  const record = recordOf(data);
  const before = JSON.stringify(data);
  const value = expression.evaluate(data, record, contextOf());
  beginBytes();
  const wrote = expression.write(data, record, contextOf());
  const text = takeBytes().toString();
  assert.equal(wrote, value !== undefined);
  if (wrote) assert.equal(text, JSON.stringify(value));
  assert.equal(JSON.stringify(data), before);
  return value;
}

for (const directive of directives.values())
  test(`${directive.name}: its example`, () => {
    const { mapping, record, result } = directive.example;
    assert.ok(Object.hasOwn(mapping as object, directive.name));
    assert.deepEqual(run(mapping, record), result);
    assert.ok(directive.docs.length > 20 && directive.summary.endsWith('.'));
  });

test('shorthands: $. is a path, {{ a template, anything else itself', () => {
  const data = { a: 1, b: { c: 'x' } };
  assert.deepEqual(run(['$.a', 'n{{b.c}}', 'plain', '$a', 'single {a}', '$.'], data), [
    1,
    'nx',
    'plain',
    '$a',
    'single {a}',
    data,
  ]);
});

test('@path with a path from the record', () => {
  assert.equal(run({ '@path': { '@path': '$.which' } }, { which: '$.a.b', a: { b: 5 } }), 5);
  assert.equal(run({ '@path': { '@path': '$.which' } }, { which: 5 }), undefined);
  assert.equal(run({ '@path': { '@path': '$.which' } }, { which: 'a..b' }), undefined);
});

test('@template: text of every kind of value', () => {
  const data = parseJson('{"n":1.50,"o":{"a":1},"l":[1,2],"f":false,"z":null,"h":"<&>\\"","$":{"a":7}}');
  assert.equal(
    run({ '@template': '{{n}}|{{ $.n }}|{{o}}|{{l}}|{{f}}|{{z}}|{{no}}|{{{h}}}|{{h}}' }, data),
    '1.50|1.50|{"a":1}|[1,2]|false|||<&>"|<&>"',
  );
  assert.equal(run({ '@template': 'a {{ b {n} }} {{' }, data), 'a {{ b {n} }} {{');
  assert.equal(run({ '@template': { '@literal': 'x{{n}}' } }, data), 'x1.50');
  assert.equal(run({ '@template': { '@path': '$.no' } }, data), undefined);
});

test('@literal keeps text, resolves directives, and lets other @ keys be', () => {
  assert.deepEqual(
    run(
      {
        '@literal': { a: '$.x', b: ['{{x}}', { '@path': '$.x' }], c: { '@timestamp': 1 }, d: { '@path': '$.x', e: 1 } },
      },
      { x: 5 },
    ),
    { a: '$.x', b: ['{{x}}', 5], c: { '@timestamp': 1 }, d: { '@path': '$.x', e: 1 } },
  );
  assert.equal(run({ '@literal': { '@if': { exists: { '@path': '$.x' }, then: '$.x' } } }, { x: 5 }), '$.x');
});

test('@if: what exists and what is blank', () => {
  const pick = (name: string, x: unknown): unknown =>
    run({ '@if': { [name]: '$.x', then: 'then', else: 0 } }, { x } as never);
  for (const x of [0, '', false, [], {}, 'a']) assert.equal(pick('exists', x), 'then');
  for (const x of [null, undefined]) assert.equal(pick('exists', x), 0);
  for (const x of [0, '', false, null, undefined, [], [''], [null], [[]]])
    assert.equal(pick('blank', x), 0, JSON.stringify(x));
  for (const x of [1, 'a', true, {}, [0], ['', ''], [false]]) assert.equal(pick('blank', x), 'then', JSON.stringify(x));
  assert.equal(run({ '@if': { exists: '$.x', then: 1 } }, {}), undefined);
  assert.equal(run({ '@if': { exists: 0, then: 1 } }, {}), 1);
  assert.equal(run({ '@if': { exists: '$.x', blank: 'y', then: 1, else: 2 } }, {}), 2);
});

test('@coalesce skips absent, null and empty text only', () => {
  const mapping = { '@coalesce': ['$.a', '$.b', '$.c'] };
  assert.equal(run(mapping, { a: null, b: '', c: 0 }), 0);
  assert.equal(run(mapping, { b: false, c: 1 }), false);
  assert.equal(run(mapping, {}), undefined);
});

test('@meta knows the record and the run', () => {
  const names = ['operation', 'synced_at', 'sync', 'source', 'stream', 'namespace', 'position', 'run', 'message_id'];
  const mapping = Object.fromEntries(names.map((name) => [name, { '@meta': name }]));
  assert.deepEqual(run(mapping, {}), {
    operation: 'created',
    synced_at: '2024-05-01T00:00:00.000Z',
    sync: 'orders',
    source: 'lake',
    stream: 'orders.csv',
    namespace: null,
    position: 'orders.csv:1',
    run: 'run-1',
    message_id: null,
  });
  const event = compileExpression([{ '@meta': 'synced_at' }, { '@meta': 'message_id' }]);
  assert.deepEqual(event.evaluate({}, eventOf({}), contextOf()), ['2024-01-01T00:00:00.000Z', 'm1']);
});

test('objects with a key named __proto__ are plain data', () => {
  const mapping = parseJson('{"__proto__":{"@path":"$.a"},"b":"$.__proto__.c"}') as JsonValue;
  const result = run(mapping, parseJson('{"a":1,"__proto__":{"c":2}}')) as object;
  assert.equal(JSON.stringify(result), '{"__proto__":1,"b":2}');
  assert.equal(({} as Record<string, unknown>)['a'], undefined);
});
