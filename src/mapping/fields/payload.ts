/** The message's value: what came as it came, a mapping, a list of columns, or all columns with the added fields. */
import { beginBytes, takeBytes, writeJson, writeRaw } from '../../base/json-writer.ts';
import type { JsonValue, MessageConfig, SourceRecord } from '../../model/index.ts';
import { isObject } from '../directive.ts';
import { computed, type Evaluate, type Expression } from '../expression.ts';
import { compileExpression, compileObject } from '../mapping.ts';
import type { MappingContext } from '../ports.ts';
import { Refusal, shown } from '../refusal.ts';
import { syncedAtOf } from '../synced-at.ts';
import { columnsExpression } from './columns.ts';
import { compileTemplate } from './template.ts';

export interface CompiledPayload {
  readonly of: (...input: Parameters<Evaluate>) => Buffer;
  /**
   * Top-level fields of the record that it needs besides the record's bytes; null: it needs the parsed record.
   * A payload that forwards bytes needs few or none.
   */
  readonly fields: readonly string[] | null;
}

/** What a table sync adds to `columns` and to the default payload. */
export const addedFields: readonly string[] = ['operation', 'synced_at'];

const addedExpressions: readonly (readonly [name: string, value: Expression])[] = [
  ['operation', computed((_root, record) => record.operation, [])],
  ['synced_at', computed((_root, record, context) => syncedAtOf(record, context), [])],
];

export function compilePayload(message: MessageConfig, kind: 'rows' | 'events'): CompiledPayload {
  const adds = kind === 'rows' && message.meta_fields !== false;
  if (message.columns !== undefined) {
    const columns = columnsExpression(message.columns, adds ? addedExpressions : []);
    return { of: printed(compileObject(columns)), fields: null };
  }
  if (message.template !== undefined)
    return { of: compileTemplate(message.template, message.template_type ?? 'json', kind), fields: null };
  if (message.payload !== undefined) return payloadOf(compileExpression(message.payload as JsonValue));
  return adds ? allColumns : forwarded;
}

function payloadOf(expression: Expression): CompiledPayload {
  return expression.whole ? forwarded : { of: printed(expression), fields: null };
}

/** The record as it came: byte for byte where the source has its bytes. */
const forwarded: CompiledPayload = {
  of(root, record) {
    if (record.bytes !== null) return record.bytes;
    beginBytes();
    if (isObject(root)) writeRow(root, CLOSE_BRACE, CLOSE_BRACE);
    else if (!writeJson(root)) throw new Refusal('mapping_failed', 'payload', 'payload: the record is empty');
    return takeBytes();
  },
  fields: [],
};

function printed(expression: Expression): CompiledPayload['of'] {
  const write = expression.write;
  return (root, record, context) => {
    beginBytes();
    // Never a null value by accident: a consumer would take it for a deletion (P28).
    if (!write(root, record, context))
      throw new Refusal('mapping_failed', 'payload', 'payload: the mapping gives nothing');
    return takeBytes();
  };
}

/** All columns and the added fields; spliced into the record's own bytes where there are any. */
const allColumns: CompiledPayload = {
  of(root, record, context) {
    if (!isObject(root))
      throw new Refusal('mapping_failed', 'payload', `payload: ${shown(root)} is no object, so it has no columns`);
    for (const name of addedFields)
      if (Object.hasOwn(root, name)) throw new Refusal('mapping_failed', 'payload', `payload: ${collision(name)}`);
    const tail = addedTail(record, context);
    beginBytes();
    if (record.bytes === null) writeRow(root, tail.comma, tail.plain);
    else splice(record.bytes, tail);
    return takeBytes();
  },
  fields: addedFields,
};

/** Why a column cannot have an added field's name. */
export function collision(name: string): string {
  return `the column "${name}" has the name of an added field`;
}

interface Tail {
  readonly operation: string;
  readonly syncedAt: string;
  /** `,"operation":…,"synced_at":…}` */
  readonly comma: Buffer;
  readonly plain: Buffer;
}

let lastTail: Tail | null = null;

/** The same for nearly all records of a run: kept until it changes. */
function addedTail(record: SourceRecord, context: MappingContext): Tail {
  const { operation } = record;
  const syncedAt = syncedAtOf(record, context);
  if (lastTail !== null && lastTail.operation === operation && lastTail.syncedAt === syncedAt) return lastTail;
  const plain = `"operation":${JSON.stringify(operation)},"synced_at":${JSON.stringify(syncedAt)}}`;
  lastTail = { operation, syncedAt, comma: Buffer.from(`,${plain}`), plain: Buffer.from(plain) };
  return lastTail;
}

/** The bytes of an object up to its last brace, then the tail. */
function splice(bytes: Buffer, tail: Tail): void {
  const close = bytes.lastIndexOf(0x7d);
  let before = close - 1;
  while (before > 0 && bytes[before]! <= 0x20) before--;
  writeRaw(bytes.subarray(0, close));
  writeRaw(bytes[before] === 0x7b ? tail.plain : tail.comma);
}

const CLOSE_BRACE = Buffer.from('}');
const OPEN_BRACE = Buffer.from('{');

// Rows of one reading have the same columns in the same order: their `"name":` prefixes are made once.
let rowNames: readonly string[] = [];
let firstPrefixes: readonly Buffer[] = [];
let laterPrefixes: readonly Buffer[] = [];

/** Writes the row's members, then `rest` (or `restWhenEmpty` where no member was written). */
function writeRow(row: { [key: string]: unknown }, rest: Buffer, restWhenEmpty: Buffer): void {
  const names = Object.keys(row);
  if (!sameNames(names)) {
    rowNames = names;
    firstPrefixes = names.map((name) => Buffer.from(`{${JSON.stringify(name)}:`));
    laterPrefixes = names.map((name) => Buffer.from(`,${JSON.stringify(name)}:`));
  }
  let prefixes = firstPrefixes;
  for (let index = 0; index < names.length; index++) {
    const value = row[names[index]!];
    if (value === undefined) continue;
    writeRaw(prefixes[index]!);
    writeJson(value);
    prefixes = laterPrefixes;
  }
  const empty = prefixes === firstPrefixes;
  if (empty) writeRaw(OPEN_BRACE);
  writeRaw(empty ? restWhenEmpty : rest);
}

function sameNames(names: readonly string[]): boolean {
  if (names.length !== rowNames.length) return false;
  for (let index = 0; index < names.length; index++) if (names[index] !== rowNames[index]) return false;
  return true;
}
