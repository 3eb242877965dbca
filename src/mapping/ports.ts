/** What mapping is given and gives: pure, so everything that varies comes in here. */
import type { Message, MessageConfig, Rejection, SourceRecord } from '../model/index.ts';

/** Everything a mapping may use that is not in the record; the same for all records of a run. */
export interface MappingContext {
  readonly sync: string;
  readonly source: string;
  /** ISO 8601 UTC with milliseconds. For an event sync the event's own receipt time is used instead. */
  readonly syncedAt: string;
  readonly syncedAtMs: number;
  /** The run's id; null for events. */
  readonly run: string | null;
}

export interface MappingInput {
  readonly message: MessageConfig;
  /** Rows take `synced_at` and added fields; events take `receivedAt`. */
  readonly kind: 'rows' | 'events';
  /** The destination's default topic mapping, used when the message names none. */
  readonly defaultTopic: unknown;
  /** The sync key's columns: the message's key when it names none (several: a JSON list). */
  readonly syncKey?: readonly string[];
}

export interface CompiledMapping {
  /** One record to one message, or the reason why not. Never throws, never changes the record. */
  map(record: SourceRecord, context: MappingContext): Message | Rejection;
  /** The topic when it does not depend on the record (`park` instead of `reject` when it is missing). */
  readonly literalTopic: string | null;
  /** Things allowed but probably not meant, for preview and apply. */
  readonly lints: readonly string[];
}
