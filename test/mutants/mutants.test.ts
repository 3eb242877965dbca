/** Each planted bug still fits the code it is to be planted in; `npm run mutants` plants them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

test('every planted bug fits the code exactly once and names a test that exists', () => {
  const runner = new URL('../../scripts/mutants.mjs', import.meta.url).pathname;
  execFileSync(process.execPath, [runner, '--check'], { stdio: 'pipe', encoding: 'utf8' });
  const planted = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json'));
  assert.ok(planted.length >= 12);
});
