/** YAML and JSON text: what is read, at which place, and what is refused for its cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_TEXT_BYTES, readDocuments } from './document.ts';

function valueOf(text: string): unknown {
  const { documents, problems } = readDocuments(text, 'test.yaml');
  assert.deepEqual(problems, []);
  assert.equal(documents.length, 1);
  return documents[0]!.value;
}

function problemOf(text: string): { reason: string; remedy: string; place?: string } {
  const { problems } = readDocuments(text, 'test.yaml');
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0]!;
}

test('reads YAML and JSON alike, the tabs of JSON included', () => {
  const expected = { a: { b: [1, true, null, 'x', ''] }, 'c d': '$.e' };
  assert.deepEqual(valueOf('a:\n  b: [1, true, null, x, ""]\nc d: $.e\n'), expected);
  assert.deepEqual(valueOf(JSON.stringify(expected)), expected);
  assert.deepEqual(valueOf(JSON.stringify(expected, null, '\t')), expected);
  assert.deepEqual(valueOf('{"smile": "\\ud83d\\ude00", "slash": "\\/"}'), { smile: '😀', slash: '/' });
});

test('keeps the digits of numbers, and knows what is none', () => {
  const value = valueOf('[1.10, 12345678901234567890, 1e3, -0, 0x1F, +5, .5, 012, 1_000, 2026-01-01, yes, ~, .inf]');
  const printed = '[1.10,12345678901234567890,1e3,-0,31,5,0.5,12,"1_000","2026-01-01","yes",null,".inf"]';
  assert.equal(JSON.stringify(value), printed);
});

test('reads names of any kind as text, and dangerous ones as plain names', () => {
  assert.deepEqual(valueOf('1: a\ntrue: b\nnull: c\n'), { 1: 'a', true: 'b', null: 'c' });
  const odd = valueOf('__proto__: {polluted: true}\nconstructor: 1\n') as Record<string, unknown>;
  assert.deepEqual(Object.keys(odd), ['__proto__', 'constructor']);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('follows anchors and merges; what stands beside a merge wins', () => {
  const text = 'base: &base {a: 1, b: 2}\none: {<<: *base, b: 3}\ntwo: {b: 4, <<: [{a: 5}, *base]}\nthree: *base\n';
  assert.deepEqual(valueOf(text), {
    base: { a: 1, b: 2 },
    one: { a: 1, b: 3 },
    two: { a: 5, b: 4 },
    three: { a: 1, b: 2 },
  });
});

test('reads several documents and leaves out empty ones', () => {
  const { documents } = readDocuments('---\n# nothing\n---\na: 1\n---\nb: 2\n...\n', 'test.yaml');
  assert.deepEqual(
    documents.map(({ value }) => value),
    [{ a: 1 }, { b: 2 }],
  );
  assert.deepEqual(readDocuments('', 'test.yaml'), { documents: [], problems: [] });
});

test('knows the line and column of every path', () => {
  const { documents } = readDocuments('a:\n  - b: 1\n    "c d": {e: 2}\n', 'test.yaml');
  const places = documents[0]!.places;
  assert.deepEqual(
    ['a', 'a[0].b', 'a[0]["c d"]', 'a[0]["c d"].e'].map((path) => places.get(path)),
    ['1:1', '2:5', '3:5', '3:13'],
  );
});

test('names line and column of a syntax error', () => {
  assert.equal(problemOf('a: 1\nb: [1, 2\nc: 3\n').place?.replace(/:\d+$/, ''), 'test.yaml:3');
  assert.equal(problemOf('a: 1\nb: "x\n').place?.startsWith('test.yaml:'), true);
  assert.match(problemOf('{"a": 1,\n "b": }}').place ?? '', /^test\.yaml:2:/);
});

test('S25: refuses what would cost too much, quickly', () => {
  const started = performance.now();
  const laughs = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level <= 9; level++) {
    laughs.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
  }
  assert.match(problemOf(laughs.join('\n')).reason, /more than 1000 aliases/);
  assert.match(problemOf('a: &a [*a]').reason, /nested deeper|alias/i);
  assert.match(problemOf(`${'['.repeat(200)}${']'.repeat(200)}`).reason, /nested deeper than 100/);
  assert.match(problemOf(`a: "${'x'.repeat(MAX_TEXT_BYTES)}"`).reason, /larger than/);
  const many = `a: &a [${'1,'.repeat(20_000)}]\nb: [${'*a,'.repeat(20)}]`;
  assert.match(problemOf(many).reason, /more than 200000 values/);
  const took = performance.now() - started;
  assert.ok(took < 10_000, `took ${took} ms`);
});

test('S25: refuses tags, whatever they name', () => {
  for (const tag of ['!!js/function', '!local', '!!binary', '!<tag:example.com,2026:x>', '!!python/object']) {
    assert.match(problemOf(`a: ${tag} "x"`).remedy, /Tags/, tag);
  }
  assert.deepEqual(valueOf('a: !!str 12'), { a: '12' });
  assert.match(problemOf('%YAML 1.1\n---\na: !!timestamp 2026-01-01').remedy, /Tags/);
});

test('refuses names that are no text', () => {
  assert.match(problemOf('? [a, b]\n: 1\n').reason, /name that is no plain text/);
  assert.match(problemOf('a: {<<: 5}').reason, /merges/);
});
