/** One round of fuzzing: a random message through check, compilation and mapping, over parsed and unparsed records. */
import assert from 'node:assert/strict';
import { parseJson } from '../../src/base/json.ts';
import { checkMessage, compileMapping } from '../../src/mapping/index.ts';
import type { JsonValue, Message, MessageConfig, Rejection, SourceRecord } from '../../src/model/index.ts';
import { contextOf, eventOf, recordOf } from './mapping.ts';
import { randomRecord } from './mappings.ts';
import type { Random } from './random.ts';
import { mustache, randomMessage } from './random-messages.ts';

export interface MappingFuzzCounts {
  refused: number;
  mapped: number;
  rejected: number;
}

const codes: ReadonlySet<string> = new Set([
  'mapping_failed',
  'topic_invalid',
  'partition_invalid',
  'timestamp_invalid',
  'row_invalid',
]);

/** No message crashes the check; what it passes compiles and never throws, changes nothing and always says the same. */
export function fuzzMappings(source: Random, rounds: number): MappingFuzzCounts {
  const counts: MappingFuzzCounts = { refused: 0, mapped: 0, rejected: 0 };
  for (let round = 0; round < rounds; round++) {
    const message = randomMessage(source, round % 2 === 1);
    const record = randomRecord(source);
    const kind = source.chance(0.5) ? 'rows' : 'events';
    try {
      fuzzOne(message, record, kind, round % 4 === 0, counts);
    } catch (error) {
      throw new Error(`the ${kind} message ${JSON.stringify(message)} with ${JSON.stringify(record)}`, {
        cause: error,
      });
    }
  }
  return counts;
}

/** Random Mustache texts: what passes the check as JSON gives JSON, faults point into the text. */
export function fuzzTemplates(source: Random, rounds: number): MappingFuzzCounts {
  const counts: MappingFuzzCounts = { refused: 0, mapped: 0, rejected: 0 };
  const record = recordOf(randomRecord(source));
  for (let round = 0; round < rounds; round++) {
    const template = source.chance(0.5) ? `{"a": ${mustache(source)}}` : mustache(source);
    const type = source.pick(['json', 'text'] as const);
    try {
      const problems = checkMessage({ template, template_type: type }, 'm', 'rows');
      if (problems.length > 0) {
        counts.refused++;
        continue;
      }
      const mapping = compileMapping({ message: { template, template_type: type }, kind: 'rows', defaultTopic: 't' });
      const result = mapping.map(record, contextOf());
      assertSound(result, { template_type: type });
      counts.mapped++;
    } catch (error) {
      throw new Error(`the ${type} template ${JSON.stringify(template)}`, { cause: error });
    }
  }
  return counts;
}

function fuzzOne(
  message: JsonValue,
  data: JsonValue,
  kind: 'rows' | 'events',
  thorough: boolean,
  counts: MappingFuzzCounts,
): void {
  const problems = checkMessage(message, 'm', kind);
  for (const { path, reason, remedy } of problems) assert.ok(path.startsWith('m') && reason !== '' && remedy !== '');
  if (problems.length > 0) {
    counts.refused++;
    return;
  }
  const before = JSON.stringify(data);
  const mapping = compileMapping({ message: message as MessageConfig, kind, defaultTopic: 'fallback' });
  const record = kind === 'rows' ? recordOf(data) : eventOf(data);
  const result = mapping.map(record, contextOf());
  assert.equal(JSON.stringify(data), before, 'the record was changed');
  assert.equal(textOf(mapping.map(record, contextOf())), textOf(result), 'a second time it says something else');
  assertSound(result, message as MessageConfig);
  if ('state' in result) counts.rejected++;
  else counts.mapped++;
  if (!thorough) return;
  const unparsed = withBytes(record, before);
  const fromBytes = mapping.map(unparsed, contextOf());
  const fromParsed = mapping.map({ ...unparsed, data: parseJson(before) as JsonValue, unparsed: false }, contextOf());
  assert.equal(textOf(fromBytes), textOf(fromParsed), 'reading from bytes and from the parsed record differ');
}

function withBytes(record: SourceRecord, text: string): SourceRecord {
  return {
    ...record,
    get data(): JsonValue {
      return parseJson(text) as JsonValue;
    },
    bytes: Buffer.from(text),
    unparsed: true,
  };
}

function assertSound(result: Message | Rejection, config: MessageConfig): void {
  if ('state' in result) {
    assert.ok(codes.has(result.code) && result.reason !== '' && result.field !== undefined, JSON.stringify(result));
    return;
  }
  assert.match(result.topic, /^[A-Za-z0-9._-]{1,249}$/);
  assert.ok(Number.isInteger(result.timestampMs) && result.timestampMs >= 0);
  assert.ok(result.partition === null || (Number.isInteger(result.partition) && result.partition >= 0));
  assert.ok(result.value !== null, 'a null value is a tombstone, which no mapping makes');
  if (config.template_type !== 'text') JSON.parse(result.value.toString());
}

/** Everything of a result, as text. */
function textOf(result: Message | Rejection): string {
  if ('state' in result) return JSON.stringify(result);
  const { topic, partition, partitionKey, key, value, headers, timestampMs, flaws } = result;
  const hex = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString('hex'));
  return JSON.stringify([
    topic,
    partition,
    hex(partitionKey),
    hex(key),
    hex(value),
    headers.map(([name, bytes]) => [name, hex(bytes)]),
    timestampMs,
    flaws,
  ]);
}
