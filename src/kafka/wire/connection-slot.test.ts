/** A shared connection is replaced before its login ends, and the old one serves until the new one is there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../base/clock.ts';
import { ConnectionSlot, type SharedConnection } from './connection-slot.ts';

class ManualClock implements Clock {
  nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];
  now = (): number => this.nowMs;
  monotonic = (): number => this.nowMs;
  sleep = (): Promise<void> => Promise.resolve();
  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, callback };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((one) => one !== timer));
  }
  async to(ms: number): Promise<void> {
    this.nowMs = ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= ms);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > ms);
    for (const { callback } of due) callback();
    await settled();
  }
}

class FakeConnection implements SharedConnection {
  usable = true;
  readonly sessionLifetimeMs: number | null;
  unanswered: (() => void) | null = null;
  constructor(sessionLifetimeMs: number | null) {
    this.sessionLifetimeMs = sessionLifetimeMs;
  }
  begin(): void {
    this.#idle = new Promise((resolve) => (this.unanswered = resolve));
  }
  #idle: Promise<void> = Promise.resolve();
  whenIdle(): Promise<void> {
    return this.#idle;
  }
  close(): Promise<void> {
    this.usable = false;
    return Promise.resolve();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function slotOf(lifetimeMs: number | null): {
  clock: ManualClock;
  slot: ConnectionSlot<FakeConnection>;
  get: () => Promise<FakeConnection>;
  dialled: FakeConnection[];
  hold: { until: Promise<void> | null };
} {
  const clock = new ManualClock();
  const slot = new ConnectionSlot<FakeConnection>(clock);
  const dialled: FakeConnection[] = [];
  const hold: { until: Promise<void> | null } = { until: null };
  const dial = async (): Promise<FakeConnection> => {
    await hold.until;
    const connection = new FakeConnection(lifetimeMs);
    dialled.push(connection);
    return connection;
  };
  return { clock, slot, get: () => slot.get(dial), dialled, hold };
}

test('one dial serves all who ask, for ever where a login has no end', async () => {
  const { get, dialled, clock } = slotOf(null);
  const all = await Promise.all([get(), get(), get()]);
  await clock.to(1e9);
  assert.equal(await get(), all[0]);
  assert.equal(dialled.length, 1);
});

test('after three quarters of its login another takes its place, and it serves until then', async () => {
  const { get, dialled, clock, hold } = slotOf(1000);
  const first = await get();
  await clock.to(740);
  assert.equal(await get(), first);
  let go = (): void => {};
  hold.until = new Promise((resolve) => (go = resolve));
  await clock.to(760);
  assert.deepEqual(await Promise.all([get(), get()]), [first, first]);
  go();
  await settled();
  const second = await get();
  assert.notEqual(second, first);
  assert.equal(dialled.length, 2);
});

test('the replaced one is closed when its login ends, and not before the last answer', async () => {
  const { get, clock } = slotOf(1000);
  const first = await get();
  first.begin();
  await clock.to(800);
  await get();
  await settled();
  assert.notEqual(await get(), first);
  await clock.to(960);
  assert.ok(first.usable);
  await clock.to(1000);
  assert.ok(first.usable, 'an answer is under way');
  first.unanswered!();
  await settled();
  assert.ok(!first.usable);
});

test('a replacement that fails is tried again, and a login that has ended is not used', async () => {
  const { get, dialled, clock, hold } = slotOf(1000);
  const first = await get();
  hold.until = Promise.reject(new Error('no token'));
  hold.until.catch(() => {});
  await clock.to(800);
  assert.equal(await get(), first);
  await settled();
  assert.equal(await get(), first, 'not again at once');
  await clock.to(990);
  await assert.rejects(get(), /no token/);
  hold.until = null;
  assert.notEqual(await get(), first);
  assert.equal(dialled.length, 2);
});

test('closing closes what was replaced too', async () => {
  const { get, slot, clock } = slotOf(1000);
  const first = await get();
  await clock.to(800);
  await get();
  await settled();
  const second = await get();
  await slot.close();
  assert.deepEqual([first.usable, second.usable], [false, false]);
});

test('a dial that fails fails for all who wait for it: none of them dials again by itself', async () => {
  const { slot, get, dialled } = slotOf(null);
  let dials = 0;
  let fail = (_error: Error): void => {};
  const silent = new Promise<never>((_, reject) => (fail = reject));
  const waiting = Array.from({ length: 5 }, () => slot.get(() => (dials++, silent)));
  await settled();
  fail(new Error('it said nothing'));
  for (const one of waiting) await assert.rejects(one, /said nothing/);
  assert.equal(dials, 1);
  await get();
  assert.equal(dialled.length, 1, 'who asks later dials anew');
});

test('after a dial that failed none is made for a moment, however many ask', async () => {
  const clock = new ManualClock();
  const slot = new ConnectionSlot<FakeConnection>(clock, 100);
  let dials = 0;
  const refused = (): Promise<never> => (dials++, Promise.reject(new Error(`refused ${dials}`)));
  await assert.rejects(slot.get(refused), /refused 1/);
  await clock.to(99);
  await assert.rejects(slot.get(refused), /refused 1/);
  await clock.to(100);
  await assert.rejects(slot.get(refused), /refused 2/);
});

test('one that is given up is dialled anew, and closed when what was asked on it is answered', async () => {
  const { get, slot, clock } = slotOf(null);
  const silent = await get();
  silent.begin();
  await slot.giveUp(silent);
  const other = await get();
  assert.notEqual(other, silent);
  await slot.giveUp(silent);
  assert.equal(await get(), other, 'a second who gives it up changes nothing');
  await clock.to(60_000);
  assert.ok(silent.usable, 'an answer may still come');
  silent.unanswered!();
  await settled();
  assert.deepEqual([silent.usable, other.usable], [false, true]);
});
