/** What `syncs/` and delivery tell, made into events. */
import type { Counts, RunFacts } from '../model/index.ts';
import type { BatchAttempted, Emit } from './events.ts';

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

export function syncTeller(emit: Emit): SyncTeller {
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
