/** How long to wait before trying again. */

export interface Backoff {
  /** First wait. */
  readonly firstMs: number;
  /** No wait is longer. */
  readonly maxMs: number;
}

/** 50 ms doubling to at most 1 s: short enough that a broker that is back is found within a second (G6). */
export const deliveryBackoff: Backoff = { firstMs: 50, maxMs: 1000 };

/**
 * Between questions to a destination that refuses us: rare enough not to lock an account out, soon enough that a credential
 * that is rotated back, or a certificate that is renewed, counts without a restart.
 */
const REFUSED_MS = { least: 10_000, most: 15_000 } as const;

export function refusedMs(random: () => number = Math.random): number {
  return REFUSED_MS.least + (REFUSED_MS.most - REFUSED_MS.least) * random();
}

/** The wait before attempt `attempt` (1 is the first retry): doubled each time, half of it random. */
export function backoffMs(backoff: Backoff, attempt: number, random: () => number = Math.random): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random();
}
