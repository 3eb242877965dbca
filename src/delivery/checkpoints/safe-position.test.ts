/** What "safe" means, under random interleavings (Promise 2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SafePosition } from './safe-position.ts';

test('a batch is safe exactly when every record of it and of all earlier batches has its outcome', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }),
      fc.infiniteStream(fc.nat()),
      (sizes, order) => {
        const safe = new SafePosition<number>();
        const open = sizes.map((size, batch) => ({ batch, left: size, settle: safe.add(batch, size) }));
        const pool = open.flatMap((one) => Array.from({ length: one.left }, () => one));
        const told: number[] = [];
        while (pool.length > 0) {
          const [one] = pool.splice(order.next().value % pool.length, 1);
          one!.left--;
          told.push(...one!.settle());
          const firstOpen = open.findIndex((batch) => batch.left > 0);
          assert.deepEqual(
            told,
            open.slice(0, firstOpen === -1 ? open.length : firstOpen).map((batch) => batch.batch),
          );
        }
        assert.equal(safe.open, 0);
      },
    ),
  );
});

test('a second outcome for a record is refused', () => {
  const safe = new SafePosition<number>();
  const settle = safe.add(0, 1);
  settle();
  assert.throws(settle, /second outcome/);
});
