/** The times of an event: clock skew corrected, never NaN. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoTime } from '../../base/clock.ts';
import { parseJson } from '../../base/json.ts';
import type { JsonValue } from '../../model/index.ts';
import { eventTimes, printTime, readTime, readTimeBytes } from './times.ts';

const receivedAtMs = Date.parse('2026-05-05T12:00:00.000Z');
const receivedAt = '2026-05-05T12:00:00.000Z';
const times = (client: JsonValue | undefined, sentAt: JsonValue | undefined): unknown[] => {
  const { originalTimestamp, timestamp } = eventTimes(client, sentAt, receivedAtMs);
  return [originalTimestamp, timestamp];
};

test('a client’s wrong clock is corrected by when it said it was sending', () => {
  // Its clock is an hour slow; the event happened 90 s before it was sent.
  const client = '2026-05-05T10:58:30.000Z';
  assert.deepEqual(times(client, '2026-05-05T11:00:00.000Z'), [client, '2026-05-05T11:58:30.000Z']);
  assert.deepEqual(times(client, '2026-05-05T13:00:00+02:00'), [client, '2026-05-05T11:58:30.000Z']);
});

test('without a readable sentAt the client’s time stands', () => {
  const client = '2026-05-05T10:58:30+02:00';
  for (const sentAt of [undefined, null, '', 'soon', {}, 0, '0001-01-01T00:00:00Z'] as (JsonValue | undefined)[])
    assert.deepEqual(times(client, sentAt), [client, client]);
});

test('without a client’s time it happened when it was sent, or received', () => {
  const sentAt = '2026-05-05T11:00:00.000Z';
  for (const client of [undefined, null, ''] as (JsonValue | undefined)[]) {
    assert.deepEqual(times(client, sentAt), [sentAt, receivedAt]);
    assert.deepEqual(times(client, 'soon'), [receivedAt, receivedAt]);
  }
});

test('a client’s time that cannot be read is kept, and not believed', () => {
  for (const client of ['yesterday', '2026-13-01T00:00:00.000Z', '2026-05-05T25:00:00Z', {}, [], true, 1e300])
    assert.deepEqual(times(client, '2026-05-05T11:00:00.000Z'), [client, receivedAt]);
});

test('a correction beyond what can be printed is not made', () => {
  const client = '9999-12-31T23:59:59.999Z';
  assert.deepEqual(times(client, '1970-01-02T00:00:00.000Z'), [client, receivedAt]);
});

test('timestamp is always a time, never NaN', () => {
  const value = fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, undefined, '', '2026-02-30T00:00:00Z', '9999-12-31', '0000-01-01T00:00'),
  ) as fc.Arbitrary<JsonValue | undefined>;
  fc.assert(
    fc.property(value, value, (client, sentAt) => {
      const { timestamp } = eventTimes(client, sentAt, receivedAtMs);
      assert.ok(!Number.isNaN(readTime(timestamp)), JSON.stringify(timestamp));
    }),
    { numRuns: 2000 },
  );
});

test('times are read as clients of all languages write them', () => {
  const moment = Date.parse('2026-05-05T12:34:56.789Z');
  for (const text of [
    '2026-05-05T12:34:56.789Z',
    '2026-05-05T12:34:56.789123Z',
    '2026-05-05T12:34:56.789123456+00:00',
    '2026-05-05 12:34:56.789',
    '2026-05-05T14:34:56.789+0200',
    '2026-05-05T14:34:56,789 +02',
    '2026-05-05t05:04:56.789-07:30',
    ` 2026-05-05T12:34:56.789Z `,
  ])
    assert.equal(readTime(text), moment, text);
  assert.equal(readTime(moment), moment);
  assert.equal(readTime(1_777_984_496), 1_777_984_496_000);
  assert.equal(readTime(parseJson('1777984496.10') as JsonValue), 1_777_984_496_100);
  assert.equal(readTime('2026-05-05'), Date.parse('2026-05-05T00:00:00Z'));
});

test('the fast ways to read and print times agree with Date', () => {
  const part = (most: number, width: number): fc.Arbitrary<string> =>
    fc.integer({ min: 0, max: most }).map((number) => String(number).padStart(width, '0'));
  const text = fc
    .tuple(part(9999, 4), part(13, 2), part(32, 2), part(25, 2), part(60, 2), part(60, 2), part(999, 3))
    .map(
      ([year, month, day, hour, minute, second, ms]) => `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`,
    );
  fc.assert(
    fc.property(text, (plain) => {
      const expected = Date.parse(plain);
      assert.equal(readTime(plain), expected);
      const bytes = Buffer.from(`"${plain}"`);
      assert.equal(readTimeBytes(bytes, 1, bytes.length - 1), expected);
      if (!Number.isNaN(expected) && expected <= Date.parse('9999-12-31T23:59:59.999Z'))
        assert.equal(printTime(expected), isoTime(expected));
    }),
    { numRuns: 5000 },
  );
  assert.ok(Number.isNaN(readTime('2026-05-05T12:34:56.78\u0139Z')), 'a letter is not taken for a digit');
});
