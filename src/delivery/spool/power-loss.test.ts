/**
 * F20, G8: the power fails at any step, and of what was not flushed any part may be on the disk. Whatever was answered is
 * delivered before or sent after, each request is there whole or not at all (P38), and it starts by itself. Requests go to
 * several topics and partitions, of which some go on while others wait: each keeps its order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount } from '../../../test/support/scenario.ts';
import { announceSeed, random, type Random } from '../../../test/support/random.ts';
import { RecordedFiles, afterPowerLoss } from '../../../test/support/recorded-files.ts';
import { appendEntry, commitOfTree, type SeedEntry } from '../../../test/support/seed-ledger.ts';
import { PlayedDelivery, item, openSpool, turns } from '../../../test/support/spool.ts';
import type { SpooledMessage } from './frame.ts';
import { parkedTopic } from './releases.ts';

const PARKED = parkedTopic('a sync');
const TOPICS = ['orders', PARKED, 'clicks', 'büro.1'];

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
  readonly messages: Map<string, SpooledMessage['message']>;
}

/** Each a slice of a few minutes. */
const PARTS = Array.from({ length: amount(1, 5) }, (_, at) => at + 1);

for (const part of PARTS)
  test(
    `F20: the power fails at every step of many traces (part ${part} of ${PARTS.length})`,
    { timeout: 600_000 },
    async (t) => {
      const title = `part ${part}`;
      const seed = announceSeed((line) => t.diagnostic(line));
      const began = performance.now();
      const traces = amount(500, 4_000);
      let points = 0;
      let messages = 0;
      for (let number = 0; number < traces; number++) {
        const draw = random(`power loss ${title} ${number}`);
        const trace = await makeTrace(draw);
        messages += trace.messages.size;
        for (let count = 0; count <= trace.files.steps.length; count++) {
          const left = afterPowerLoss(trace.initial, trace.files.steps, count, draw);
          await judge(trace, left, count, `${title}, trace ${number}, step ${count}`);
          points++;
        }
      }
      const entry: SeedEntry = {
        fault: 'F20',
        subject: 'delivery',
        title: `the power fails at every step of many traces (${title})`,
        seed,
        commit: commitOfTree(),
        at: new Date().toISOString(),
        versions: { node: process.version },
        faults: traces,
        counts: { expected: messages, points },
        lost: 0,
        duplicated: 0,
        allowed: 0,
        reordered: 0,
        wrong: 0,
        gapMs: null,
        figures: {},
        seconds: Math.round((performance.now() - began) / 1000),
        verdict: 'green',
      };
      t.diagnostic(JSON.stringify(entry));
      const ledger = process.env['HEADRACE_LEDGER'];
      if (ledger) appendEntry(ledger, entry);
    },
  );

async function makeTrace(draw: Random): Promise<Trace> {
  const files = new RecordedFiles();
  const trace: Trace = { initial: new Map(), files, batches: [], deliveredAt: new Map(), messages: new Map() };
  const topics = TOPICS.slice(0, draw.between(1, TOPICS.length));
  const { spool } = await openSpool(files, { segmentBytes: draw.between(300, 1500), parked: () => true });
  const delivery = new PlayedDelivery();
  delivery.flows = false;
  spool.attach(delivery.as);
  delivery.outcome = (message) => {
    trace.deliveredAt.set(String(message.value), files.steps.length);
    return { state: 'delivered' };
  };
  const actions = draw.between(2, 7);
  for (let action = 0; action < actions; action++) {
    for (let more = draw.below(4); more > 0; more--) append(trace, topics, spool, draw);
    // Each topic at its own pace; some cannot go on for a while.
    for (const topic of topics) {
      if (draw.chance(0.1))
        delivery.hold({ action: 'park', code: 'topic_missing', reason: 'missing', remedy: '', topic });
      if (draw.chance(0.5)) delivery.settleTopic(topic, draw.below(delivery.lane.length + 1));
    }
    await turns(draw.below(4));
  }
  await turns(3);
  if (draw.chance(0.3)) await spool.close();
  return trace;
}

type Spool = Awaited<ReturnType<typeof openSpool>>['spool'];

function append(trace: Trace, topics: readonly string[], spool: Spool, draw: Random): void {
  const number = trace.batches.length;
  const ids = Array.from({ length: draw.between(1, 4) }, (_, i) => `b${number}-${i}`);
  const batch: Batch = { ids, safeAt: null };
  trace.batches.push(batch);
  const pad = Buffer.from('x'.repeat(draw.below(400)));
  const items = ids.map((id) => {
    const partition = draw.chance(0.5) ? draw.below(3) : null;
    return item(id, { topic: draw.pick(topics), partition, headers: [['pad', pad]] });
  });
  for (const { message } of items) trace.messages.set(String(message.value), message);
  void spool.append(items).then(() => (batch.safeAt = trace.files.steps.length));
}

async function judge(trace: Trace, left: Map<string, Buffer>, count: number, where: string): Promise<void> {
  const delivery = new PlayedDelivery();
  const { spool } = await openSpool(new RecordedFiles(left), {
    parked: () => false,
    release: async (_sync, items) => {
      delivery.delivered.push(...items.map(({ message }) => String(message.value)));
      return true;
    },
  });
  const answered = trace.batches.filter(({ safeAt }) => safeAt !== null && safeAt <= count).flatMap(({ ids }) => ids);
  // Promise 3: before anything new may pass.
  if (answered.some((id) => trace.messages.get(id)!.topic === PARKED))
    assert.ok(spool.holds(PARKED), `${where}: new events of a parked sync overtake those that wait`);
  delivery.outcome = (message) => {
    assert.deepEqual(message, trace.messages.get(String(message.value)), `${where}: changed`);
    return { state: 'delivered' };
  };
  spool.attach(delivery.as);
  for (let i = 0; i < 40 && spool.status.bytes > 0; i++) await turns(1);
  const sent = new Set(delivery.delivered);
  for (const { ids, safeAt } of trace.batches) {
    const done = (id: string): boolean => (trace.deliveredAt.get(id) ?? Infinity) <= count;
    const there = ids.filter((id) => sent.has(id) || done(id));
    if (safeAt !== null && safeAt <= count) assert.deepEqual(there, ids, `${where}: answered and lost`);
    else if (ids.some((id) => sent.has(id))) assert.deepEqual(there, ids, `${where}: a part of a request`);
  }
  for (const [topic, ids] of Map.groupBy(delivery.delivered, (id) => trace.messages.get(id)!.topic)) {
    const order = ids.map((id) => Number(/^b(\d+)/.exec(id)![1]) * 10 + Number(id.split('-')[1]));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
      `${where}: ${topic} reordered`,
    );
    assert.equal(new Set(order).size, order.length, `${where}: sent twice by one process`);
  }
  await spool.close();
}
