/** What running syncs need from outside: the store fulfils it. */
import type {
  Counts,
  DeadLetter,
  DeadLetterGroup,
  ErrorCode,
  JsonValue,
  LetterPosition,
  RunFacts,
  RunState,
  StoredDeadLetter,
} from '../model/index.ts';

export interface RunStore {
  create(run: Pick<RunFacts, 'id' | 'sync' | 'cause' | 'startedAt'>): Promise<RunFacts>;
  resume(id: string): Promise<RunFacts>;
  get(id: string): Promise<RunFacts | null>;
  latest(sync: string): Promise<RunFacts | null>;
  list(filter?: { sync?: string; limit?: number }): Promise<RunFacts[]>;
  /** Forgets the checkpoints of a sync's ended runs: none of them is taken up again. */
  forget(sync: string): Promise<void>;
  /** Checkpoint and counts in one step, durable when it resolves. */
  saveCheckpoint(id: string, checkpoint: JsonValue, counts: Counts): Promise<void>;
  finish(
    id: string,
    end: { state: Exclude<RunState, 'running'>; counts: Counts; error: RunFacts['error']; checkpoint?: JsonValue },
  ): Promise<RunFacts>;
}

/** Where rejections are kept. */
export interface DeadLetterSink {
  /** Resolves when all are durable. */
  add(letters: readonly DeadLetter[]): Promise<void>;
}

export interface DeadLetterStore extends DeadLetterSink {
  list(filter: { sync?: string; limit?: number }): Promise<StoredDeadLetter[]>;
  count(filter?: { sync?: string }): Promise<DeadLetterGroup[]>;
  /** Oldest first, those after an id. */
  page(sync: string, after: number, limit: number): Promise<StoredDeadLetter[]>;
  remove(ids: readonly number[]): Promise<void>;
  rejectedAgain(id: number, why: Pick<DeadLetter, 'code' | 'reason' | 'field'>): Promise<void>;
  /** How many they were. */
  clear(sync: string, code?: ErrorCode): Promise<number>;
  /** Up to where those in a topic were sent again. */
  positions(key: LetterPlace): Promise<LetterPosition[]>;
  /** Durable when it resolves. */
  savePositions(key: LetterPlace, positions: readonly LetterPosition[]): Promise<void>;
}

/** The dead letters of one sync in the topic of one destination. */
export interface LetterPlace {
  readonly destination: string;
  readonly topic: string;
  readonly sync: string;
}

/** What running syncs tell about themselves; telemetry makes log lines and metrics of it. */
export interface SyncObserver {
  /** One attempt to send one partition's batch ended. */
  attempted(
    destination: string,
    topic: string,
    messages: number,
    outcome: 'written' | 'retry' | 'held' | 'rejected',
    reason: string | null,
    tookMs: number,
  ): void;
  /** All records of one batch of a run have their outcome. */
  settled(sync: string, counts: Counts): void;
  /** All events of one request have their outcome; the counts per sync stand in the status. */
  eventsSettled(events: number): void;
  /** Messages of a sync cannot go on, or go on again. */
  held(sync: string, reason: string | null, remedy: string | null): void;
  runStarted(run: RunFacts): void;
  runEnded(run: RunFacts): void;
  /** Something unexpected; nothing was lost. */
  warned(message: string): void;
}
