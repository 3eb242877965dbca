/** The spec of `message:`, as far as its shape goes; what a mapping says is checked by the room of mappings. */
import type { ColumnConfig, MessageConfig, Partitioner } from '../model/index.ts';
import type { At } from './report.ts';
import { optional, type Spec } from './spec.ts';
import { anything, list, object } from './spec-composites.ts';
import { choice, flag, text } from './spec-scalars.ts';

export const partitioner: Spec<Partitioner> = choice(['murmur2', 'crc32', 'fnv1a', 'fnv1a_librdkafka']);

const FORMAT_INSTEAD = 'JSON only so far: write format: json or leave it out.';
const columnName = text({ shape: 'the name of a column', example: 'from: id' });

// What a column's parts say together is checked by the room of mappings.
const column: Spec<ColumnConfig> = object(
  {
    from: optional(columnName, 'The column of the source.', undefined),
    value: optional(anything(), 'A constant or a mapping, in place of `from`.', undefined),
    to: optional(columnName, 'Its name in the message, `a.b` inside an object; as `from` when left out.', undefined),
    type: optional(choice(['text', 'number', 'bool', 'date', 'json']), 'What the value is made to be.', undefined),
    mandatory: optional(
      anything({ enum: [true, false, 'reject', 'mark'] }),
      'Without a value: reject the row (true, reject), or send it and mark the run (mark).',
      undefined,
    ),
    trim: optional(flag(), 'Whether white space at both ends of a text goes.', undefined),
    replace: optional(anything(), 'Replacements in text: [{find: "-", with: ""}].', undefined),
    when: optional(anything(), 'Values by trigger: [{if: status = "new", then: N}].', undefined),
    else: optional(anything(), 'The value where no trigger of `when` passes.', undefined),
    leave_out_null: optional(flag(), 'Whether the column is left out where it is null.', undefined),
  },
  {
    refine({ from, to, ...others }, at) {
      if (from === undefined && others.value === undefined && others.when === undefined)
        return at.child('from').problem('is missing.', 'Name the column, `from: id`, or give a `value`.');
      const target = to ?? from;
      if (target === undefined) return at.child('to').problem('is missing.', 'Add a name: `to: orderId`.');
      const column = { ...(from === undefined ? {} : { from }), to: target };
      const present = Object.entries(others).filter(([, value]) => value !== undefined);
      return { ...column, ...Object.fromEntries(present) };
    },
  },
);

const fields = {
  topic: optional(anything(), 'The topic; here or in the defaults of the destination.', undefined),
  key: optional(anything(), 'The key; null: none.', undefined),
  partition: optional(anything(), 'The partition number; wins over everything else.', undefined),
  default_partition: optional(anything(), 'The partition where `partition` gives none.', undefined),
  default_partition_for: optional(
    choice(['all', 'keyless']),
    'Whether `default_partition` is for all messages or for those without a key.',
    undefined,
  ),
  partition_key: optional(anything(), 'What is hashed to choose the partition, in place of the key.', undefined),
  partitioner: optional(
    partitioner,
    "Whose hash chooses the partition of a key: Java's (`murmur2`), librdkafka's (`crc32`, `fnv1a_librdkafka`) or RudderStack's (`fnv1a`).",
    undefined,
  ),
  timestamp: optional(anything(), 'The time of the message.', undefined),
  timestamp_unit: optional(choice(['s', 'ms', 'us']), 'The unit of a timestamp that is a number.', undefined),
  headers: optional(anything(), 'Headers by name, or a path to an object of them.', undefined),
  payload: optional(anything(), 'The value, as a mapping.', undefined),
  columns: optional(
    list(column, { what: 'a list of columns', example: '[{from: id, to: orderId}]' }),
    'The value, as columns of the row.',
    undefined,
  ),
  template: optional(anything({ type: 'string' }), 'The value, as Mustache text.', undefined),
  template_type: optional(
    choice(['json', 'text']),
    'What the template gives: json (when left out) or any text.',
    undefined,
  ),
  format: optional(
    choice(['json'], {
      notYet: {
        avro: FORMAT_INSTEAD,
        protobuf: FORMAT_INSTEAD,
        json_schema: FORMAT_INSTEAD,
        text: FORMAT_INSTEAD,
        bytes: FORMAT_INSTEAD,
      },
    }),
    'How the value is written.',
    'json',
  ),
  meta_fields: optional(flag(), 'Whether table syncs add `operation` and `synced_at` to columns.', undefined),
};

/** The message as written, its absent fields absent, and the partitioner beside it. */
export interface MessageBody {
  readonly message: MessageConfig;
  readonly partitioner: Partitioner | undefined;
}

export const message: Spec<MessageBody> = object(fields, {
  description: 'How a record becomes a message. Without payload and columns: all columns, or the whole event.',
  refine({ partitioner: chosen, format: _json, ...values }, at) {
    const present = Object.entries(values).filter(([, value]) => value !== undefined);
    const written = Object.fromEntries(present) as MessageConfig;
    return checkTogether(written, at) ? { message: written, partitioner: chosen } : undefined;
  },
});

function checkTogether(written: MessageConfig, at: At): boolean {
  const before = at.problemCount;
  const [first, second] = (['payload', 'columns', 'template'] as const).filter((name) => written[name] !== undefined);
  if (first !== undefined && second !== undefined) {
    at.child(second).problem(`contradicts \`${first}\`.`, 'Keep one of the two.');
  }
  if (written.default_partition_for !== undefined && written.default_partition === undefined) {
    at.child('default_partition_for').problem(
      'is without `default_partition`.',
      'Add `default_partition`, or take it out.',
    );
  }
  if (written.timestamp_unit !== undefined && written.timestamp === undefined) {
    at.child('timestamp_unit').problem('is without `timestamp`.', 'Add `timestamp`, or take it out.');
  }
  checkColumns(written.columns ?? [], at.child('columns'));
  return at.problemCount === before;
}

function checkColumns(columns: readonly ColumnConfig[], at: At): void {
  const seen = new Set<string>();
  for (const [index, { to }] of columns.entries()) {
    if (seen.has(to)) {
      at.child(index)
        .child('to')
        .problem(`gives the name ${JSON.stringify(to)} a second time.`, 'Choose another name.');
    }
    seen.add(to);
  }
}
