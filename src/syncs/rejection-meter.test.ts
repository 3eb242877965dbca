/** How many rejections stop a sync. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { RejectionMeter, WINDOW_MS } from './rejection-meter.ts';

const tripped = (meter: RejectionMeter, limit: Parameters<RejectionMeter['rejected']>[0]): boolean =>
  meter.rejected(limit) !== null;

test('a percentage is judged once enough were read, and only what is above it is too much', () => {
  const meter = new RejectionMeter(systemClock);
  const limit = { percent: 10, atLeast: 20 };
  meter.read(19);
  for (let i = 0; i < 15; i++) assert.equal(tripped(meter, limit), false);
  meter.read(141);
  assert.equal(tripped(meter, limit), false, '16 of 160 are just ten of a hundred');
  const error = meter.rejected(limit);
  assert.equal(error?.code, 'too_many_rejected');
  assert.match(error!.message, /^17 of 160 records were rejected, and `max_rejected` is 10%$/);
});

test('a number is judged at once; without a limit nothing is too much', () => {
  const meter = new RejectionMeter(systemClock);
  meter.read(3);
  assert.deepEqual(
    [tripped(meter, { records: 2 }), tripped(meter, { records: 2 }), tripped(meter, { records: 2 })],
    [false, false, true],
  );
  assert.equal(tripped(meter, null), false);
  assert.equal(tripped(new RejectionMeter(systemClock), { records: 0 }), true);
});

test('the counts begin anew with each window', () => {
  let nowMs = 0;
  const meter = new RejectionMeter({ ...systemClock, monotonic: () => nowMs }, WINDOW_MS);
  meter.read(1);
  assert.equal(tripped(meter, { records: 1 }), false);
  nowMs = WINDOW_MS;
  meter.read(1);
  assert.equal(tripped(meter, { records: 1 }), false);
  meter.read(1);
  assert.equal(tripped(meter, { records: 1 }), true);
});
