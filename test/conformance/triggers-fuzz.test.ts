/** Random texts as triggers: no crash, no time-out, positions in range. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lintTrigger, parseTrigger } from '../../src/mapping/triggers/index.ts';
import { announceSeed, random } from '../support/random.ts';
import { fuzzTriggers } from '../support/trigger-fuzz.ts';
import { broken } from '../support/triggers.ts';

test('50,000 random texts crash nothing', { timeout: 60_000 }, (t) => {
  announceSeed((line) => t.diagnostic(line));
  const counts = fuzzTriggers(random('trigger fuzz'), 50_000);
  t.diagnostic(`${counts.parsed} parsed, ${counts.refused} refused`);
  assert.ok(counts.parsed > 5_000 && counts.refused > 5_000);
});

test('no long text takes longer than its length explains', (t) => {
  announceSeed((line) => t.diagnostic(line));
  const source = random('long triggers');
  const pieces = [
    '(',
    '!',
    '[',
    '"',
    "'",
    '\\',
    'a.',
    'and ',
    'a or ',
    'contains(a, ',
    '1',
    '-',
    '$[',
    '((a',
    'a in [1, ',
    '\n',
    'a = "x" and ',
    '😀',
  ];
  for (const piece of pieces) {
    const text = broken(source, piece.repeat(Math.floor(90_000 / piece.length)));
    const started = process.cpuUsage();
    parseTrigger(text);
    lintTrigger(text);
    assert.ok(process.cpuUsage(started).user < 3_000_000, `${JSON.stringify(piece)} took too long`);
  }
});
