/** References in text: what they read, and what does not resolve. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { rawNumber } from '../base/json.ts';
import type { JsonValue } from '../model/index.ts';
import { readEnvironment } from './environment.ts';
import { absoluteReferences, isOneReference, resolveReferences } from './references.ts';
import { At, Report } from './report.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-references-'));
after(() => rmSync(folder, { recursive: true }));
const { references } = readEnvironment({ NAME: 'value', EMPTY: '', ODD: '${NAME} $. {{x}}' });

function resolve(value: JsonValue): { value: JsonValue; report: Report } {
  const report = new Report();
  return { value: resolveReferences(value, new At(report, 'x'), report, references), report };
}

test('resolves variables, defaults and files, anywhere in a text and any number of them', () => {
  writeFileSync(join(folder, 'secret'), 'from file\n');
  const cases: [string, string][] = [
    ['${NAME}', 'value'],
    ['a ${NAME}, ${NAME}!', 'a value, value!'],
    ['${NAME:-other}', 'value'],
    ['${NOWHERE:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY}', ''],
    ['${NOWHERE:-}', ''],
    ['${NOWHERE:-a b:-c}', 'a b:-c'],
    [`\${file:${folder}/secret}`, 'from file'],
    ['$${NAME}', '${NAME}'],
    ['$$${NAME}', '$${NAME}'],
    ['$NAME and {{name}} and $.path', '$NAME and {{name}} and $.path'],
    ['${ODD}', '${NAME} $. {{x}}'],
  ];
  for (const [text, expected] of cases) {
    const { value, report } = resolve(text);
    assert.deepEqual([value, report.problems], [expected, []], text);
  }
});

test('resolves in nested values and changes nothing else', () => {
  const digits = rawNumber('1.10') as never as JsonValue;
  const { value, report } = resolve({ a: ['${NAME}', 1, null, { '${NAME}': '$${x' }], b: digits });
  assert.deepEqual(value, { a: ['value', 1, null, { '${NAME}': '${x' }], b: digits });
  assert.deepEqual([...report.referenced], ['x.a[0]']);
});

test('tells every reference that does not resolve, at its own path', () => {
  const { report } = resolve(['${NOWHERE}', `\${file:${folder}}`, '${file:relative}', '${}', '${file:}', '${A-B}']);
  assert.deepEqual(
    report.problems.map(({ path, code }) => `${path} ${code}`),
    [0, 1, 2, 3, 4, 5].map((index) => `x[${index}] config_unresolved`),
  );
});

test('makes file references absolute and leaves all other text', () => {
  const cases: [string, string][] = [
    ['${file:ca.pem}', '${file:/srv/ca.pem}'],
    ['a ${file:../b} ${NAME}', 'a ${file:/b} ${NAME}'],
    ['${file:/abs}', '${file:/abs}'],
    ['$${file:x}', '$${file:x}'],
    ['${file:x', '${file:x'],
    ['${NAME:-file:x}', '${NAME:-file:x}'],
  ];
  for (const [text, expected] of cases) assert.equal(absoluteReferences(text, '/srv'), expected);
});

test('knows a reference that stands alone', () => {
  for (const text of ['${A}', '${A:-b}', '${file:/x}']) assert.equal(isOneReference(text), true, text);
  for (const text of ['', 'a', 'a${A}', '${A}${B}', '$${A}', '${A b}']) assert.equal(isOneReference(text), false, text);
});

test('any text with its `${` doubled comes back as it was', () => {
  const texts = fc.array(fc.constantFrom('$', '{', '}', '${', 'a', ':-', 'file:', ' '), { maxLength: 12 });
  fc.assert(
    fc.property(texts, (parts) => {
      const text = parts.join('');
      // A `$` before `${` would join with the doubling; YAML users write such text as `$$${` too, which is the same.
      const escaped = text.replaceAll('${', () => '$${');
      const { value, report } = resolve(escaped);
      assert.equal(value, text);
      assert.deepEqual(report.problems, []);
    }),
  );
});
