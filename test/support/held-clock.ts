/** A clock that stands still until the test says what time it is. */
import type { Clock } from '../../src/base/clock.ts';

export interface HeldClock extends Clock {
  /** Calls back what is due until then, in order; later callbacks that become due meanwhile too. */
  to(ms: number): void;
  /** Callbacks and sleeps that are not due yet. */
  readonly pending: number;
}

export function heldClock(): HeldClock {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly callback: () => void }[] = [];
  const after = (ms: number, callback: () => void): (() => void) => {
    const timer = { atMs: nowMs + ms, callback };
    timers.push(timer);
    return () => (timers = timers.filter((one) => one !== timer));
  };
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    get pending() {
      return timers.length;
    },
    after,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        after(ms, resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
    to(ms) {
      for (;;) {
        const due = timers.filter(({ atMs }) => atMs <= ms).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers = timers.filter((one) => one !== due);
        nowMs = Math.max(nowMs, due.atMs);
        due.callback();
      }
      nowMs = ms;
    },
  };
}
