/** How a long-running program ends: by a signal in order, by a fault at once. */
import { systemClock } from './clock.ts';

/**
 * A signal may arrive more than once for one Ctrl-C: the terminal sends it to the whole foreground group, and npm and the
 * start script hand theirs on. Only one that comes later than this is a second wish.
 */
const ONE_WISH_MS = 1_000;

/** Resolves with the first SIGINT or SIGTERM; a second one, a moment later, ends the process at once. */
export function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAtMs: number | null = null;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        const nowMs = systemClock.monotonic();
        if (firstAtMs !== null && nowMs - firstAtMs > ONE_WISH_MS) process.exit(1);
        firstAtMs ??= nowMs;
        resolve(signal);
      });
    }
  });
}

/** Crash-only: after a fault that nobody foresaw nothing in memory is to be trusted; what was answered is safe already. */
export function endOnCrash(tell: (error: Error) => void): void {
  process.on('uncaughtException', (error) => {
    tell(error);
    process.exit(1);
  });
}
