/** Compiles a sync's `message:` once to one function from record to message. */
import { isUtf8 } from 'node:buffer';
import {
  HeadraceError,
  type JsonValue,
  type Message,
  type MessageConfig,
  type Rejection,
  type SourceRecord,
} from '../model/index.ts';
import { checkMessage } from './check.ts';
import { bytesOf } from './fields/bytes.ts';
import { takeFlaws } from './fields/flaws.ts';
import { compileHeaders, noHeaders } from './fields/headers.ts';
import { compilePartition } from './fields/partition.ts';
import { compilePayload } from './fields/payload.ts';
import { compileTimestamp } from './fields/timestamp.ts';
import { checkTopic, compileTopic, topicExpression } from './fields/topic.ts';
import type { Evaluate, Expression } from './expression.ts';
import { compileExpression, compileList } from './mapping.ts';
import { pathExpression } from './path.ts';
import type { CompiledMapping, MappingContext, MappingInput } from './ports.ts';
import { lintLine, lintMessage } from './lints.ts';
import { PartialReader } from './partial.ts';
import { Refusal } from './refusal.ts';

/** Throws HeadraceError (`config_invalid`) naming the first field that is wrong. */
export function compileMapping(input: MappingInput): CompiledMapping {
  const message = usable(input);
  const topic = topicExpression(message.topic ?? (input.defaultTopic as JsonValue));
  const fields = compileFields(message, topic, input);
  const partial = fields.read === null ? null : new PartialReader(fields.read);
  return {
    map(record, context) {
      try {
        field = 'payload';
        if (partial !== null && record.unparsed === true && record.bytes !== null)
          return fields.build(partial.read(record.bytes), record, context);
        if (record.unparsed === true && record.bytes !== null && !isUtf8(record.bytes))
          throw new Refusal('row_invalid', 'payload', 'the record is not JSON: the text is not valid UTF-8');
        return fields.build(record.data, record, context);
      } catch (error) {
        return rejection(error);
      }
    },
    literalTopic: topic.constant === null ? null : String(topic.constant.value),
    lints: lintMessage(message).map(lintLine),
  };
}

function usable(input: MappingInput): MessageConfig {
  const { message, defaultTopic, kind } = input;
  const problems = checkMessage(message, 'message', kind);
  if (message.topic === undefined || message.topic === null) {
    if (defaultTopic === undefined || defaultTopic === null)
      problems.push({
        path: 'message.topic',
        reason: 'the message has no topic',
        remedy: 'add a topic to the message, or a default topic to the destination',
      });
    else problems.push(...checkTopic(defaultTopic, 'defaults.topic'));
  }
  const first = problems[0];
  if (first !== undefined)
    throw new HeadraceError('config_invalid', first.reason, { path: first.path, remedy: first.remedy });
  return message;
}

type Build = (root: unknown, record: SourceRecord, context: MappingContext) => Message;

// The field being made, for a directive's Refusal, which does not know where it stands. Mapping is synchronous.
let field = 'topic';

