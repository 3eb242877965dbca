/** The one final answer for a record (Promise 4). */
import type { ErrorCode } from './errors.ts';

export type Outcome =
  | { readonly state: 'delivered' }
  | { readonly state: 'filtered'; readonly reason?: string }
  | {
      readonly state: 'rejected';
      readonly code: ErrorCode;
      readonly reason: string;
      readonly field?: string;
      /** Where it was tried. */ readonly partition?: number;
      /** How often it was sent. */ readonly attempts?: number;
    }
  /**
   * Taken back before any send of it was under way: it is not in Kafka and never will be through this hand-over.
   * `unanswered`: its destination closed before the answer to its send came, so that it may be there.
   */
  | { readonly state: 'withdrawn'; readonly unanswered?: true };

export type Rejection = Extract<Outcome, { state: 'rejected' }>;

/** Shared instances: the hot path allocates no outcome. */
export const DELIVERED: Outcome = Object.freeze({ state: 'delivered' });
export const FILTERED: Outcome = Object.freeze({ state: 'filtered' });
export const WITHDRAWN: Outcome = Object.freeze({ state: 'withdrawn' });
export const UNANSWERED: Outcome = Object.freeze({ state: 'withdrawn', unanswered: true });

/** Why a message cannot go on for now, though nothing is wrong with the message itself. */
export interface Held {
  /**
   * `wait`: passes by itself; `park`: this sync's messages for this topic wait for a person; `stop`: the destination
   * refuses the sync altogether.
   */
  readonly action: 'wait' | 'park' | 'stop';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly remedy: string;
  readonly topic: string | null;
}

/** Counts of a run or of an event sync since start; they reconcile as Promise 4 says. */
export interface Counts {
  read: number;
  delivered: number;
  rejected: number;
  filtered: number;
  unchanged: number;
  ignored: number;
  departed: number;
  /** Of the delivered: sent though a column that is mandatory had no value. Absent or 0: the run is not marked. */
  flawed?: number;
}

export function emptyCounts(): Counts {
  return { read: 0, delivered: 0, rejected: 0, filtered: 0, unchanged: 0, ignored: 0, departed: 0 };
}
