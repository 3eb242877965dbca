/** The ledger of seeds adds up what is green, and forgets nothing that was red. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { appendEntry, readEntries, totals, type SeedEntry } from './seed-ledger.ts';

function entry(given: Partial<SeedEntry>): SeedEntry {
  return {
    fault: 'F5',
    subject: 'delivery',
    title: 'killed',
    seed: '0x1',
    commit: 'abc',
    at: '2026-01-01T00:00:00.000Z',
    versions: {},
    faults: 3,
    counts: { expected: 100 },
    lost: 0,
    duplicated: 0,
    allowed: 0,
    reordered: 0,
    wrong: 0,
    gapMs: 10,
    figures: {},
    seconds: 1,
    verdict: 'green',
    ...given,
  };
}

test('lines of all faults are read back, each once, and added up by fault', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-ledger-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const one of [entry({}), entry({}), entry({ seed: '0x2', gapMs: 30 }), entry({ fault: 'F10', faults: 200 })])
    appendEntry(folder, one);
  const { totals: sums, open } = totals(readEntries(folder));
  assert.deepEqual(
    sums.map(({ fault, faults, runs, worst }) => [fault, faults, runs, worst['gapMs']]),
    [
      ['F5', 6, 2, 30],
      ['F10', 200, 1, 10],
    ],
  );
  assert.deepEqual(open, []);
});

test('a red run is not counted, and stays open until the same seed is green', () => {
  const red = entry({ verdict: 'red', lost: 1, why: 'lost' });
  const other = entry({ seed: '0x2', at: '2026-01-02T00:00:00.000Z' });
  assert.deepEqual(totals([red, other]).open, [red]);
  assert.equal(totals([red, other]).totals[0]!.faults, 3);
  const repeated = entry({ at: '2026-01-03T00:00:00.000Z' });
  assert.deepEqual(totals([red, other, repeated]).open, []);
  assert.deepEqual(totals([red, other, repeated]).settled, [red]);
});
