/** The scanner takes what JSON.parse takes, and finds what JSON.parse finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonScanner, MAX_SCAN_DEPTH } from './json-scan.ts';

const names = ['a', 'userId', 'é', '__proto__', 'toString', ''];

/** Compares one scan with JSON.parse of the same text. */
function compare(text: string): void {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner(names);
  const fault = scanner.scan(bytes);
  let parsed: unknown;
  let threw = false;
  try {
    parsed = JSON.parse(bytes.toString());
  } catch {
    threw = true;
  }
  assert.equal(fault !== null, threw, `${JSON.stringify(text)}: ${fault}`);
  if (fault !== null) return;
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  assert.equal(scanner.isObject, isObject);
  names.forEach((name, member) => {
    const slice = scanner.slice(bytes, member);
    assert.equal(slice !== null, isObject && Object.hasOwn(parsed as object, name), name);
    if (slice !== null) assert.deepEqual(JSON.parse(slice.toString()), (parsed as Record<string, unknown>)[name]);
  });
}

test('texts at the edges of JSON', () => {
  const good = ['{}', '[]', ' null ', '-0', '1e5', '1E+5', '0.10', '"\\u00e9\\n"', '[1,[2,{"a":[]}]]', '{"a":1,"a":2}'];
  const objects = ['{"\\u0061":1}', '{"userId":"u","__proto__":{"x":1},"":0}', '{ "a" : [ 1 , 2 ] , "é" : "ü" }\n'];
  const bad = [
    '',
    ' ',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '[1,]',
    '[',
    '[1',
    '01',
    '1.',
    '.5',
    '1e',
    '-',
  ];
  const words = [
    'tru',
    'nul',
    'falsE',
    'NaN',
    '+1',
    "'a'",
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '"',
    '{"a":1}}',
    '1 2',
    '\ufeff{}',
  ];
  for (const text of [...good, ...objects, ...bad, ...words]) compare(text);
});

test('random JSON, and JSON with one byte changed', () => {
  const value = fc.jsonValue({ depthSize: 'medium', noUnicodeString: false } as fc.JsonSharedConstraints);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names, 'other'), value), fc.nat(), fc.nat(127), (object, at, byte) => {
      const text = JSON.stringify(object, null, at % 3);
      compare(text);
      const index = at % text.length;
      compare(text.slice(0, index) + String.fromCharCode(byte) + text.slice(index + 1));
      compare(text.slice(0, index));
    }),
    { numRuns: 2000 },
  );
});

test('bytes that are not UTF-8 are a fault, inside a string and outside', () => {
  const scanner = new JsonScanner(['a']);
  assert.equal(scanner.scan(Buffer.from([0x22, 0xff, 0x22])), 'the text is not valid UTF-8');
  assert.equal(scanner.scan(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 'the text is not valid UTF-8');
  assert.equal(scanner.scan(Buffer.from([0xff])), 'no valid JSON at byte 1');
});

test('nesting up to the limit passes, deeper is a fault', () => {
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
  const scanner = new JsonScanner([]);
  assert.equal(scanner.scan(nested(MAX_SCAN_DEPTH)), null);
  assert.notEqual(scanner.scan(nested(MAX_SCAN_DEPTH + 1)), null);
  assert.notEqual(scanner.scan(nested(1_000_000)), null);
});
