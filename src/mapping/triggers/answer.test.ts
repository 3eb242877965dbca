/** The answer that `headrace explain` prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadraceError } from '../../model/index.ts';
import { explainText } from './index.ts';

test('it has the explanation and what Segment would do otherwise', () => {
  const { passed, text, json } = explainText('type = "track" and !(event = "X")', { type: 'track', event: 'Y' });
  assert.equal(passed, true);
  assert.match(text, /^The record passes\./);
  assert.match(
    text,
    /line 1, column 20: Segment drops the `!`: Segment would treat this as `type = "track" and event = "X"`$/,
  );
  assert.equal(Object.keys(json)[0], 'passed');
  assert.deepEqual(json['decided'], ['type = "track"', '(event = "X")']);
  assert.match(JSON.stringify(json['lints']), /"rule":"negation_dropped"/);
});

test('a trigger that does not parse is an error with its place marked', () => {
  assert.throws(
    () => explainText('type = "track"\nand event ==\t"X"', {}),
    (error) => {
      assert.ok(error instanceof HeadraceError);
      assert.equal(error.code, 'config_invalid');
      assert.match(error.message, /at line 2, column 11: expected an operator, found `==`/);
      assert.ok(error.message.endsWith('\n  and event == "X"\n            ^'), error.message);
      return true;
    },
  );
  assert.throws(() => explainText(`${'a or '.repeat(500)}`, {}), /\n {2}.{60}\n {62}\^$/);
});
