/** What the program tells about itself: typed events, of which log lines and metrics are made here and nowhere else. */
import type { Counts, ErrorCode, RunFacts } from '../model/index.ts';

export type TelemetryEvent =
  | { readonly kind: 'started'; readonly address: string; readonly version: string; readonly dataFolder: string }
  | { readonly kind: 'configured'; readonly destinations: number; readonly sources: number; readonly syncs: number }
  | { readonly kind: 'draining'; readonly signal: string; readonly pendingMessages: number }
  | { readonly kind: 'stopped'; readonly tookMs: number; readonly leftMessages: number }
  | { readonly kind: 'crashed'; readonly error: Error }
  | { readonly kind: 'request_failed'; readonly method: string; readonly path: string; readonly error: Error }
  | CollectorAnswered
  | BatchAttempted
  /** All records of one batch of a run have their outcome. */
  | { readonly kind: 'rows_settled'; readonly sync: string; readonly counts: Counts }
  | { readonly kind: 'events_settled'; readonly events: number }
  /** Messages of a sync cannot go on (`reason`), or go on again (null). */
  | { readonly kind: 'held'; readonly sync: string; readonly reason: string | null; readonly remedy: string | null }
  | { readonly kind: 'run_started'; readonly run: RunFacts }
  | { readonly kind: 'run_ended'; readonly run: RunFacts }
  /** A stored object cannot be used: everything else goes on without it. */
  | { readonly kind: 'left_out'; readonly problem: string }
  /** Unexpected; nothing was lost. */
  | { readonly kind: 'warned'; readonly message: string };

/** The collector answered a request. */
export interface CollectorAnswered {
  readonly kind: 'collector_answered';
  readonly source: string | null;
  readonly status: number;
  readonly code: ErrorCode | null;
  readonly accepted: number;
  readonly rejected: number;
  readonly durationMs: number;
}

/** One attempt to send one partition's batch ended. */
export interface BatchAttempted {
  readonly kind: 'batch_attempted';
  readonly destination: string;
  readonly topic: string;
  readonly messages: number;
  readonly outcome: 'written' | 'retry' | 'held' | 'rejected';
  readonly reason: string | null;
  readonly tookMs: number;
}

/** Takes an event; never throws. */
export type Emit = (event: TelemetryEvent) => void;
