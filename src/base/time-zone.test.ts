/** Zones: the hours that clocks skip and repeat. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLocal, isTimeZone, zoneOffset } from './time-zone.ts';

test('offsets in summer, winter and long ago', () => {
  const berlin = zoneOffset('Europe/Berlin');
  assert.equal(berlin(Date.UTC(2024, 0, 1)), 3_600_000);
  assert.equal(berlin(Date.UTC(2024, 6, 1)), 7_200_000);
  assert.equal(berlin(Date.UTC(2024, 2, 31, 0, 59, 59)), 3_600_000);
  assert.equal(berlin(Date.UTC(2024, 2, 31, 1)), 7_200_000);
  assert.equal(zoneOffset('America/St_Johns')(Date.UTC(2024, 0, 1)), -12_600_000);
  assert.equal(zoneOffset('+05:45')(0), 20_700_000);
  assert.equal(zoneOffset('UTC')(0), 0);
  assert.ok(isTimeZone('Asia/Tokyo') && !isTimeZone('Asia/Tokio') && !isTimeZone(''));
});

test('local times that are skipped or repeated', () => {
  const berlin = zoneOffset('Europe/Berlin');
  const local = (hour: number, minute: number, month: number, day: number): string =>
    new Date(fromLocal(Date.UTC(2024, month - 1, day, hour, minute), berlin)).toISOString().slice(5, 16);
  assert.equal(local(1, 59, 3, 31), '03-31T00:59');
  assert.equal(local(2, 30, 3, 31), '03-31T01:30');
  assert.equal(local(3, 0, 3, 31), '03-31T01:00');
  assert.equal(local(2, 30, 10, 27), '10-27T00:30');
  assert.equal(local(3, 0, 10, 27), '10-27T02:00');
  const york = zoneOffset('America/New_York');
  assert.equal(new Date(fromLocal(Date.UTC(2024, 10, 3, 1, 30), york)).toISOString().slice(11, 16), '05:30');
  assert.equal(new Date(fromLocal(Date.UTC(2024, 2, 10, 2, 30), york)).toISOString().slice(11, 16), '07:30');
});
