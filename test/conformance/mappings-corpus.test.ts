/** The corpus of messages: one named case a file, valid ones with a record and what is sent, invalid ones with the problem. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseJson } from '../../src/base/json.ts';
import { checkMessage, compileMapping } from '../../src/mapping/index.ts';
import type { JsonValue, Message, MessageConfig, SourceRecord } from '../../src/model/index.ts';
import { contextOf, eventOf, recordOf } from '../support/mapping.ts';

interface ValidCase {
  readonly kind?: 'rows' | 'events';
  readonly message: MessageConfig;
  /** JSON text. */
  readonly record: string;
  readonly expect?: Partial<Shown>;
  readonly rejected?: { readonly code: string; readonly field: string };
}

interface InvalidCase {
  readonly kind?: 'rows' | 'events';
  readonly message: unknown;
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

/** A message as people read it. */
interface Shown {
  readonly topic: string;
  readonly partition: number | null;
  readonly partitionKey: string | null;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
  readonly timestamp: string;
}

const folder = join(import.meta.dirname, '../fixtures/mapping');

for (const [name, one] of casesOf<ValidCase>('valid'))
  test(`valid: ${name}`, () => {
    const kind = one.kind ?? 'events';
    assert.deepEqual(checkMessage(one.message, 'message', kind), []);
    const mapping = compileMapping({ message: one.message, kind, defaultTopic: 'fallback' });
    for (const record of formsOf(kind, one.record)) {
      const result = mapping.map(record, contextOf());
      if (one.rejected !== undefined) {
        assert.ok('state' in result, 'a rejection was expected');
        assert.deepEqual({ code: result.code, field: result.field }, one.rejected);
        continue;
      }
      assert.ok(!('state' in result), JSON.stringify(result));
      const shown = show(result);
      for (const [field, expected] of Object.entries(one.expect!))
        assert.deepEqual(shown[field as keyof Shown], expected, field);
    }
  });

for (const [name, { kind, message, problems }] of casesOf<InvalidCase>('invalid'))
  test(`invalid: ${name}`, () => {
    const found = checkMessage(message, 'message', kind ?? 'events');
    assert.deepEqual(
      found.map(({ path }) => path),
      problems.map(({ path }) => path),
    );
    for (const [index, { reason }] of problems.entries())
      assert.ok(found[index]!.reason.includes(reason), `${found[index]!.reason} has no "${reason}"`);
    for (const { remedy } of found) assert.ok(remedy.length > 3);
  });

test('the corpus is large', () => {
  assert.ok(casesOf('valid').length >= 80 && casesOf('invalid').length >= 45);
});

/** The record as a source that parses gives it, and as one gives it that does not. */
function formsOf(kind: 'rows' | 'events', text: string): SourceRecord[] {
  const data = parseJson(text) as JsonValue;
  const bytes = Buffer.from(text);
  if (kind === 'rows') return [recordOf(data), recordOf(data, { bytes, unparsed: true })];
  return [eventOf(data, { bytes }), eventOf(data, { bytes, unparsed: true })];
}

function show({ topic, partition, partitionKey, key, value, headers, timestampMs }: Message): Shown {
  const text = (bytes: Buffer | null): string | null => (bytes === null ? null : bytes.toString());
  return {
    topic,
    partition,
    partitionKey: text(partitionKey),
    key: text(key),
    value: text(value),
    headers: headers.map(([name, bytes]) => [name, text(bytes)] as const),
    timestamp: new Date(timestampMs).toISOString(),
  };
}

function casesOf<T>(kind: 'valid' | 'invalid'): [name: string, one: T][] {
  const files = readdirSync(join(folder, kind)).filter((file) => file.endsWith('.yaml'));
  return files.map((file) => [file.slice(0, -5), parse(readFileSync(join(folder, kind, file), 'utf8')) as T]);
}
