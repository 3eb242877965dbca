/** The corpus of triggers: one named case a file, valid ones with records, invalid ones with the place of the error. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { compileTrigger, formatTrigger, parseTrigger } from '../../src/mapping/triggers/index.ts';
import type { JsonValue } from '../../src/model/index.ts';

interface ValidCase {
  readonly trigger: string;
  /** Its plainest form. */
  readonly prints: string;
  readonly passes: readonly JsonValue[];
  readonly fails: readonly JsonValue[];
}

interface InvalidCase {
  readonly trigger: string;
  readonly error: {
    readonly line: number;
    readonly column: number;
    readonly offset: number;
    readonly expected: string;
  };
}

const folder = join(import.meta.dirname, '../fixtures/triggers');

test('every valid trigger of the corpus passes and refuses the records it names', () => {
  const cases = casesOf<ValidCase>('valid');
  assert.ok(cases.length >= 60);
  for (const [name, { trigger, prints, passes, fails }] of cases) {
    const parsed = parseTrigger(trigger);
    assert.ok(parsed.ok, parsed.ok ? '' : `${name}: ${parsed.error.message}`);
    assert.equal(formatTrigger(parsed.trigger), prints, name);
    const condition = compileTrigger(parsed.trigger);
    for (const record of passes) assert.equal(condition(record), true, `${name}: ${JSON.stringify(record)}`);
    for (const record of fails) assert.equal(condition(record), false, `${name}: ${JSON.stringify(record)}`);
  }
});

test('every invalid trigger of the corpus is refused at its place', () => {
  const cases = casesOf<InvalidCase>('invalid');
  assert.ok(cases.length >= 60);
  for (const [name, { trigger, error }] of cases) {
    const parsed = parseTrigger(trigger);
    assert.ok(!parsed.ok, name);
    const { line, column, offset, expected } = parsed.error;
    assert.deepEqual({ line, column, offset, expected }, error, name);
  }
});

function casesOf<Case>(kind: string): [string, Case][] {
  const names = readdirSync(join(folder, kind)).filter((name) => name.endsWith('.yaml'));
  return names.map((name) => [name, parse(readFileSync(join(folder, kind, name), 'utf8')) as Case]);
}
