/** Times in all their forms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawNumber } from '../../base/json.ts';
import { readTimestamp } from './timestamp.ts';

const noon = Date.UTC(2024, 4, 1, 12);

test('what is no time', () => {
  for (const text of [
    '',
    'now',
    '2024-13-01',
    '2023-02-29',
    '2024-05-01T24:00:00Z',
    '2024-05-01T12:60:00Z',
    '01/02/2024',
    'infinity',
    '2024-05-01T12:00:00+99:00',
    '2024-05-01Z12',
  ])
    assert.equal(readTimestamp(text, undefined), 'cannot be read as a time', text);
  for (const value of [true, {}, [], Number.NaN, Number.POSITIVE_INFINITY, 1e30])
    assert.equal(readTimestamp(value, undefined), 'cannot be read as a time');
  for (const value of [-1, '-5', '1969-12-31', '1970-01-01T00:00:00+01:00'])
    assert.match(String(readTimestamp(value, undefined)), /before 1970/);
});

test('epochs by size or by unit, as numbers, digits kept, and text', () => {
  for (const [value, unit, epochMs] of [
    [1714564800, undefined, noon],
    ['1714564800', undefined, noon],
    [1714564800.123, undefined, noon + 123],
    [rawNumber('1714564800.120'), undefined, noon + 120],
    [1714564800123, undefined, noon + 123],
    [1714564800123456, undefined, noon + 123],
    [5000, 'ms', 5000],
    [5000, 's', 5_000_000],
    [5000, 'us', 5],
    [0, undefined, 0],
    [99_999_999_999, undefined, 99_999_999_999_000],
    [100_000_000_000, undefined, 100_000_000_000],
    [99_999_999_999_999, undefined, 99_999_999_999_999],
    [100_000_000_000_000, undefined, 100_000_000_000],
  ] as const)
    assert.equal(readTimestamp(value, unit), epochMs, `${JSON.stringify(value)} ${unit}`);
});
