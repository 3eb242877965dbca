/** The spec of a sync by itself; what it says about its source and destination is in `relations.ts`. */
import {
  eventTypes,
  type ColumnType,
  type EventType,
  type FileFormat,
  type FileRead,
  type MaxRejected,
  type Ordering,
  type Oversized,
  type Partitioner,
  type PresetName,
} from '../model/index.ts';
import { maxRejected } from './max-rejected.ts';
import { message, partitioner, type MessageBody } from './message.ts';
import { ordering, oversized } from './ordering.ts';
import { presetName } from './presets.ts';
import { notYet, optional, required, type Spec } from './spec.ts';
import { list, named, object } from './spec-composites.ts';
import { choice, flag, integer, text } from './spec-scalars.ts';

const DIFFERENCE_INSTEAD = 'Every run sends all rows it reads, which is `behaviour: send`.';
const DATABASE_INSTEAD = 'Export the table to a file and write `read: {file: …}`.';
const SCHEDULE_INSTEAD = 'Start each run with `headrace run`, by cron if need be.';

const formats: readonly FileFormat[] = ['csv', 'jsonl', 'json', 'parquet'];
const columnTypes: readonly ColumnType[] = ['text', 'number', 'bool', 'json'];

const read: Spec<FileRead> = object(
  {
    file: required(fileName(), 'A file or glob within the folder of the source.'),
    format: optional(choice(formats), 'How the file is written; by its name when left out.', null),
    types: optional(
      named(choice(columnTypes), 'column types by name'),
      'Types of columns by name, in place of what a file seems to hold.',
      {},
    ),
    table: notYet(DATABASE_INSTEAD),
    query: notYet(DATABASE_INSTEAD),
    changes: notYet(DATABASE_INSTEAD),
  },
  { description: 'What a table sync reads.' },
);

const batch = object(
  {
    bytes: optional(
      integer({ min: 5000, max: 2_147_483_647, unit: 'bytes' }),
      'Most bytes in one batch of this sync.',
      null,
    ),
    messages: optional(integer({ min: 1, max: 1_000_000 }), 'Most messages in one batch of this sync.', null),
  },
  { description: "Batches smaller than the destination's." },
);

const fields = {
  enabled: optional(flag(), 'Whether it sends.', true),
  source: required(text({ shape: 'the name of a source', example: 'source: website' }), 'The name of a source.'),
  destination: required(
    text({ shape: 'the name of a destination', example: 'destination: main' }),
    'The name of a destination.',
  ),
  read: optional(read, 'What a table sync reads.', null),
  types: optional(
    list(choice(eventTypes), { what: 'a list of event types', example: '[track, identify]' }),
    'The types of events that pass; all when left out.',
    null,
  ),
  trigger: optional(
    text({ shape: 'a condition', example: `trigger: type = "track" and event != "Heartbeat"` }),
    'The condition a record must meet (FQL).',
    null,
  ),
  key: notYet(`${DIFFERENCE_INSTEAD} The key of messages is \`message.key\`.`),
  behaviour: optional(
    choice(['send'], {
      notYet: { update_or_create: DIFFERENCE_INSTEAD, mirror: DIFFERENCE_INSTEAD, audience: DIFFERENCE_INSTEAD },
    }),
    'What a row of a table becomes.',
    null,
  ),
  actions: notYet(DIFFERENCE_INSTEAD),
  audience: notYet(DIFFERENCE_INSTEAD),
  backfill: notYet(DIFFERENCE_INSTEAD),
  mirror: notYet(DIFFERENCE_INSTEAD),
  snapshot: notYet(DIFFERENCE_INSTEAD),
  schedule: notYet(SCHEDULE_INSTEAD),
  time_zone: notYet(SCHEDULE_INSTEAD),
  message: optional(message, 'How a record becomes a message.', null),
  partitioner: optional(partitioner, 'As `message.partitioner`.', null),
  operation_tags: notYet('Operations are named created, updated and deleted; leave it out.'),
  ordering: optional(
    ordering,
    'What keeps the order of its records: messages of one topic and key (`key`), all of a partition (`preserve`), or nothing (`none`, faster); as the destination says when left out.',
    null,
  ),
  oversized: optional(
    oversized,
    'What becomes of a message that is too large for its topic: it is rejected (`reject`), or fields of its value are cut (`{truncate: [$.body]}`).',
    'reject',
  ),
  batch: optional(batch, "Batches smaller than the destination's.", { bytes: null, messages: null }),
  after: notYet('Do it in the script that calls `headrace run`, which ends with 0 when all is sent.'),
  delivery: optional(
    choice(['at_least_once'], {
      notYet: {
        exactly_once: 'Messages are sent idempotently: duplicates come only from a killed process. Leave it out.',
      },
    }),
    'What is promised about duplicates.',
    'at_least_once',
  ),
  max_rejected: optional(
    maxRejected,
    'How much may be rejected before the run fails, or the event sync waits for a person: `5%` of the records, a number of them, or `{percent, at_least}`; an event sync counts anew each hour. Left out: any number.',
    null,
  ),
  preset: optional(presetName, "A vendor's defaults for the trigger and the message fields that are left out.", null),
};

export interface SyncBody {
  readonly preset: PresetName | null;
  readonly enabled: boolean;
  readonly source: string;
  readonly destination: string;
  readonly read: FileRead | null;
  readonly types: readonly EventType[] | null;
  readonly trigger: string | null;
  readonly behaviour: 'send' | null;
  readonly message: MessageBody['message'];
  /** null: by the preset, or Java's. */
  readonly partitioner: Partitioner | null;
  readonly batch: { readonly bytes: number | null; readonly messages: number | null };
  /** null: as the destination says. */
  readonly ordering: Ordering | null;
  readonly oversized: Oversized;
  readonly maxRejected: MaxRejected | null;
}

export const sync: Spec<SyncBody> = object(fields, {
  description: 'One flow from a source to a destination.',
  refine(values, at): SyncBody | undefined {
    const inner = values.message?.partitioner;
    if (inner !== undefined && values.partitioner !== null && inner !== values.partitioner) {
      return at.child('partitioner').problem('contradicts `message.partitioner`.', 'Keep one of the two.');
    }
    const { enabled, source, destination, read: what, types, trigger, behaviour, batch: limits } = values;
    return {
      preset: values.preset,
      enabled,
      source,
      destination,
      read: what,
      types,
      trigger,
      behaviour,
      message: values.message?.message ?? {},
      partitioner: inner ?? values.partitioner,
      batch: limits,
      ordering: values.ordering,
      oversized: values.oversized,
      maxRejected: values.max_rejected,
    };
  },
});

/** Relative to the source's folder and within it (S24). */
function fileName(): Spec<string> {
  const name = text({ shape: 'a file or glob', example: 'file: orders/*.csv' });
  return {
    schema: name.schema,
    read(value, at) {
      const file = name.read(value, at);
      if (file === undefined) return undefined;
      const escapes = file.startsWith('/') || file.split(/[/\\]/).includes('..');
      if (!escapes) return file;
      return at.problem(
        'leads out of the folder of the source.',
        'Name a file within it, without a leading / and without `..`; or widen the `path` of the source.',
      );
    },
  };
}
