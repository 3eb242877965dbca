/** How long to wait before trying again. */

export interface Backoff {
  /** First wait. */
  readonly firstMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
}

/** 50 ms doubling to at most 1 s: short enough that a broker that is back is found within a second (G6). */
export const deliveryBackoff: Backoff = { firstMs: 50, maxMs: 1000 };

/** The wait before attempt `attempt` (1 is the first retry): doubled each time, half of it random. */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random();
}
