/** The tests are tested: every planted bug turns the test it names red (G24). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('every planted bug is caught', async (t) => {
  const runner = fileURLToPath(new URL('../../scripts/mutants.mjs', import.meta.url));
  const child = spawn(process.execPath, [runner], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    for (const line of text.trimEnd().split('\n')) t.diagnostic(line);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, output);
});
