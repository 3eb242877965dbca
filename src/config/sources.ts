/** The specs of sources, one for each type. */
import type { EventsSourceConfig, FilesSourceConfig } from '../model/index.ts';
import { optional, required, type Spec } from './spec.ts';
import { object, variants } from './spec-composites.ts';
import { choice, flag, integer, path, secret } from './spec-scalars.ts';

const MAX_BYTES = 100 * 1024 * 1024;
const enabled = optional(flag(), 'Whether records are taken from it.', true);

/** A source's checked fields but its name; `maxSyncs` bounds how many syncs may go from it to one destination. */
export type SourceBody = EventsSourceBody | FilesSourceBody;
export type EventsSourceBody = Omit<EventsSourceConfig, 'name'> & { readonly maxSyncs: number };
export type FilesSourceBody = Omit<FilesSourceConfig, 'name'>;

const events: Spec<SourceBody> = object(
  {
    type: required(choice(['events']), 'events'),
    enabled,
    write_key: required(secret(checkWriteKey), 'The secret by which senders name this source.'),
    max_event_bytes: optional(
      integer({ min: 1024, max: MAX_BYTES, unit: 'bytes' }),
      'Most bytes of one event.',
      32_768,
    ),
    max_batch_bytes: optional(
      integer({ min: 1024, max: MAX_BYTES, unit: 'bytes' }),
      'Most bytes of one batch.',
      512_000,
    ),
    max_batch_events: optional(integer({ min: 1, max: 1_000_000 }), 'Most events in one batch.', 2500),
    max_syncs: optional(integer({ min: 1, max: 10_000 }), 'Most syncs from this source to one destination.', 50),
  },
  {
    description: 'Events that are posted to the collector.',
    refine(values, at) {
      if (values.max_event_bytes > values.max_batch_bytes) {
        return at
          .child('max_event_bytes')
          .problem(
            `is ${values.max_event_bytes}, more than max_batch_bytes (${values.max_batch_bytes}).`,
            'Raise max_batch_bytes or lower max_event_bytes.',
          );
      }
      return {
        type: values.type,
        enabled: values.enabled,
        writeKey: values.write_key,
        maxEventBytes: values.max_event_bytes,
        maxBatchBytes: values.max_batch_bytes,
        maxBatchEvents: values.max_batch_events,
        maxSyncs: values.max_syncs,
      };
    },
  },
);

const files: Spec<SourceBody> = object(
  {
    type: required(choice(['files']), 'files'),
    enabled,
    path: required(path('path: exports/'), 'The folder; files named in `read` are relative to it.'),
  },
  { description: 'CSV, JSON, JSONL and Parquet files in a folder.' },
);

const DATABASE_INSTEAD = 'Export the table to CSV, JSON lines or Parquet and read it with `type: files`.';

export const source: Spec<SourceBody> = variants<SourceBody>(
  'type',
  { events, files },
  {
    description: 'A place that records come from.',
    notYet: { postgres: DATABASE_INSTEAD, mysql: DATABASE_INSTEAD, mariadb: DATABASE_INSTEAD },
  },
);

/** It is sent as the user name of Basic authentication, in headers and in addresses. */
function checkWriteKey(key: string): { reason: string; remedy: string } | null {
  if (/^[\x21-\x39\x3b-\x7e]+$/.test(key)) return null;
  return {
    reason: 'has a space, a colon or a character beyond ASCII in it, which senders cannot send.',
    remedy: 'Choose a key of letters and digits.',
  };
}
