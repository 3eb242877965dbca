/** Log lines: what is told, at which level, and how often. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { emptyCounts, type RunFacts } from '../model/index.ts';
import { Describer } from './describe.ts';
import type { BatchAttempted } from './events.ts';

const attempt = (outcome: BatchAttempted['outcome'], reason: string | null = null): BatchAttempted => ({
  kind: 'batch_attempted',
  destination: 'main',
  topic: 'orders',
  messages: 3,
  outcome,
  reason,
  tookMs: 1.5,
});

function clockAt(): { clock: typeof systemClock; forward: (ms: number) => void } {
  let now = 0;
  return { clock: { ...systemClock, monotonic: () => now }, forward: (ms) => (now += ms) };
}

test('a trouble that passes at once is not told at all', () => {
  const describer = new Describer(clockAt().clock);
  assert.equal(describer.describe(attempt('retry', 'no leader')), null);
  assert.equal(describer.describe(attempt('written')), null);
});

test('a trouble that lasts is told once, again after half a minute, and its end once', () => {
  const { clock, forward } = clockAt();
  const describer = new Describer(clock);
  assert.equal(describer.describe(attempt('written')), null);
  assert.equal(describer.describe(attempt('retry', 'no broker')), null);
  forward(1_000);
  assert.equal(describer.describe(attempt('retry', 'no broker'))?.level, 'warn');
  assert.equal(describer.describe(attempt('retry', 'no broker')), null);
  forward(30_000);
  assert.equal(describer.describe(attempt('retry', 'no broker'))?.level, 'warn');
  assert.match(describer.describe(attempt('written'))?.message ?? '', /takes messages again/);
  assert.equal(describer.describe(attempt('written')), null);
});

test('a failed run is an error, one with rejected rows a warning', () => {
  const describer = new Describer(systemClock);
  const run: RunFacts = {
    id: 'r',
    sync: 'orders',
    state: 'succeeded',
    cause: 'manual',
    counts: { ...emptyCounts(), read: 3, delivered: 3 },
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    resumed: 0,
    error: null,
    checkpoint: null,
  };
  const level = (facts: RunFacts): string | undefined => describer.describe({ kind: 'run_ended', run: facts })?.level;
  assert.equal(level(run), 'info');
  assert.equal(level({ ...run, counts: { ...run.counts, rejected: 1 } }), 'warn');
  assert.equal(level({ ...run, state: 'failed' }), 'error');
});

test('what the collector refuses is told once for each cause', () => {
  const describer = new Describer(systemClock);
  const answered = (source: string, code: 'overloaded' | 'json_invalid') =>
    describer.describe({
      kind: 'collector_answered',
      source,
      status: 429,
      code,
      accepted: 0,
      rejected: 0,
      durationMs: 1,
    });
  assert.equal(answered('website', 'overloaded')?.level, 'warn');
  assert.equal(answered('website', 'overloaded'), null);
  assert.equal(answered('website', 'json_invalid')?.level, 'warn');
});
