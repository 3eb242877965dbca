/** Which destinations the integrations object of an event lets it go to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue, SourceRecord } from '../../model/index.ts';
import { completeEvent } from './event.ts';
import { integrationsAllow } from './integrations.ts';
import { openBody } from './open-body.ts';

const facts = { receivedAtMs: 0, ip: null, newMessageId: () => 'm' };

/** The same event as it comes by parsing, by scan, and as any other room might hold it. */
function records(integrations: JsonValue | undefined): SourceRecord[] {
  const event = { type: 'page', userId: 'u', ...(integrations === undefined ? {} : { integrations }) };
  const opened = openBody(Buffer.from(JSON.stringify(event)), 'single', 1);
  assert.ok(!('code' in opened));
  const scanned = opened.single('page', facts) as SourceRecord;
  const parsed = completeEvent(event, facts) as SourceRecord;
  const { operation, stream, namespace, position, data, bytes, receivedAtMs, messageId } = parsed;
  return [scanned, parsed, { operation, stream, namespace, position, data, bytes, receivedAtMs, messageId }];
}

const cases: [JsonValue | undefined, boolean][] = [
  [undefined, true],
  [{}, true],
  [null, true],
  ['none', true],
  [[false], true],
  [{ All: true }, true],
  [{ All: false }, false],
  [{ all: false }, false],
  [{ All: false, Kafka: true }, true],
  [{ All: false, kAFKA: true }, true],
  [{ All: false, Main: true }, true],
  [{ All: false, Main: { topic: 'x' } }, true],
  [{ All: false, Other: true }, false],
  [{ Kafka: false }, false],
  [{ main: false }, false],
  [{ All: true, main: false }, false],
  [{ Kafka: false, main: true }, true],
  [{ Kafka: true, main: false }, false],
  [{ main: null, Kafka: false }, false],
  [{ Other: false }, true],
];
for (const [integrations, allowed] of cases) {
  test(`integrations ${JSON.stringify(integrations)} ${allowed ? 'let' : 'do not let'} an event go to main`, () => {
    for (const record of records(integrations)) assert.equal(integrationsAllow(record, 'main'), allowed);
  });
}
