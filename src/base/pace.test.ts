/** Turns come one after the other, in their order, and not more often than they may. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { Pace } from './pace.ts';

/** Time that passes when it is told to. */
class Time {
  nowMs = 5_000;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  get clock(): Clock {
    return {
      now: () => this.nowMs,
      monotonic: () => this.nowMs,
      sleep: (ms) => new Promise((wake) => this.#sleepers.push({ atMs: this.nowMs + ms, wake })),
      after: () => () => undefined,
    };
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const { atMs, wake } of this.#sleepers) if (atMs <= this.nowMs) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('the first at once, the others a second apart in their order, those beyond the line not at all', async () => {
  const time = new Time();
  const pace = new Pace(time.clock, 1_000, 3);
  const done: string[] = [];
  const ask = (name: string): void => void pace.turn().then((may) => done.push(may ? name : `not ${name}`));
  for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name);
  await time.pass(0);
  assert.deepEqual(done, ['a', 'not e']);
  await time.pass(999);
  assert.deepEqual(done, ['a', 'not e']);
  await time.pass(1);
  assert.deepEqual(done, ['a', 'not e', 'b']);
  ask('f');
  await time.pass(1_000);
  await time.pass(1_000);
  await time.pass(1_000);
  assert.deepEqual(done, ['a', 'not e', 'b', 'c', 'd', 'f']);
  await time.pass(10_000);
  ask('g');
  await time.pass(0);
  assert.equal(done.at(-1), 'g', 'at once after a rest');
});
