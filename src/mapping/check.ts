/** Checks a sync's `message:` as written: what passes never fails for its own shape when it runs. */
import { suggest } from '../base/suggest.ts';
import type { JsonValue, MessageConfig, Problem } from '../model/index.ts';
import { isObject } from './directive.ts';
import { bytesOf } from './fields/bytes.ts';
import { checkColumnList, missingColumns } from './fields/columns-check.ts';
import { checkHeaders } from './fields/headers.ts';
import { checkPartition } from './fields/partition.ts';
import { addedFields, collision } from './fields/payload.ts';
import { readTimestamp } from './fields/timestamp.ts';
import { timeUnits, type TimeUnit } from './times.ts';
import { checkTemplateText, templateTypes } from './fields/template.ts';
import { checkTopic } from './fields/topic.ts';
import { checkMapping, compileExpression } from './mapping.ts';
import { Refusal, shown } from './refusal.ts';

type Kind = 'rows' | 'events';

/** Every problem of a `message:`, each with the path of the field below `path`. */
export function checkMessage(message: unknown, path: string, kind: Kind): Problem[] {
  if (!isObject(message))
    return [
      { path, reason: 'an object of message fields is expected here', remedy: 'write {topic: orders, key: $.id}' },
    ];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(message)) {
    const check = fieldChecks[name];
    if (check !== undefined) problems.push(...check(value, `${path}.${name}`, kind, message));
    else problems.push(unknownField(name, `${path}.${name}`));
  }
  return [...problems, ...contradictions(message, path)];
}

/**
 * What only the source's columns can tell: a column with an added field's name, a column that is not there.
 * For the run to ask before its first message, with the reader's column names.
 */
export function checkColumns(message: MessageConfig, columns: readonly string[], path: string): Problem[] {
  if (message.columns !== undefined) return missingColumns(message.columns, columns, `${path}.columns`);
  if (message.payload !== undefined || message.template !== undefined || message.meta_fields === false) return [];
  return addedFields
    .filter((name) => columns.includes(name))
    .map((name) => ({
      path: `${path}.columns`,
      reason: collision(name),
      remedy: `rename it with columns: [{from: ${name}, to: source_${name}}, …], or leave the added fields out with meta_fields: false`,
    }));
}

type FieldCheck = (value: unknown, at: string, kind: Kind, message: { [key: string]: JsonValue }) => Problem[];

const fieldChecks: { readonly [field: string]: FieldCheck | undefined } = {
  topic: checkTopic,
  key: checkKey,
  partition: checkPartition,
  default_partition: checkPartition,
  default_partition_for: (value, at) => checkChoice(value, at, ['all', 'keyless']),
  partition_key: checkKey,
  timestamp: checkTimestamp,
  timestamp_unit: (value, at) => checkChoice(value, at, timeUnits),
  headers(value, at) {
    const problems = checkHeaders(value, at);
    if (problems.length > 0 || !isObject(value)) return problems;
    return Object.keys(value).flatMap((name) => {
      const written = value[name]!;
      const values = Array.isArray(written) ? written : [written];
      return values.flatMap((item) => checkBytes(item, `${at}.${name}`));
    });
  },
  payload: checkMapping,
  template: (value, at, _kind, message) => checkTemplateText(value, message.template_type, at),
  template_type: (value, at) => checkChoice(value, at, templateTypes),
  columns: (value, at, kind, message) =>
    checkColumnList(value, at, kind === 'rows' && message.meta_fields !== false ? addedFields : []),
  meta_fields(value, at, kind) {
    if (typeof value !== 'boolean')
      return [{ path: at, reason: 'true or false is expected here', remedy: 'write meta_fields: false' }];
    if (kind === 'rows' || !value) return [];
    return [{ path: at, reason: 'messages of events have no added fields', remedy: 'take meta_fields out' }];
  },
};

function unknownField(name: string, path: string): Problem {
  const fields = Object.keys(fieldChecks);
  const near = suggest(name, fields);
  return {
    path,
    reason: `there is no message field "${name}"`,
    remedy: near === null ? `use ${fields.join(', ')}` : `did you mean "${near}"?`,
  };
}

function contradictions(message: { [key: string]: JsonValue }, path: string): Problem[] {
  const problems: Problem[] = [];
  const values = ['payload', 'columns', 'template'].filter((name) => Object.hasOwn(message, name));
  if (values.length > 1)
    problems.push({
      path: `${path}.${values[1]}`,
      reason: `the message's value comes from ${values.join(' or ')}, not from ${values.length === 2 ? 'both' : 'all'}`,
      remedy: 'keep one of them',
    });
  for (const [name, needed] of [
    ['default_partition_for', 'default_partition'],
    ['timestamp_unit', 'timestamp'],
    ['template_type', 'template'],
  ] as const)
    if (Object.hasOwn(message, name) && !Object.hasOwn(message, needed))
      problems.push({
        path: `${path}.${name}`,
        reason: `${name} says nothing without ${needed}`,
        remedy: `add ${needed}`,
      });
  return problems;
}

/** As records are rejected for it: see `bytesField`. */
function checkKey(value: unknown, at: string): Problem[] {
  const problems = checkBytes(value, at);
  if (problems.length > 0 || typeof value !== 'string' || value.isWellFormed()) return problems;
  return [
    {
      path: at,
      reason: 'the text holds a lone surrogate, which has no UTF-8 form',
      remedy: 'write the whole character',
    },
  ];
}

/** A mapping for bytes: a literal value must have bytes at all. */
function checkBytes(value: unknown, at: string): Problem[] {
  const problems = checkMapping(value, at);
  if (problems.length > 0) return problems;
  const { constant } = compileExpression(value as JsonValue);
  if (constant === null) return [];
  try {
    bytesOf(constant.value, 'value');
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ path: at, reason: error.message, remedy: 'write standard base64' }];
  }
}

function checkTimestamp(value: unknown, at: string, _kind: Kind, message: { [key: string]: JsonValue }): Problem[] {
  const problems = checkMapping(value, at);
  if (problems.length > 0) return problems;
  const { constant } = compileExpression(value as JsonValue);
  if (constant === null || constant.value === null) return [];
  const read = readTimestamp(constant.value, message.timestamp_unit as TimeUnit | undefined);
  if (typeof read === 'number') return [];
  return [{ path: at, reason: `${shown(value)} ${read}`, remedy: 'write a path such as $.updated_at' }];
}

function checkChoice(value: unknown, at: string, choices: readonly string[]): Problem[] {
  if (typeof value === 'string' && choices.includes(value)) return [];
  const near = typeof value === 'string' ? suggest(value, choices) : null;
  return [
    {
      path: at,
      reason: `${shown(value)} is not one of ${choices.join(', ')}`,
      remedy: near === null ? `write one of ${choices.join(', ')}` : `did you mean "${near}"?`,
    },
  ];
}
