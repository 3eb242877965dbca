/** Which event becomes which log line. Pure apart from what it remembers, to say a thing once and not a thousand times. */
import type { Clock } from '../base/clock.ts';
import type { RunFacts } from '../model/index.ts';
import type { BatchAttempted, CollectorAnswered, TelemetryEvent } from './events.ts';

/** warn: unexpected, nothing lost. error: something is lost, or a person must act. */
export type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogLine {
  readonly level: Level;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A trouble that lasts is told again after this. */
const REPEAT_AFTER_MS = 30_000;
/** One that is over sooner (a leader moves, a broker has just started) is none. */
const TROUBLE_AFTER_MS = 1_000;

export class Describer {
  readonly #clock: Clock;
  /** When each lasting trouble was told last. */
  readonly #told = new Map<string, number>();
  /** Since when each destination takes nothing. */
  readonly #since = new Map<string, number>();

  readonly #debug: boolean;

  /** `debug`: also what happens for every request. */
  constructor(clock: Clock, debug = false) {
    this.#clock = clock;
    this.#debug = debug;
  }

  /** Null: not worth a line (now). */
  describe(event: TelemetryEvent): LogLine | null {
    switch (event.kind) {
      case 'started': {
        const { address, version, dataFolder } = event;
        return line('info', `Headrace ${version} listens on ${address}`, { address, version, dataFolder });
      }
      case 'configured': {
        const { destinations, sources, syncs } = event;
        return line('info', `Configured: ${syncs} syncs, ${sources} sources, ${destinations} destinations`, {
          destinations,
          sources,
          syncs,
        });
      }
      case 'draining':
        return line('info', `Stopping on ${event.signal}: taking nothing new, delivering what was taken`, {
          signal: event.signal,
          pendingMessages: event.pendingMessages,
        });
      case 'stopped':
        return stopped(event.leftMessages, event.tookMs);
      case 'crashed':
        return line('fatal', `A fault of Headrace itself: ${event.error.message}`, { stack: event.error.stack });
      case 'request_failed':
        return line('error', `${event.method} ${event.path} failed: ${event.error.message}`, {
          method: event.method,
          path: event.path,
          stack: event.error.stack,
        });
      case 'collector_answered':
        return this.#collector(event);
      case 'batch_attempted':
        return this.#attempt(event);
      case 'rows_settled':
      case 'events_settled':
        return null;
      case 'held':
        return held(event.sync, event.reason, event.remedy);
      case 'run_started':
        return runStarted(event.run);
      case 'run_ended':
        return runEnded(event.run);
      case 'left_out':
        return line('error', `Left out until it is mended: ${event.problem}`, {});
      case 'warned':
        return line('warn', event.message, {});
    }
  }

  #collector(event: CollectorAnswered): LogLine | null {
    const { source, status, code, accepted, rejected, durationMs } = event;
    if (status < 400 && !this.#debug) return null;
    const fields = { source, status, code, accepted, rejected, tookMs: Math.round(durationMs) };
    if (status < 400) return line('debug', `Events taken from ${source}`, fields);
    if (!this.#mayTell(`collector ${source} ${status} ${code}`)) return null;
    const who = source === null ? 'A request without a known write key' : `A request of source ${source}`;
    // The sender was told, and sends again or has to mend it: nothing of what was accepted is lost.
    return line(status === 500 ? 'error' : 'warn', `${who} was answered ${status} (${code})`, fields);
  }

  #attempt(event: BatchAttempted): LogLine | null {
    const { destination, topic, messages, outcome, reason, tookMs } = event;
    const fields = { destination, topic, messages, outcome, reason, tookMs: Math.round(tookMs) };
    const trouble = `attempt ${destination}`;
    if (outcome === 'written') {
      this.#since.delete(destination);
      if (!this.#told.delete(trouble)) return null;
      return line('info', `Destination ${destination} takes messages again`, { destination });
    }
    if (outcome === 'rejected') {
      if (!this.#mayTell(`rejected ${destination} ${topic}`)) return null;
      return line('warn', `Destination ${destination} rejects messages for topic ${topic}: ${reason}`, fields);
    }
    const now = this.#clock.monotonic();
    const since = this.#since.get(destination) ?? now;
    this.#since.set(destination, since);
    if (now - since < TROUBLE_AFTER_MS || !this.#mayTell(trouble)) return null;
    return line('warn', `Destination ${destination} does not take messages for now: ${reason}`, fields);
  }

  #mayTell(trouble: string): boolean {
    const now = this.#clock.monotonic();
    const before = this.#told.get(trouble);
    if (before !== undefined && now - before < REPEAT_AFTER_MS) return false;
    // Bounded: names of topics and codes come from outside.
    if (this.#told.size >= 1000) this.#told.clear();
    this.#told.set(trouble, now);
    return true;
  }
}

function line(level: Level, message: string, fields: LogLine['fields']): LogLine {
  return { level, message, fields };
}

function stopped(leftMessages: number, tookMs: number): LogLine {
  const fields = { leftMessages, tookMs: Math.round(tookMs) };
  if (leftMessages === 0) return line('info', 'Stopped: nothing was left without an answer', fields);
  // None of them was answered with success; a run goes on from its last checkpoint.
  return line(
    'warn',
    `Stopped with ${leftMessages} messages that had no answer; their senders send them again`,
    fields,
  );
}

function held(sync: string, reason: string | null, remedy: string | null): LogLine {
  if (reason === null) return line('info', `Sync ${sync} goes on`, { sync });
  return line('warn', `Sync ${sync} waits: ${reason}`, { sync, reason, ...(remedy ? { remedy } : {}) });
}

function runStarted({ id, sync, cause, resumed }: RunFacts): LogLine {
  const what = resumed > 0 ? 'goes on with its run' : 'begins a run';
  return line('info', `Sync ${sync} ${what}`, { sync, run: id, cause, resumed });
}

function runEnded(run: RunFacts): LogLine {
  const { id, sync, state, counts, error } = run;
  const fields = { sync, run: id, state, ...counts, ...(error === null ? {} : { code: error.code }) };
  const numbers = `${counts.delivered} delivered, ${counts.rejected} rejected of ${counts.read} read`;
  if (state === 'succeeded') {
    const level = counts.rejected > 0 ? 'warn' : 'info';
    return line(level, `Sync ${sync} ended its run: ${numbers}`, fields);
  }
  const why = error === null ? '' : ` (${error.message})`;
  const level = state === 'failed' || state === 'stopped_by_guard' ? 'error' : 'info';
  return line(level, `Run of sync ${sync} is ${state.replaceAll('_', ' ')}${why}: ${numbers}`, fields);
}
