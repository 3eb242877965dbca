/** What triggers answer: the vendor's documented examples, every known fault of its evaluator, types, nulls, numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import { compileTrigger, parseTrigger, triggerFields } from './index.ts';

const event: JsonValue = {
  type: 'track',
  event: 'Order Completed',
  userId: 'u1',
  messageId: 'm1',
  properties: {
    n: 5,
    b: true,
    s: 'a',
    total: 10.5,
    arr: ['x', 'y'],
    flag: false,
    nothing: null,
    'product 1': { price: 3 },
  },
  context: { library: { name: 'analytics.js', version: '1.0' } },
};

test('what Segment answers wrongly is right here', () => {
  const rows: [string, boolean | 'error'][] = [
    ['type="track" and event="X" or userId="u1"', true],
    ['type="track" and event="X" or userId="u2"', false],
    ['type="identify" or event="Order Completed" and userId="nope"', false],
    ['type="track" or event="X" and userId="nope"', true],
    ['type="track" and (contains(event,"zzz") or userId="u1")', true],
    ['type="page" and (contains(event,"zzz") or userId="u1")', false],
    ['type="track" and ((event="X") or (userId="u1"))', true],
    ["event = 'Order Completed'", true],
    ['match(event,"Or*ed")', true],
    ['match(event,"Order?Completed")', true],
    ['match(event,"rder Completed")', false],
    ['match(event,"Order Completed")', true],
    ['!(type="track")', false],
    ['not type="track"', 'error'],
    ['properties.b != true', false],
    ['properties.b != false', true],
    ['event = null', false],
    ['event != null', true],
    ['type != null', true],
    ['properties.missing = null', true],
    ['properties.missing != 5', true],
    ['properties.missing != "a"', true],
    ['properties.missing != true', true],
    ['type="track" and anonymousId="zzz"', false],
    ['messageId="m1"', true],
    ['length(userId)>0', true],
    ['"x" in properties.arr', true],
    ['TYPE="track"', false],
    ['type="track"and event="X"', false],
    ['type="track" AND event="Order Completed"', 'error'],
    ['type="track" OR event="X"', 'error'],
    ['type="track")', 'error'],
    ['and type="track"', 'error'],
    ['type="track" and', 'error'],
    ['type = ', 'error'],
    [String.raw`event = "a \"q\""`, false],
    ['properties.n = 1e3', false],
    ['properties.total = 1.05e1', true],
    ['properties.arr.0 = "x"', true],
    ['properties.arr[0] = "x"', true],
    ['properties.arr[2] = null', true],
    ['properties.n > "4"', false],
    ['properties.n <= "9"', false],
  ];
  for (const [text, expected] of rows) assert.equal(answer(text), expected, text);
  assert.equal(answer('event = null', { type: 'page' }), true);
  assert.equal(answer('event != null', { type: 'page' }), false);
  assert.equal(answer(String.raw`event = "a \"q\""`, { event: 'a "q"' }), true);
});

test('the examples of the documentation hold', () => {
  const record: JsonValue = {
    event: 'Button Clicked',
    type: 'track',
    context: { library: { name: 'analytics.js', version: '1.0' } },
    properties: { features: ['discounts', 'dark-mode'] },
  };
  const rows: [string, boolean][] = [
    ["event = 'Button Clicked'", true],
    ["event = 'Screen Tapped'", false],
    ["context.path.path = '/login'", false],
    ["type = 'identify' or type = 'track'", true],
    ["event = 'Button Clicked' and type = 'track'", true],
    ["match( context.library.version, '1.*' )", true],
    ["match( context.library.version, '2.*' )", false],
    ["type = 'track' and ( event = 'Click' or match( event, 'Button *' ) )", true],
    ["!contains( context.library.name, 'js' )", false],
    ["'dark-mode' in properties.features", true],
    ["'blink' in properties.features", false],
    ["!( type in ['track', 'identify'] )", false],
    [
      "( type = 'track' or type = 'identify' ) and ( properties.enabled or match( traits.email, '*@company.com' ) )",
      false,
    ],
    ["typeof( userId ) = 'string' and length( userId ) > 0", false],
  ];
  for (const [text, expected] of rows) assert.equal(answer(text, record), expected, text);
});

test('equality is strict and typed, for lists and objects too', () => {
  passes(
    'properties.n = 5',
    'properties.n = 5.0',
    'properties.b = true',
    'properties.nothing = null',
    '"track" = type',
  );
  fails('properties.n = "5"', 'userId = 1', 'properties.flag = null', 'properties.flag = 0', 'properties.s = null');
  passes('properties.n != "5"', 'properties.flag != null', '[] != null');
  passes('properties.arr = ["x", "y"]', 'properties.arr != ["y", "x"]', '["x", ["y", 5]] = ["x", ["y", 5]]');
  fails('properties.arr = ["x"]', 'properties.arr = ["x", "y", null]', 'properties.arr = "x"', 'properties = null');
  passes('properties = properties', 'context.library = context.library', 'properties != context');
  assert.equal(answer('a = b', { a: { x: [1, { y: null }] }, b: { x: [1, { y: null }] } }), true);
  assert.equal(answer('a = b', { a: { x: [1, { y: null }] }, b: { x: [1, { z: null }] } }), false);
  assert.equal(answer('a = b', { a: { x: 1 }, b: { x: 1, y: 2 } }), false);
});

test('order compares numbers only', () => {
  passes('properties.n > 4', 'properties.n >= 5', 'properties.n < 5.5', 'properties.n <= 5', '4 < properties.n');
  passes('properties.total > properties.n', 'length(event) > properties.n', '-1 < 0', '-2.5 < -2');
  fails(
    'properties.n > 5',
    'properties.n < 5',
    'properties.s > 1',
    'properties.missing < 1',
    'properties.missing >= 0',
  );
  fails('properties.b > 0', 'properties.arr > 0', '"b" > "a"', 'properties.nothing <= 0', 'properties > 0');
  passes('!(properties.missing > 1)');
});

test('`in` looks for a text, number, boolean or null in a list', () => {
  passes(
    'type in ["page", "track"]',
    'properties.n in [5]',
    'properties.missing in ["a", null]',
    'properties.b in [true]',
  );
  passes('userId in [properties.s, userId]', 'properties.n in [4, properties.n]', 'null in [null]', '1e1 in [10]');
  fails('type in []', 'type in ["Track"]', 'properties.n in ["5"]', 'properties.missing in ["null"]', '"x" in "xyz"');
  fails('"x" in properties.missing', '["x"] in [["x"]]', 'properties.arr in [properties.arr]', '"x" in properties');
});

test('functions do what is documented, and null is handled', () => {
  passes('contains(event, "Comp")', 'contains(event, "")', 'match(event, "*")', 'length(properties.arr) = 2');
  passes('length("a") = 1', 'length("ア") = 3', 'length("") = 0', 'length(properties.missing) = 0', 'length(5) = null');
  passes(
    'lowercase("ÀB") = "àb"',
    'uppercase("àb") = "ÀB"',
    'lowercase(properties.missing) = null',
    'uppercase(5) = null',
  );
  passes('snakecase("test string") = "test_string"', 'snakecase("Order  Completed!") = "order_completed_"');
  passes('kebabcase("test string") = "test-string"', 'titlecase("test string") = "Test String"');
  passes('titlecase("ORDER completed") = "Order Completed"', 'snakecase(null) = null', 'titlecase(null) = null');
  passes('typeof(type) = "string"', 'typeof(properties.n) = "number"', 'typeof(properties.arr) = "list"');
  passes('typeof(properties.b) = "bool"', 'typeof(properties.missing) = "null"', 'typeof(properties) = "object"');
  passes('typeof(type = "x") = "bool"', 'typeof([]) = "list"');
  fails(
    'contains(properties.missing, "a")',
    'contains(event, null)',
    'contains(properties.n, "5")',
    'match(null, "*")',
  );
  fails('contains(event, "comp")', 'match(event, "order*")', 'match(event, properties.missing)', 'contains(null, "")');
  passes(
    'bool("TRUE")',
    'bool("1")',
    'bool(2)',
    'bool([0])',
    'bool(properties.b)',
    'bool("no") = false',
    'bool(null) = false',
  );
  fails('bool("")', 'bool(0)', 'bool([])', 'bool(properties)', 'bool("yes")', 'bool(-0)');
  passes('string(5) = "5"', 'string(true) = "true"', 'string(null) = ""', 'string(["a", 1]) = "[\\"a\\",1]"');
  passes('number("42") = 42', 'number("-1.5e1") = -15', 'number(7) = 7', 'number("x") = null', 'number("") = null');
  passes(
    'number(null) = null',
    'number(true) = null',
    'number("0x10") = null',
    'number(" 5") = null',
    'number("5") > 4',
  );
  passes(
    'match(event, string("Order*"))',
    'contains(event, userId) = false',
    'contains(event, lowercase("ORDER")) = false',
  );
  passes('length(uppercase(type)) = 5', 'contains(event, "Order") = contains(event, "Completed")');
});

test('a condition is true only for true; null and other values are not', () => {
  passes('properties.b', 'true', '!false', '!null', '!properties.flag', '!properties.missing', 'properties.b or false');
  fails('properties.flag', 'properties.missing', 'properties.s', 'properties.n', 'null', '!properties.b', 'properties');
  passes('!properties.s', 'properties.b and !(properties.s)');
});

test('integers and decimals compare by their digits', () => {
  const record = parseJson(
    '{"id": 9007199254740993, "big": 12345678901234567890, "price": 19.90, "tiny": 1e-400, "huge": 1e400, "minus": -9007199254740993, "thousand": 1e3, "zero": -0}',
  ) as JsonValue;
  const holds = [
    'id = 9007199254740993',
    'id != 9007199254740992',
    'id > 9007199254740992',
    'id >= 9007199254740993',
    'id < 9007199254740994',
    'big = 12345678901234567890',
    'big = 1.234567890123456789e19',
    'big < 12345678901234567891',
    'minus < -9007199254740992',
    'minus = -9007199254740993',
    'price = 19.9',
    'price > 19.89999999999999999999999',
    'thousand = 1000',
    'zero = 0',
    'zero >= 0',
    'tiny > 0',
    'tiny < 1e-399',
    'huge > 1e399',
    'huge = 10e399',
    'id in [1, 9007199254740993]',
    'price in [19.9]',
    'thousand in [1000]',
    '!(id in [9007199254740992])',
    'number("9007199254740993") = id',
    'string(price) = "19.90"',
    'typeof(big) = "number"',
    'bool(big)',
    '!bool(zero)',
    'big.rawJSON = null',
    'number("99999999999999999999") > id',
  ];
  for (const text of holds) assert.equal(answer(text, record), true, text);
  assert.equal(answer('a = 0.3', { a: 0.1 + 0.2 }), false);
});

test('only own properties are fields, and texts have no members', () => {
  fails(
    'constructor != null',
    '$.constructor.name = "Object"',
    'toString != null',
    '__proto__ != null',
    'hasOwnProperty != null',
  );
  passes('properties.s.length = null', 'properties.arr.length = null', 'properties.arr.map = null');
  assert.equal(answer('a.length = 1', { a: { length: 1 } }), true);
  assert.equal(answer('__proto__.x = 1', JSON.parse('{"__proto__": {"x": 1}}') as JsonValue), true);
  assert.equal(answer('constructor = 1', { constructor: 1 } as unknown as JsonValue), true);
  assert.equal(answer('a.b = null', { a: 0 }), true);
  assert.equal(answer('a.0 = "x"', { a: { '0': 'x' } }), true);
});

test('a record that is no object passes only what holds without fields', () => {
  for (const data of [null, 'text', 5, true, []]) {
    assert.equal(answer('type = "track"', data), false);
    assert.equal(answer('type = null', data), true);
  }
  assert.equal(answer('\\0 = "x"', ['x']), true);
});

test('a record nested 100,000 deep is compared without fault', () => {
  const deep = (leaf: number): JsonValue =>
    JSON.parse(`${'['.repeat(100_000)}${leaf}${']'.repeat(100_000)}`) as JsonValue;
  assert.equal(answer('a = b', { a: deep(1), b: deep(1) }), true);
  assert.equal(answer('a = b', { a: deep(1), b: deep(2) }), false);
  // No text can be made of it: what cannot be decided does not pass.
  assert.equal(answer('string(a) != ""', { a: deep(1) }), false);
});

test('patterns and texts from the record are searched in linear time', () => {
  const text = 'a'.repeat(100_000);
  const started = process.cpuUsage();
  assert.equal(answer('contains(text, part)', { text, part: `b${'a'.repeat(50_000)}` }), false);
  assert.equal(answer('contains(text, part)', { text, part: `${'a'.repeat(50_000)}b` }), false);
  assert.equal(answer('match(text, part)', { text, part: `${'*a'.repeat(400)}*b*` }), false);
  assert.equal(answer('match(text, part)', { text, part: `${'*?a'.repeat(300)}*b` }), false);
  assert.equal(answer('match(text, "*a*[a-z]*a*?*a*b")', { text }), false);
  assert.ok(process.cpuUsage(started).user < 2_000_000);
  assert.equal(answer('match(text, part)', { text: 'a', part: '*'.repeat(1001) }), false);
});

test('a trigger tells which fields of the record it reads', () => {
  const parsed = parseTrigger('type = "x" and (contains(properties.a, traits.b) or "c" in [$.event, type])');
  assert.ok(parsed.ok);
  assert.deepEqual(triggerFields(parsed.trigger), ['type', 'properties', 'traits', 'event']);
});

function answer(text: string, data: JsonValue = event): boolean | 'error' {
  const parsed = parseTrigger(text);
  return parsed.ok ? compileTrigger(parsed.trigger)(data) : 'error';
}

function passes(...texts: string[]): void {
  for (const text of texts) assert.equal(answer(text), true, text);
}

function fails(...texts: string[]): void {
  for (const text of texts) assert.equal(answer(text), false, text);
}
