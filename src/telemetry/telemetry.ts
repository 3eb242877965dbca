/** One place for all telling: events go in, log lines and metrics come out. */
import type { Clock } from '../base/clock.ts';
import { Describer } from './describe.ts';
import type { CollectorAnswered, Emit } from './events.ts';
import { createLogger, type LoggerOptions } from './logger.ts';
import { Metrics, type Snapshot } from './metrics.ts';
import { syncTeller, type SyncTeller } from './sync-teller.ts';

export interface Telemetry {
  readonly emit: Emit;
  /** As `syncs/` and delivery tell it. */
  readonly syncObserver: SyncTeller;
  /** As the collector tells it. */
  readonly collectorObserver: { answered(answer: Omit<CollectorAnswered, 'kind'>): void };
  metricsText(snapshot: Snapshot): Promise<{ contentType: string; body: string }>;
  /** Everything told so far is written out. */
  flush(): void;
}

export function createTelemetry(options: LoggerOptions & { version: string; clock: Clock }): Telemetry {
  const logger = createLogger(options);
  const describer = new Describer(options.clock, options.level === 'debug' || options.level === 'trace');
  const metrics = new Metrics(options.version, options.clock);
  const emit: Emit = (event) => {
    metrics.count(event);
    const line = describer.describe(event);
    if (line !== null) logger.write(line);
  };
  return {
    emit,
    syncObserver: syncTeller(emit),
    collectorObserver: { answered: (answer) => emit({ kind: 'collector_answered', ...answer }) },
    metricsText: (snapshot) => metrics.text(snapshot),
    flush: () => logger.flush(),
  };
}
