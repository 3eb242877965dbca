/** Metrics: names, labels and their bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { Metrics } from './metrics.ts';

const nothing = { destinations: [], syncs: [] };

function written(topic: string, messages: number): Parameters<Metrics['count']>[0] {
  return { kind: 'batch_attempted', destination: 'main', topic, messages, outcome: 'written', reason: null, tookMs: 2 };
}

test('messages are counted by destination and topic, attempts timed', async () => {
  const metrics = new Metrics('1.2.3', systemClock);
  metrics.count(written('orders', 5));
  metrics.count(written('orders', 2));
  const { body, contentType } = await metrics.text(nothing);
  assert.match(contentType, /text\/plain/);
  assert.match(body, /^headrace_messages_delivered_total\{destination="main",topic="orders"\} 7$/m);
  assert.match(body, /^headrace_produce_seconds_count\{destination="main"\} 2$/m);
  assert.match(body, /^headrace_build_info\{version="1\.2\.3",node="v[\d.]+"\} 1$/m);
  assert.match(body, /^process_resident_memory_bytes \d+/m);
});

test('however many topics there are, their labels are bounded', async () => {
  const metrics = new Metrics('1.2.3', systemClock);
  for (let i = 0; i < 1000; i++) metrics.count(written(`topic-${i}`, 1));
  const { body } = await metrics.text(nothing);
  assert.equal(body.match(/^headrace_messages_delivered_total\{/gm)?.length, 201);
  assert.match(body, /topic="other"\} 800$/m);
});

test('what is pending is what it is at the scrape', async () => {
  const metrics = new Metrics('1.2.3', systemClock);
  await metrics.text({ destinations: [{ name: 'gone', pendingMessages: 1, pendingBytes: 9 }], syncs: [] });
  const { body } = await metrics.text({
    destinations: [{ name: 'main', pendingMessages: 4, pendingBytes: 100 }],
    syncs: [],
  });
  assert.match(body, /^headrace_pending_messages\{destination="main"\} 4$/m);
  assert.doesNotMatch(body, /gone/);
});

test('answers of the collector are counted by status and timed in buckets, and stay counted from scrape to scrape', async () => {
  const metrics = new Metrics('1.2.3', systemClock);
  const answer = (status: number, durationMs: number): void =>
    metrics.count({
      kind: 'collector_answered',
      source: 'we"b',
      status,
      code: status === 200 ? null : 'overloaded',
      accepted: status === 200 ? 2 : 0,
      rejected: 0,
      durationMs,
    });
  answer(200, 3);
  answer(200, 30);
  await metrics.text(nothing);
  answer(429, 8_000);
  const { body } = await metrics.text(nothing);
  assert.match(body, /^headrace_collector_answers_total\{source="we\\"b",status="200"\} 2$/m);
  assert.match(body, /^headrace_events_received_total\{source="we\\"b"\} 4$/m);
  assert.match(body, /^headrace_events_rejected_total\{source="we\\"b",code="overloaded"\} 1$/m);
  const buckets = [
    ...body.matchAll(/^headrace_collector_answer_seconds_bucket\{le="([^"]+)",source="we\\"b"\} (\d+)$/gm),
  ];
  const of = new Map(buckets.map(([, bound, count]) => [bound, Number(count)]));
  assert.deepEqual(
    [of.get('0.0025'), of.get('0.005'), of.get('0.05'), of.get('5'), of.get('10'), of.get('+Inf')],
    [0, 1, 2, 2, 3, 3],
  );
});

test('a spool tells its size, or that it cannot be opened', async () => {
  const metrics = new Metrics('1.2.3', systemClock);
  const pending = { pendingMessages: 0, pendingBytes: 0 };
  const { body } = await metrics.text({
    destinations: [
      { name: 'good', ...pending, spool: { messages: 3, bytes: 400, oldestAgeSeconds: 1.5, problem: null } },
      { name: 'bad', ...pending, spool: { messages: 0, bytes: 0, oldestAgeSeconds: 0, problem: 'no such disk' } },
      { name: 'none', ...pending, spool: null },
    ],
    syncs: [],
  });
  assert.match(body, /^headrace_spool_messages\{destination="good"\} 3$/m);
  assert.match(body, /^headrace_spool_bytes\{destination="good"\} 400$/m);
  assert.match(body, /^headrace_spool_oldest_age_seconds\{destination="good"\} 1\.5$/m);
  assert.match(body, /^headrace_spool_unusable\{destination="good"\} 0$/m);
  assert.match(body, /^headrace_spool_unusable\{destination="bad"\} 1$/m);
  assert.doesNotMatch(body, /^headrace_spool_(messages|bytes)\{destination="(bad|none)"\}/m);
});
