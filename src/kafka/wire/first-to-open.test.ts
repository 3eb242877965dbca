/** Brokers dialled beside one another: a silent one costs half a second, and none is left open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldClock } from '../../../test/support/held-clock.ts';
import { firstToOpen } from './first-to-open.ts';

interface Played {
  readonly address: string;
  isClosed: boolean;
  close(): Promise<void>;
}

function played(): {
  open: (address: string) => Promise<Played>;
  dialled: string[];
  answer: (address: string) => Promise<Played>;
  fail: (address: string) => Promise<void>;
} {
  const dialled: string[] = [];
  const open = new Map<string, PromiseWithResolvers<Played>>();
  return {
    dialled,
    open(address) {
      dialled.push(address);
      const dial = Promise.withResolvers<Played>();
      open.set(address, dial);
      return dial.promise;
    },
    async answer(address) {
      const one: Played = { address, isClosed: false, close: async () => void (one.isClosed = true) };
      open.get(address)!.resolve(one);
      await turn();
      return one;
    },
    async fail(address) {
      open.get(address)!.reject(new Error(`${address} failed`));
      await turn();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the next one is dialled when one says nothing for a while, and the first to answer is taken', async () => {
  const clock = heldClock();
  const { open, dialled, answer } = played();
  const taken = firstToOpen(['a', 'b', 'c'], open, clock);
  clock.to(499);
  assert.deepEqual(dialled, ['a']);
  clock.to(500);
  assert.deepEqual(dialled, ['a', 'b']);
  const b = await answer('b');
  assert.equal(await taken, b);
  clock.to(10_000);
  assert.deepEqual(dialled, ['a', 'b'], 'no more are dialled');
  const a = await answer('a');
  assert.deepEqual([a.isClosed, b.isClosed], [true, false], 'what comes late is closed');
});

test('one that fails is followed at once; all errors are told when all have failed', async () => {
  const clock = heldClock();
  const { open, dialled, fail } = played();
  const taken = firstToOpen(['a', 'b', 'c'], open, clock);
  taken.catch(() => {});
  await fail('a');
  assert.deepEqual(dialled, ['a', 'b']);
  clock.to(500);
  assert.deepEqual(dialled, ['a', 'b', 'c']);
  await fail('c');
  await fail('b');
  await assert.rejects(taken, (error: AggregateError) => {
    assert.deepEqual(
      error.errors.map(({ message }: Error) => message),
      ['a failed', 'c failed', 'b failed'],
    );
    return true;
  });
});

test('the error of a single address is thrown as it is', async () => {
  const { open, fail } = played();
  const taken = firstToOpen(['a'], open, heldClock());
  taken.catch(() => {});
  await fail('a');
  await assert.rejects(taken, /^Error: a failed$/);
});
