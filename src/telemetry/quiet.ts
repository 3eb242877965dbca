/** Telemetry of commands that do the work themselves: their troubles as lines, no metrics (which take long to load). */
import type { Clock } from '../base/clock.ts';
import { Describer } from './describe.ts';
import { createLogger, type LoggerOptions } from './logger.ts';
import { syncTeller, type SyncTeller } from './sync-teller.ts';

export function createQuietTelemetry(options: LoggerOptions & { clock: Clock }): { readonly syncObserver: SyncTeller } {
  const logger = createLogger(options);
  const describer = new Describer(options.clock);
  return {
    syncObserver: syncTeller((event) => {
      const line = describer.describe(event);
      // A command prints its result itself.
      if (line !== null && event.kind !== 'run_started' && event.kind !== 'run_ended') logger.write(line);
    }),
  };
}
