/** docs/reference/triggers.md tells the truth: its examples run, and its table of differences is the linter's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../../src/base/json.ts';
import { compileTrigger, lintTrigger, parseTrigger } from '../../src/mapping/triggers/index.ts';
import { segmentRules } from '../../src/mapping/triggers/segment-rules.ts';
import type { JsonValue } from '../../src/model/index.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/triggers.md'), 'utf8');

test('every example answers as the page says', () => {
  const json = /```json\n([\s\S]*?)```/.exec(page);
  const record = parseJson(json![1]!) as JsonValue;
  const rows = [...page.matchAll(/^\| `(.+)` +\| (true|false) +\|$/gm)];
  assert.ok(rows.length >= 70, `${rows.length} examples`);
  for (const [, trigger, passes] of rows) {
    const parsed = parseTrigger(trigger!);
    assert.ok(parsed.ok, parsed.ok ? '' : `${trigger}: ${parsed.error.message}`);
    assert.equal(String(compileTrigger(parsed.trigger)(record)), passes, trigger);
  }
});

test('the table of differences has every rule of the linter with an example that it finds', () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| `(.+?)` +\| (.+?) +\| (.+?) +\|$/gm)];
  const told = Object.fromEntries(rows.map(([, rule, , segment, ours]) => [rule, { segment, ours }]));
  assert.deepEqual(told, segmentRules);
  for (const [, rule, trigger] of rows) {
    const rules = lintTrigger(trigger!).map((lint) => lint.rule as string);
    assert.ok(rules.includes(rule!), `${trigger}: ${rules.join(', ')}`);
  }
});
