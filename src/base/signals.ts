/** How a long-running program ends: by a signal in order, by a fault at once. */

/** Resolves with the first SIGINT or SIGTERM; the second ends the process at once. */
export function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signalled = false;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (signalled) process.exit(1);
        signalled = true;
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
