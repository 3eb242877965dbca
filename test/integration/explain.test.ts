/** `headrace explain`: which clause decided, what Segment would do otherwise, and where a trigger does not parse. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { headrace } from '../support/headrace.ts';

test('explain shows the deciding clause, the lints, and the place of an error', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-explain-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const record = join(folder, 'event.json');
  writeFileSync(record, '{"type":"track","event":"Order Completed","properties":{"id":9007199254740993}}');
  const explain = (...args: string[]): ReturnType<typeof headrace> =>
    headrace(['explain', ...args, '--record', record]);

  const trigger = `type = "track" and !(event = 'Order Completed')`;
  const told = await explain(trigger);
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /^The record does not pass\.\n/);
  assert.match(told.stdout, /event is "Order Completed".*<- decided/);
  assert.match(told.stdout, /line 1, column 20: Segment drops the `!`/);
  assert.match(told.stdout, /line 1, column 30: Segment keeps the single quotes as part of the text/);

  const asJson = await explain(trigger, '--json');
  const { passed, lints } = JSON.parse(asJson.stdout) as { passed: boolean; lints: { rule: string; column: number }[] };
  assert.equal(passed, false);
  assert.deepEqual(lints.map(({ rule, column }) => `${rule} ${column}`).sort(), [
    'negation_dropped 20',
    'single_quotes 30',
  ]);

  const clean = await explain('properties.id = 9007199254740993 and type = "track"', '--json');
  assert.match(clean.stdout, /"value":9007199254740993/);
  assert.match(clean.stdout, /"passed":true/);

  const broken = await explain('type = "track"\nand event == "X"');
  assert.equal(broken.code, 1);
  assert.equal(broken.stdout, '');
  assert.match(broken.stderr, /at line 2, column 11: expected an operator, found `==`: equality is written `=`/);
  assert.match(broken.stderr, /and event == "X"\n.* {12}\^/);
});
