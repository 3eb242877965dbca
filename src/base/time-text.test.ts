/** Times as text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTime } from './time-text.ts';

const noon = Date.UTC(2024, 4, 1, 12);

test('text with and without zone, in any process time zone', () => {
  const before = process.env['TZ'];
  process.env['TZ'] = 'America/New_York';
  try {
    for (const [text, epochMs] of [
      ['2024-05-01T12:00:00Z', noon],
      ['2024-05-01T12:00:00.123Z', noon + 123],
      ['2024-05-01T12:00:00.123999999z', noon + 123],
      ['2024-05-01 12:00:00', noon],
      ['2024-05-01 12:00', noon],
      ['2024-05-01 12:00Z', noon],
      ['2024-05-01 12:00:00,5', noon + 500],
      ['2024-05-01 12:00:00.05', noon + 50],
      ['2024-05-01', Date.UTC(2024, 4, 1)],
      ['2024-05-01T14:00:00+02:00', noon],
      ['2024-05-01 14:00:00.5+02', noon + 500],
      ['2024-05-01 14:00:00 +0200', noon],
      ['2024-05-01 06:30:00-0530', noon],
      ['2024-05-01 12:00:30+00:00:30', noon],
      ['2024-05-01 12:00:00 UTC', noon],
      ['2024-02-29', Date.UTC(2024, 1, 29)],
      ['2000-02-29', Date.UTC(2000, 1, 29)],
    ] as const)
      assert.equal(parseTime(text), epochMs, text);
  } finally {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  }
});

test('what is no time', () => {
  for (const text of [
    '',
    'now',
    '2024-13-01',
    '2024-00-01',
    '2024-01-00',
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-05-01T',
    '2024-05-01T24:00:00Z',
    '2024-05-01T12:60:00Z',
    '2024-05-01T12:00:60Z',
    '2024-05-01T12:00:00.Z',
    '2024-05-01T12:00:00ZZ',
    '2024-05-01T1:00:00Z',
    '2024-05-01T12:00:00+99:00',
    '2024-05-01T12:00:00 Europe/Berlin',
    '2024-05-01Z12',
    '01/02/2024',
    '+002024-05-01',
    'infinity',
    '２０24-05-01',
  ])
    assert.ok(Number.isNaN(parseTime(text)), text);
});

test('every millisecond that Date prints reads back', () => {
  const latest = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1000, 0, 1), max: latest }), (epochMs) => {
      assert.equal(parseTime(new Date(epochMs).toISOString()), epochMs);
    }),
    { numRuns: 3000 },
  );
});
