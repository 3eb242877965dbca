/** Why a trigger holds a record back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileReason } from './condition.ts';

test('the clauses that decided are named, with what they found', () => {
  const reason = compileReason('type = "track" and (event != "Heartbeat" or properties.total > 10)');
  assert.equal(
    reason({ type: 'track', event: 'Heartbeat' }),
    'event != "Heartbeat" (event is "Heartbeat"); properties.total > 10 (properties.total is not there)',
  );
  assert.equal(reason({ type: 'page', event: 'x' }), 'type = "track" (type is "page")');
  const long = compileReason('!contains(event, "x")')({ event: 'x'.repeat(1000) });
  assert.ok(long.startsWith('contains(event, "x") (event is "xxx') && long.length < 200, long);
});