/** `read`: the top-level fields that are enough for everything; null: the whole record must be parsed. */
function compileFields(
  message: MessageConfig,
  topic: Expression,
  { kind, syncKey }: MappingInput,
): { build: Build; read: readonly string[] | null } {
  const key = message.key === undefined ? syncKeyExpression(syncKey) : expressionOf(message.key);
  const partitionKey = expressionOf(message.partition_key);
  const partition = expressionOf(message.partition);
  const defaultPartition = expressionOf(message.default_partition);
  const timestamp = expressionOf(message.timestamp);
  const headers = message.headers === undefined ? noHeaders : compileHeaders(message.headers);
  const payload = compilePayload(message, kind);
  const topicOf = compileTopic(topic);
  const keyOf = bytesField(key, 'key');
  const partitionKeyOf = partitionKey === null ? null : bytesField(partitionKey, 'partition_key');
  const partitionOf = choosePartition(partition, defaultPartition, message.default_partition_for === 'keyless');
  const timestampOf = compileTimestamp(timestamp, message.timestamp_unit);
  const headersOf = headers.of;
  const payloadOf = payload.of;
  const build: Build = (root, record, context) => {
    field = 'topic';
    const topicName = topicOf(root, record, context);
    field = 'key';
    const keyBytes = keyOf(root, record, context);
    field = 'partition';
    const partitionNumber = partitionOf(root, record, context, keyBytes);
    field = 'partition_key';
    const hashed = partitionKeyOf === null ? keyBytes : (partitionKeyOf(root, record, context) ?? keyBytes);
    field = 'timestamp';
    const timestampMs = timestampOf(root, record, context);
    field = 'headers';
    const headerList = headersOf(root, record, context);
    field = 'payload';
    const value = payloadOf(root, record, context);
    const message = {
      topic: topicName,
      partition: partitionNumber,
      partitionKey: hashed,
      key: keyBytes,
      value,
      headers: headerList,
      timestampMs,
    };
    const flaws = takeFlaws();
    return flaws === null ? message : { ...message, flaws };
  };
  const parts = [topic, key, partitionKey, partition, defaultPartition, timestamp, headers, payload];
  return { build, read: allFields(parts.map((part) => (part === null ? [] : part.fields))) };
}

/** The key that a table sync takes when none is written: its sync key, several columns as a JSON list. */
function syncKeyExpression(columns: readonly string[] | undefined): Expression | null {
  const [first, ...others] = (columns ?? []).map((column) => pathExpression([column]));
  return first === undefined ? null : others.length === 0 ? first : compileList([first, ...others]);
}

function expressionOf(value: JsonValue | undefined): Expression | null {
  return value === undefined || value === null ? null : compileExpression(value);
}

function allFields(parts: readonly (readonly string[] | null)[]): readonly string[] | null {
  const union = new Set<string>();
  for (const fields of parts) {
    if (fields === null) return null;
    for (const field of fields) union.add(field);
  }
  return [...union];
}

type BytesField = (...input: Parameters<Evaluate>) => Buffer | null;

/** Bytes whose identity matters: a lone surrogate, which UTF-8 cannot hold, would make two keys one. */
function bytesField(expression: Expression | null, name: 'key' | 'partition_key'): BytesField {
  if (expression === null) return () => null;
  if (expression.constant !== null) {
    const fixed = bytesOf(expression.constant.value, name);
    return () => fixed;
  }
  const evaluate = expression.evaluate;
  return (root, record, context) => {
    const value = evaluate(root, record, context);
    if (typeof value === 'string' && !value.isWellFormed())
      throw new Refusal('mapping_failed', name, `${name}: the text holds a lone surrogate, which has no UTF-8 form`);
    return bytesOf(value, name);
  };
}

type PartitionField = (...input: [...Parameters<Evaluate>, key: Buffer | null]) => number | null;

/** `partition` wins; else the default, for all messages or only for those without a key. */
function choosePartition(partition: Expression | null, standard: Expression | null, keyless: boolean): PartitionField {
  if (partition === null && standard === null) return () => null;
  const chosen = partition === null ? null : compilePartition(partition, 'partition');
  const fallback = standard === null ? null : compilePartition(standard, 'default_partition');
  return (root, record, context, key) => {
    const own = chosen === null ? null : chosen(root, record, context);
    if (own !== null || fallback === null || (keyless && key !== null)) return own;
    return fallback(root, record, context);
  };
}

function rejection(error: unknown): Rejection {
  takeFlaws();
  if (error instanceof Refusal) {
    const at = error.field === '' ? field : error.field;
    const reason = error.field === '' ? `${at}: ${error.message}` : error.message;
    return { state: 'rejected', code: error.code, reason, field: at };
  }
  if (error instanceof SyntaxError)
    return { state: 'rejected', code: 'row_invalid', reason: `the record is not JSON: ${error.message}` };
  const reason =
    error instanceof RangeError
      ? 'the value is nested too deep, or is too long, to be printed'
      : `the value could not be made: ${error instanceof Error ? error.message : String(error)}`;
  return { state: 'rejected', code: 'mapping_failed', reason: `${field}: ${reason}`, field };
}
