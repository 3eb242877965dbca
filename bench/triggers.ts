/** How many records a second a trigger answers on one core, beside Segment's own evaluator: `node bench/triggers.ts [--short] [--json]`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseFql, validate } from '@segment/destination-subscriptions';
import { compileTrigger, lintTrigger, parseTrigger, type Condition } from '../src/mapping/triggers/index.ts';
import type { JsonValue } from '../src/model/index.ts';
import { machine } from './support/machine.ts';

const TARGET = 5_000_000;
const short = process.argv.includes('--short');
const asJson = process.argv.includes('--json');
const print = (text: string): void => {
  if (!asJson) console.log(text);
};
const rounds = short ? 3 : 7;
const turns = short ? 500 : 3000;

const cases: readonly [name: string, trigger: string][] = [
  ['three clauses', 'type = "track" and event != "Heartbeat" and properties.total > 10'],
  ['one clause', 'type = "track"'],
  ['default of five', 'type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"'],
  ['contains and match', 'type = "track" and contains(event, "Order") and match(userId, "u1*")'],
  ['nested path', 'context.library.name = "analytics-node" and properties.coupon = null'],
  ['list and glob (ours only)', 'type in ["track", "page"] and match(event, "Or[a-z]er ?omp*")'],
];

/** Events of 560 bytes in several shapes, so that no property is always at the same place. */
const records: JsonValue[] = Array.from({ length: 1024 }, (_, index) => {
  const properties = {
    orderId: `A-${index}`,
    total: index % 20,
    currency: 'EUR',
    items: [{ sku: 'x1', n: 2 }],
    ...(index % 3 === 0 ? { coupon: null } : { first: index % 2 === 0 }),
  };
  const event = {
    ...(index % 4 === 0 ? { channel: 'server' } : {}),
    type: index % 7 === 0 ? 'page' : 'track',
    event: index % 5 === 0 ? 'Heartbeat' : 'Order Completed',
    userId: `u${index}`,
    messageId: `0f1b4d0e-7c1f-4a53-9f4e-0a6e1c7d${String(index).padStart(4, '0')}`,
    timestamp: '2024-05-01T12:34:56.123Z',
    receivedAt: '2024-05-01T12:34:56.223Z',
    context: { ip: '127.0.0.1', library: { name: 'analytics-node', version: '3.1.0' } },
    properties,
  };
  return JSON.parse(JSON.stringify(event)) as JsonValue;
});

const on = machine();
const oracle = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@segment/destination-subscriptions/package.json'), 'utf8'),
) as { version: string };
print(
  `Headrace ${on.headrace} at ${on.commit}, @segment/destination-subscriptions ${oracle.version}, Node ${on.node}, ${on.cores} cores of ${on.cpu}, ${on.memoryGiB} GiB, ${on.system}; load before ${on.loadBefore}; ${on.at}`,
);
print(`${rounds} rounds of ${turns * records.length} evaluations each, ours and Segment's in turn, one thread.`);
print('M/s by the clock of the wall (and by the time this process had a core, which other work does not spoil).\n');

// As in a running server: many triggers in one process, so that the engine cannot tailor the code to one of them.
const all = cases.map(([, text]) => compile(text));
for (let turn = 0; turn < 20; turn++) for (const condition of all) for (const record of records) condition(record);

let best = 0;
const figures: object[] = [];
for (const [name, text] of cases) {
  const ours = compile(text);
  const subscription = parseFql(text);
  const comparable = lintTrigger(text).length === 0;
  const theirs: Condition = (data) => validate(subscription, data as Record<string, unknown>);
  const oursRates: Rate[] = [];
  const theirRates: Rate[] = [];
  for (let round = 0; round < rounds; round++) {
    oursRates.push(measure(ours));
    if (comparable) theirRates.push(measure(theirs));
  }
  if (name === 'three clauses') best = Math.max(...oursRates.map((rate) => rate.cpu));
  const ratio = comparable ? Math.round((median(oursRates) / median(theirRates)) * 10) / 10 : null;
  figures.push({
    name,
    trigger: text,
    best: Math.round(Math.max(...oursRates.map((rate) => rate.cpu))),
    median: Math.round(median(oursRates)),
    ratio,
    target: name === 'three clauses' ? TARGET : null,
  });
  print(`${name}: ${text}`);
  print(`  ours     ${line(oursRates)}`);
  if (ratio !== null) print(`  segment  ${line(theirRates)}\n  ratio of medians ${ratio}`);
}
if (asJson) console.log(JSON.stringify({ figures }));
print(
  `\nthree clauses: ${(best / 1e6).toFixed(1)} M/s a core, target ${TARGET / 1e6} M/s: ${best >= TARGET ? 'met' : 'MISSED'}`,
);

interface Rate {
  readonly wall: number;
  readonly cpu: number;
}

function measure(condition: Condition): Rate {
  let passed = 0;
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) for (const record of records) if (condition(record)) passed++;
  const cpu = process.cpuUsage(startedCpu);
  const wallMs = performance.now() - startedMs;
  if (passed === 0) throw new Error('nothing passes: the records do not fit the trigger');
  const count = turns * records.length;
  return { wall: (count / wallMs) * 1000, cpu: (count / (cpu.user + cpu.system)) * 1e6 };
}

function median(rates: readonly Rate[]): number {
  return rates.map((rate) => rate.cpu).sort((a, b) => a - b)[rates.length >> 1]!;
}

function line(rates: readonly Rate[]): string {
  const raw = rates.map(({ wall, cpu }) => `${(wall / 1e6).toFixed(1)} (${(cpu / 1e6).toFixed(1)})`).join('  ');
  return `median ${(median(rates) / 1e6).toFixed(1)} M/s  raw ${raw}`;
}

function compile(text: string): Condition {
  const parsed = parseTrigger(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return compileTrigger(parsed.trigger);
}
