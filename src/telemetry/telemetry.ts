/** One place for all telling: events go in, log lines and metrics come out. */
import type { Clock } from '../base/clock.ts';
import type { Counts, RunFacts } from '../model/index.ts';
import { Describer } from './describe.ts';
import type { BatchAttempted, CollectorAnswered, Emit } from './events.ts';
import { createLogger, type LoggerOptions } from './logger.ts';
import { Metrics, type Snapshot } from './metrics.ts';

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

/** The observer that `syncs/` asks for, told as events. */
export interface SyncTeller {
  attempted(
    destination: string,
    topic: string,
    messages: number,
    outcome: BatchAttempted['outcome'],
    reason: string | null,
    tookMs: number,
  ): void;
  settled(sync: string, counts: Counts): void;
  eventsSettled(events: number): void;
  held(sync: string, reason: string | null, remedy: string | null): void;
  runStarted(run: RunFacts): void;
  runEnded(run: RunFacts): void;
  warned(message: string): void;
}

export function createTelemetry(options: LoggerOptions & { version: string; clock: Clock }): Telemetry {
  const logger = createLogger(options);
  const describer = new Describer(options.clock);
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

/** For commands that do the work themselves: warnings on standard error, no metrics. */
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

function syncTeller(emit: Emit): SyncTeller {
  return {
    attempted: (destination, topic, messages, outcome, reason, tookMs) =>
      emit({ kind: 'batch_attempted', destination, topic, messages, outcome, reason, tookMs }),
    settled: (sync, counts) => emit({ kind: 'rows_settled', sync, counts }),
    eventsSettled: (events) => emit({ kind: 'events_settled', events }),
    held: (sync, reason, remedy) => emit({ kind: 'held', sync, reason, remedy }),
    runStarted: (run) => emit({ kind: 'run_started', run }),
    runEnded: (run) => emit({ kind: 'run_ended', run }),
    warned: (message) => emit({ kind: 'warned', message }),
  };
}
