/** Every directive: its own example, and its edges. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../base/json.ts';
import { beginBytes, takeBytes } from '../../base/json-writer.ts';
import type { JsonValue } from '../../model/index.ts';
import { checkMapping, compileExpression } from '../mapping.ts';
import { contextOf, eventOf, recordOf } from '../../../test/support/mapping.ts';
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

test('@case leaves what is not text', () => {
  const change = (operator: string, x: unknown): unknown =>
    run({ '@case': { operator, value: '$.x' } }, { x } as never);
  assert.equal(change('upper', 'aé1'), 'AÉ1');
  assert.equal(change('kebab', 'Order  Completed 2'), 'order-completed-2');
  assert.equal(change('title', 'order completed'), 'Order Completed');
  assert.deepEqual(
    [5, null, true, ''].map((x) => change('lower', x)),
    [5, null, true, ''],
  );
  assert.equal(run({ '@case': { operator: 'lower' } }, {}), undefined);
});

test('@replace takes pattern and replacement as plain text', () => {
  const replace = (more: object, x: unknown): unknown =>
    run({ '@replace': { pattern: 'a', value: '$.x', ...more } }, { x } as never);
  assert.equal(replace({ pattern: '.', replacement: '$&$1' }, 'a.b.c'), 'a$&$1b$&$1c');
  assert.equal(replace({ global: false, replacement: 'x' }, 'banana'), 'bxnana');
  assert.equal(replace({ pattern: 'A+', ignorecase: true, replacement: '-' }, 'xa+yA+'), 'x-y-');
  assert.equal(replace({ replacement: 'b', pattern2: 'b', replacement2: 'c' }, 'ab'), 'cc');
  assert.equal(replace({ pattern: '0', replacement: '1' }, parseJson('1.50')), '1.51');
  for (const x of [null, undefined, {}, []]) assert.equal(replace({}, x), '');
});

test('@arrayPath maps every item with the shape', () => {
  const data = { l: [{ x: 1 }, { x: null }, {}], o: { x: 5 }, t: 'text', n: null };
  assert.deepEqual(run({ '@arrayPath': ['$.l', { '@path': '$.x' }] }, data), [1, null, null]);
  assert.deepEqual(run({ '@arrayPath': ['o', { y: '$.x' }] }, data), [{ y: 5 }]);
  assert.deepEqual(run({ '@arrayPath': ['$.l'] }, data), data.l);
  assert.deepEqual(run({ '@arrayPath': [{ '@path': '$.l' }, {}] }, data), data.l);
  assert.equal(run({ '@arrayPath': ['$.t', { a: 1 }] }, data), 'text');
  assert.equal(run({ '@arrayPath': ['$.n', { a: 1 }] }, data), null);
  assert.equal(run({ '@arrayPath': ['$.none', { a: 1 }] }, data), undefined);
});

test('@json keeps digits both ways', () => {
  const data = parseJson('{"o":{"n":1.50},"t":"{\\"n\\":12345678901234567890}","bad":"{x","z":null}');
  assert.equal(run({ '@json': { mode: 'encode', value: '$.o' } }, data), '{"n":1.50}');
  assert.equal(JSON.stringify(run({ '@json': { mode: 'decode', value: '$.t' } }, data)), '{"n":12345678901234567890}');
  assert.equal(run({ '@json': { mode: 'decode', value: '$.bad' } }, data), '{x');
  assert.equal(run({ '@json': { mode: 'encode', value: '$.z' } }, data), 'null');
  assert.equal(run({ '@json': { mode: 'encode', value: '$.none' } }, data), undefined);
  assert.equal(run({ '@json': { mode: 'encode', value: 0 } }, data), '0');
});

test('@flatten joins names, and keeps lists when asked', () => {
  const flatten = (more: object, data: unknown): unknown =>
    run({ '@flatten': { separator: '_', value: '$.', ...more } }, data);
  const data = { a: { b: [1, { c: null }], d: {} }, e: [] };
  assert.deepEqual(flatten({}, data), { a_b_0: 1, a_b_1_c: null });
  assert.deepEqual(flatten({ omitArrays: true }, data), { a_b: [1, { c: null }], e: [] });
  assert.deepEqual(flatten({ value: '$.e.x' }, data), {});
  assert.deepEqual(flatten({ value: 5 }, data), { '': 5 });
  const hostile = flatten({}, parseJson('{"__proto__":{"x":1},"__proto__y":1}')) as object;
  assert.equal(JSON.stringify(hostile), '{"__proto___x":1,"__proto__y":1}');
});

test('@merge: either side may win', () => {
  const data = { a: { x: 1, y: 2 }, b: { y: 3, z: 4 }, n: null, l: [1] };
  const merge = (direction: string, objects: JsonValue[]): string =>
    JSON.stringify(run({ '@merge': { direction, objects } }, data));
  assert.equal(merge('right', ['$.a', '$.n', '$.b', '$.l', '$.none', 'text']), '{"x":1,"y":3,"z":4}');
  assert.equal(merge('left', ['$.a', '$.b']), '{"y":2,"z":4,"x":1}');
  assert.equal(merge('right', []), '{}');
});

test('@transform, @excludeWhenNull', () => {
  assert.deepEqual(run({ '@transform': { apply: { k: '$.n' }, mapping: { v: '$.k', w: '$.n' } } }, { n: 5 }), { v: 5 });
  assert.equal(run({ '@transform': { apply: '$.none', mapping: '$.a' } }, {}), undefined);
  assert.equal(run({ '@excludeWhenNull': '$.n' }, { n: null }), undefined);
  assert.deepEqual(run({ '@excludeWhenNull': { a: '$.n', b: [null, '$.n'], c: { d: null } } }, { n: null }), {
    b: [null, null],
    c: {},
  });
});

test('@liquid has limits, own fields and no clock', () => {
  const data = parseJson('{"n":1.50,"l":[1,2],"o":{"a":1},"name":"ann"}');
  assert.equal(
    run(
      {
        '@liquid':
          '{{ name | capitalize }} {{ n }} {{ n | plus: 1 }} {{ missing }}{{ name.constructor }}{{ o.toString }}',
      },
      data,
    ),
    'Ann 1.50 2.5 ',
  );
  assert.equal(run({ '@liquid': '{{ o | json }} {{ o | keys | join }} {{ "ab" | base64 }}' }, data), '{"a":1} a YWI=');
  assert.equal(run({ '@liquid': '{{ "now" | date: "%Y-%m-%d %H:%M %z" }}' }, data), '2024-05-01 00:00 +0000');
  assert.equal(run({ '@liquid': '' }, data), '');
  for (const bad of [
    '{{ a',
    '{% for a in b %}{% endfor %}',
    '{{ a | nope }}',
    '{{ l | sort }}',
    '{{ l | sample }}',
    '{% include "x" %}',
    'x'.repeat(1001),
  ])
    assert.equal(checkMapping({ '@liquid': bad }, 'm').length, 1, bad);
});

test('@liquid: numbers keep their digits as numbers, in text, in JSON and beside other numbers', () => {
  const data = parseJson('{"total":129.90,"big":9007199254740993,"o":{"a":[1.10,2]},"n":2}');
  const render = (text: string): unknown => run({ '@liquid': text }, data);
  assert.equal(render('{{ total }} {{ total | append: "!" }} {{ big | split: "99" | last }}'), '129.90 129.90! 3');
  assert.equal(render('{{ total | json }} {{ o | json }} {{ o.a | json }}'), '129.90 {"a":[1.10,2]} [1.10,2]');
  assert.equal(render('{{ o | only: "a" | json }}{{ o | except: "a" | json }}'), '{"a":[1.10,2]}{}');
  assert.equal(render('{{ total | base64 }} {{ total | keys | size }}'), 'MTI5Ljkw 0');
  assert.equal(
    render('{{ big | sha256 }}'),
    'a1c367c29158357e62a3ff5d3e800fb7698a22396439dbc0a9d4929322afd35d',
    'of its digits',
  );
  assert.equal(render('{{ total | plus: 1 }} {{ total | round }} {{ total | at_least: 200 }}'), '130.9 130 200');
  for (const [condition, holds] of [
    ['total == 129.9', true],
    ['129.9 == total', true],
    ['total != 129.9', false],
    ['total == "129.90"', false],
    ['total > 20', true],
    ['20 < total', true],
    ['total <= 129.9', true],
    ['total >= 130', false],
    ['big > 9007199254740992', true],
    ['big == 9007199254740992', false],
    ['n < total', true],
    ['o.a contains 1.1', true],
  ] as const)
    assert.equal(render(`{% if ${condition} %}yes{% else %}no{% endif %}`), holds ? 'yes' : 'no', condition);
});

test('@liquid changes no record: what it counts up is its own', () => {
  const data = { n: 1, l: [2, 1] };
  const text = '{% increment n %}{% increment new %}{% decrement n %} {{ l | shift }}{{ l | pop }}';
  const first = run({ '@liquid': text }, data);
  assert.equal(run({ '@liquid': text }, data), first);
  assert.deepEqual(data, { n: 1, l: [2, 1] });
});

test('@liquid reads text without an offset as UTC, wherever it runs', (t) => {
  const zone = process.env.TZ;
  t.after(() => (zone === undefined ? delete process.env.TZ : (process.env.TZ = zone)));
  process.env.TZ = 'America/New_York';
  assert.equal(new Date(2024, 4, 1).getTimezoneOffset(), 240, 'the zone of the process counts at once');
  const format = (text: string): unknown =>
    run({ '@liquid': '{{ at | date: "%Y-%m-%d %H:%M %z" }}' }, { at: parseJson(text) });
  for (const text of [
    '"2024-05-01 12:34:56"',
    '"2024-05-01T12:34"',
    '"2024-05-01T14:34:56+02:00"',
    '"May 1 2024 12:34"',
    '"May 1, 2024 12:34 PM"',
    '"05-01-2024 12:34"',
    '"Wed, 01 May 2024 14:34:56 +0200"',
    '"Wed May 01 2024 14:34:56 GMT+0200 (CEST)"',
    '"May 1 2024 08:34 EDT"',
    '1714566896',
    '1714566896.0',
    '"1714566896"',
  ])
    assert.equal(format(text), '2024-05-01 12:34 +0000', text);
  assert.equal(format('"2024-05-01"'), '2024-05-01 00:00 +0000');
  assert.equal(format('"no time"'), 'no time');
});

test('@lookup, @hash, @uuid, @pattern', () => {
  const table = { 1: 'one', a: '$.other', '@x': 2 };
  const lookup = (value: JsonValue, more: object = {}): unknown =>
    run({ '@lookup': { value, table, ...more } }, { other: 'o' });
  assert.deepEqual(
    [lookup(1), lookup('a'), lookup('@x'), lookup('A'), lookup(null)],
    ['one', 'o', 2, undefined, undefined],
  );
  assert.equal(lookup('none', { else: 'e' }), 'e');
  assert.equal(
    run({ '@hash': { value: 'abc', algorithm: 'md5', encoding: 'base64' } }, {}),
    'kAFQmDzST7DWlj99KOF/cg==',
  );
  assert.equal(run({ '@hash': { value: '$.none' } }, {}), undefined);
  const uuid = (from: JsonValue): unknown => run({ '@uuid': { from } }, { a: 'a', b: 'bc', c: 'ab', d: 'c' });
  assert.notEqual(uuid(['$.a', '$.b']), uuid(['$.c', '$.d']));
  assert.equal(uuid(['$.a', '$.b']), uuid(['a', 'bc']));
  assert.equal(uuid(['$.a', '$.none']), undefined);
  const pattern = compileExpression({ '@pattern': '{namespace}.{stream}-{x' });
  const topicOf = (namespace: string | null): unknown =>
    pattern.evaluate({}, recordOf({}, { namespace, stream: 's.t' }), contextOf());
  assert.deepEqual([topicOf('n-s'), topicOf(null)], ['n-s.s.t-{x', 's.t-{x']);
});

test('@number, @string, @boolean convert, or give else, or reject', () => {
  const convert = (name: string, x: unknown): string | undefined =>
    JSON.stringify(run({ [`@${name}`]: { value: '$.x', else: 'else' } }, { x } as never));
  assert.deepEqual(
    [
      ' +007 ',
      '-0',
      '.5',
      '1e3',
      '12345678901234567890.10',
      '1.',
      '',
      'x',
      '1,5',
      true,
      null,
      undefined,
      5,
      {},
      '0x1',
    ].map((x) => convert('number', x)),
    [
      '7',
      '-0',
      '0.5',
      '1e3',
      '12345678901234567890.10',
      '"else"',
      '"else"',
      '"else"',
      '"else"',
      '1',
      'null',
      undefined,
      '5',
      '"else"',
      '"else"',
    ],
  );
  assert.deepEqual(
    ['YES', ' f ', 1, 0, 2, parseJson('1.0'), 'maybe', {}, null].map((x) => convert('boolean', x)),
    ['true', 'false', 'true', 'false', '"else"', 'true', '"else"', '"else"', 'null'],
  );
  assert.deepEqual(
    [1.5, parseJson('1.50'), { a: 1 }, null, ''].map((x) => convert('string', x)),
    ['"1.5"', '"1.50"', '"{\\"a\\":1}"', 'null', '""'],
  );
  assert.throws(() => run({ '@number': '$.x' }, { x: 'abc' }), /"abc" is not a number/);
});

test('@date reads and writes forms and zones', () => {
  const date = (x: unknown, more: object = {}): unknown => run({ '@date': { value: '$.x', ...more } }, { x } as never);
  assert.equal(date('2024-07-01 14:30:00+02'), '2024-07-01T12:30:00.000Z');
  assert.equal(date(1719837000), '2024-07-01T12:30:00.000Z');
  assert.equal(date('2024-07-01 14:30', { from_zone: 'Europe/Berlin' }), '2024-07-01T12:30:00.000Z');
  assert.equal(date('2024-07-01', { from_zone: 'Europe/Berlin' }), '2024-06-30T22:00:00.000Z');
  assert.equal(
    date('2024-07-01T12:30:00Z', { from_zone: 'Europe/Berlin', zone: 'Asia/Kolkata' }),
    '2024-07-01T18:00:00.000+05:30',
  );
  assert.equal(
    date('1.7.2024 2:30 pm', { from: 'd.M.yyyy h:mm a', from_zone: 'America/New_York', to: 's' }),
    1719858600,
  );
  assert.equal(
    date('2024-07-01', { to: "EEE d MMM ''yy 'at' HH:mm XXX", zone: 'America/New_York' }),
    "Sun 30 Jun '24 at 20:00 -04:00",
  );
  assert.equal(date(-1, { from: 'ms', to: 'us' }), -1000);
  assert.equal(date('soon', { else: null }), null);
  assert.equal(date(null), null);
  assert.throws(() => date('31.04.2024', { from: 'dd.MM.yyyy' }), /not a time/);
  for (const bad of [{ zone: 'Mars/Olympus' }, { to: 'yyyy-QQ' }, { from: "'open" }, { to: 'yyy' }])
    assert.equal(checkMapping({ '@date': { value: 1, ...bad } }, 'm').length, 1, JSON.stringify(bad));
});
