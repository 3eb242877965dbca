/** `synced_at`: the run's start, for an event its receipt. */
import { isoTime } from '../base/clock.ts';
import type { SourceRecord } from '../model/index.ts';
import type { MappingContext } from './ports.ts';

/** ISO 8601 UTC with milliseconds. */
export function syncedAtOf(record: SourceRecord, context: MappingContext): string {
  return record.receivedAtMs === null ? context.syncedAt : isoTime(record.receivedAtMs);
}
