/** Events are completed as posted, or refused with the field that is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../base/json.ts';
import type { JsonValue, SourceRecord } from '../../model/index.ts';
import { completeEvent, isFault } from './event.ts';
import type { EventFacts } from './event.ts';

const receivedAtMs = Date.parse('2026-05-05T12:00:00.000Z');
const facts: EventFacts = { receivedAtMs, ip: '192.0.2.7', newMessageId: () => 'made' };

function complete(raw: unknown, more: Partial<EventFacts> = {}): SourceRecord {
  const result = completeEvent(raw as JsonValue, { ...facts, ...more });
  if (isFault(result)) throw new Error(result.message);
  return result;
}

test('an event is completed, and nothing of its own is lost', () => {
  const raw = { type: 'track', event: 'Signed Up', userId: 'u', channel: 'mobile', properties: { a: null } };
  const record = complete(raw);
  assert.deepEqual(JSON.parse(String(record.bytes)), {
    ...raw,
    messageId: 'made',
    context: { ip: '192.0.2.7' },
    originalTimestamp: '2026-05-05T12:00:00.000Z',
    timestamp: '2026-05-05T12:00:00.000Z',
    receivedAt: '2026-05-05T12:00:00.000Z',
  });
  assert.deepEqual(record.data, JSON.parse(String(record.bytes)));
  const { operation, stream, namespace, position, messageId } = record;
  assert.deepEqual([operation, stream, namespace, position, messageId], ['none', 'track', null, 'made', 'made']);
  assert.equal(record.receivedAtMs, receivedAtMs);
  assert.equal(record.bytes, record.bytes, 'printed once');
  assert.deepEqual(Object.keys(raw), ['type', 'event', 'userId', 'channel', 'properties'], 'raw is not changed');
});

test('all four times are kept', () => {
  const raw = { type: 'page', userId: 'u', timestamp: '2026-05-05T10:00:00.000Z', sentAt: '2026-05-05T10:00:05.000Z' };
  const data = complete(raw).data as Record<string, unknown>;
  assert.equal(data['originalTimestamp'], '2026-05-05T10:00:00.000Z');
  assert.equal(data['sentAt'], '2026-05-05T10:00:05.000Z');
  assert.equal(data['receivedAt'], '2026-05-05T12:00:00.000Z');
  assert.equal(data['timestamp'], '2026-05-05T11:59:55.000Z');
});

test('what a client says of receivedAt is not believed, its context.ip is', () => {
  const data = complete({ type: 'page', userId: 'u', receivedAt: '1999-01-01T00:00:00Z', context: { ip: '0.0.0.0' } })
    .data as Record<string, unknown>;
  assert.equal(data['receivedAt'], '2026-05-05T12:00:00.000Z');
  assert.deepEqual(data['context'], { ip: '0.0.0.0' });
});

test('context, integrations and sentAt of the batch hold for its events; what an event says wins', () => {
  const batch = {
    context: { library: { name: 'l' }, ip: '198.51.100.1' },
    integrations: { All: false, Kafka: true },
    sentAt: '2026-05-05T11:00:00.000Z',
  };
  const plain = complete({ type: 'page', userId: 'u' }, { batch }).data as Record<string, unknown>;
  assert.deepEqual(plain['context'], batch.context);
  assert.deepEqual(plain['integrations'], batch.integrations);
  assert.equal(plain['sentAt'], batch.sentAt);
  const own = {
    type: 'page',
    userId: 'u',
    context: { ip: '203.0.113.9', page: 1 },
    integrations: { Kafka: false },
    sentAt: '2026-05-05T11:30:00.000Z',
  };
  const merged = complete(own, { batch }).data as Record<string, unknown>;
  assert.deepEqual(merged['context'], { library: { name: 'l' }, ip: '203.0.113.9', page: 1 });
  assert.deepEqual(merged['integrations'], { All: false, Kafka: false });
  assert.equal(merged['sentAt'], own.sentAt);
});

test('numbers keep their digits', () => {
  const text =
    '{"type":"page","userId":"u","properties":{"id":12345678901234567890,"price":1.10,"small":1e-7,"zero":-0}}';
  assert.match(
    String(complete(parseJson(text)).bytes),
    /"id":12345678901234567890,"price":1.10,"small":1e-7,"zero":-0/,
  );
});

test('__proto__ and its like are data and change nothing else', () => {
  const text =
    '{"type":"page","userId":"u","__proto__":{"polluted":1},"context":{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}}';
  const batch = { context: parseJson('{"__proto__":{"z":1}}') as { [key: string]: JsonValue }, integrations: null };
  const printed = String(complete(parseJson(text), { batch: { ...batch, sentAt: undefined } }).bytes);
  assert.match(printed, /"__proto__":\{"polluted":1\}/);
  assert.match(printed, /"context":\{"__proto__":\{"x":1\}/);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(Object.getOwnPropertyNames(Object.prototype).includes('x'), false);
  const noIds = completeEvent(parseJson('{"type":"page","__proto__":{"userId":"u"}}') as JsonValue, facts);
  assert.ok(isFault(noIds), 'an id in __proto__ is no id');
});

test('lone surrogates are kept as they were escaped', () => {
  const record = complete(parseJson('{"type":"page","userId":"u","name":"\\ud800x\\udfff"}'));
  assert.match(String(record.bytes), /"name":"\\ud800x\\udfff"/);
});

test('of a field that stands twice the last counts', () => {
  const record = complete(parseJson('{"type":"page","userId":"a","userId":"b","name":1,"name":2}'));
  assert.match(String(record.bytes), /^\{"type":"page","userId":"b","name":2,/);
});

test('64 levels are taken, 65 refused', () => {
  const nested = (levels: number): unknown => parseJson('['.repeat(levels) + ']'.repeat(levels));
  complete({ type: 'page', userId: 'u', properties: nested(63) });
  const result = completeEvent({ type: 'page', userId: 'u', properties: nested(64) as JsonValue }, facts);
  assert.ok(isFault(result));
  assert.match(result.message, /64 levels/);
  const objects = parseJson('{"a":'.repeat(64) + '1' + '}'.repeat(64)) as JsonValue;
  assert.ok(isFault(completeEvent({ type: 'page', userId: 'u', properties: objects }, facts)));
});

test('ids may be numbers, also long ones', () => {
  complete(parseJson('{"type":"page","userId":7}'));
  complete(parseJson('{"type":"page","userId":"","anonymousId":12345678901234567890}'));
  complete(parseJson('{"type":"group","anonymousId":"a","groupId":0}'));
});
