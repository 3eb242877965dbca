/** Waits for a condition, never for a time. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the first value of `condition` that is neither false, null nor undefined; asks every `everyMs`.
 * Rejects with `what` and the last error of `condition` after `deadlineMs`.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: { deadlineMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { deadlineMs = 30_000, everyMs = 20 } = options;
  const end = performance.now() + deadlineMs;
  for (let cause: unknown; ;) {
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined)
        return value as Exclude<T, false | null | undefined>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause });
    await sleep(everyMs);
  }
}
