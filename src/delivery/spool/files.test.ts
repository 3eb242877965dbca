/** What counts as a file of the spool: one that cannot be looked at may hold answered messages, so it is not passed by (Promise 1). */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemFiles } from './files.ts';

test('files are listed, what points nowhere or in a circle is not, and one that cannot be looked at is an error', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, '0000000001.seg'), 'abc');
  mkdirSync(join(folder, '0000000002.seg'));
  symlinkSync('nowhere', join(folder, 'broken'));
  symlinkSync('circle', join(folder, 'circle'));
  assert.deepEqual(await systemFiles.list(folder), [{ name: '0000000001.seg', bytes: 3 }]);
  assert.deepEqual(await systemFiles.list(join(folder, 'missing')), []);
  symlinkSync('x'.repeat(300), join(folder, '0000000003.seg'));
  await assert.rejects(systemFiles.list(folder), { code: 'ENAMETOOLONG' });
});
