/**
 * F20, G8: the power fails at any step, and of what was not flushed any part may be on the disk. Whatever was answered is
 * delivered before or sent after, each request is there whole or not at all (P38), and it starts by itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../../../test/support/scenario.ts';
import { announceSeed, random, type Random } from '../../../test/support/random.ts';
import { RecordedFiles, afterPowerLoss } from '../../../test/support/recorded-files.ts';
import { PlayedDelivery, item, openSpool, turns } from '../../../test/support/spool.ts';

interface Batch {
  readonly ids: readonly string[];
  /** Steps recorded when it was answered; null: never. */
  safeAt: number | null;
}

interface Trace {
  readonly initial: Map<string, Buffer>;
  readonly files: RecordedFiles;
  readonly batches: Batch[];
  /** Steps recorded when each was delivered. */
  readonly deliveredAt: Map<string, number>;
}

test('the power fails at every step of many traces', { timeout: amount(240_000, 7_200_000) }, async (t) => {
  announceSeed((line) => t.diagnostic(line));
  const traces = amount(500, 20_000);
  let points = 0;
  for (let number = 0; number < traces; number++) {
    const draw = random(`power loss ${number}`);
    const trace = await makeTrace(draw);
    for (let count = 0; count <= trace.files.steps.length; count++) {
      const left = afterPowerLoss(trace.initial, trace.files.steps, count, draw);
      await judge(trace, left, count, `trace ${number}, step ${count}`);
      points++;
    }
  }
  t.diagnostic(`${traces} traces, ${points} crash points`);
});

async function makeTrace(draw: Random): Promise<Trace> {
  const files = new RecordedFiles();
  const trace: Trace = { initial: new Map(), files, batches: [], deliveredAt: new Map() };
  const { spool } = await openSpool(files, { segmentBytes: draw.between(300, 1500) });
  const delivery = new PlayedDelivery();
  delivery.flows = false;
  spool.attach(delivery.as);
  delivery.outcome = (message) => {
    trace.deliveredAt.set(String(message.value), files.steps.length);
    return { state: 'delivered' };
  };
  const actions = draw.between(2, 7);
  for (let action = 0; action < actions; action++) {
    for (let more = draw.below(4); more > 0; more--) append(trace, spool, draw);
    if (draw.chance(0.6)) delivery.settle(draw.below(delivery.lane.length + 1));
    await turns(draw.below(4));
  }
  await turns(3);
  if (draw.chance(0.3)) await spool.close();
  return trace;
}

function append(trace: Trace, spool: Awaited<ReturnType<typeof openSpool>>['spool'], draw: Random): void {
  const number = trace.batches.length;
  const ids = Array.from({ length: draw.between(1, 4) }, (_, i) => `b${number}-${i}`);
  const batch: Batch = { ids, safeAt: null };
  trace.batches.push(batch);
  const pad = Buffer.from('x'.repeat(draw.below(400)));
  void spool
    .append(ids.map((id) => item(id, { headers: [['pad', pad]] })))
    .then(() => (batch.safeAt = trace.files.steps.length));
}

async function judge(trace: Trace, left: Map<string, Buffer>, count: number, where: string): Promise<void> {
  const { spool } = await openSpool(new RecordedFiles(left));
  const delivery = new PlayedDelivery();
  spool.attach(delivery.as);
  for (let i = 0; i < 40 && spool.status.bytes > 0; i++) await turns(1);
  const sent = new Set(delivery.delivered);
  for (const { ids, safeAt } of trace.batches) {
    const done = (id: string): boolean => (trace.deliveredAt.get(id) ?? Infinity) <= count;
    const there = ids.filter((id) => sent.has(id) || done(id));
    if (safeAt !== null && safeAt <= count) assert.deepEqual(there, ids, `${where}: answered and lost`);
    else if (ids.some((id) => sent.has(id))) assert.deepEqual(there, ids, `${where}: a part of a request`);
  }
  const order = delivery.delivered.map((id) => Number(/^b(\d+)/.exec(id)![1]) * 10 + Number(id.split('-')[1]));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    `${where}: reordered`,
  );
  assert.equal(new Set(order).size, order.length, `${where}: sent twice by one process`);
  await spool.close();
}
