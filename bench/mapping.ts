/**
 * How many records a second the mapping room maps on one core, beside Segment's mapper, in one process as in a running
 * server: `node bench/mapping.ts [--short] [--json]`. Records are parsed before the clock starts, as the collector and
 * the readers hand them on, unless the line says that they are not; each ends as the bytes of a message.
 */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import { createRequire } from 'node:module';
import { compileMapping, type MappingContext } from '../src/mapping/index.ts';
import { compileExpression } from '../src/mapping/mapping.ts';
import type { JsonValue, MessageConfig, SourceRecord } from '../src/model/index.ts';
import { machine } from './support/machine.ts';

/** One figure, for people and for `npm run bench`. */
export interface MappingFigure {
  readonly name: string;
  /** Records a second of processor time: the best of many short rounds, and the one in the middle. */
  readonly best: number;
  readonly median: number;
  readonly target: number | null;
}

const short = process.argv.includes('--short');
const asJson = process.argv.includes('--json');
const figures: MappingFigure[] = [];

const event = {
  type: 'track',
  event: 'Order Completed',
  userId: 'u-123456',
  messageId: '0f1b4d0e-7c1f-4a53-9f4e-0a6e1c7d0001',
  timestamp: '2024-05-01T12:34:56.123Z',
  receivedAt: '2024-05-01T12:34:56.223Z',
  context: { ip: '127.0.0.1', library: { name: 'analytics-node', version: '3.1.0' } },
  properties: {
    orderId: 'A-1001',
    total: 129.95,
    currency: 'EUR',
    items: [
      { sku: 'x1', n: 2 },
      { sku: 'y2', n: 1 },
    ],
    coupon: null,
    first: true,
  },
};

const context: MappingContext = {
  sync: 'bench',
  source: 'bench',
  syncedAt: '2024-05-01T12:34:56.123Z',
  syncedAtMs: Date.UTC(2024, 4, 1),
  run: 'r1',
};

const rows: SourceRecord[] = Array.from({ length: 512 }, (_, index) => ({
  operation: 'created',
  stream: 'orders.csv',
  namespace: null,
  position: `orders.csv:${index}`,
  data: {
    id: 12345 + index,
    name: `Customer ${index}`,
    email: `customer${index}@example.org`,
    city: 'Amsterdam',
    total: index + 0.95,
    currency: 'EUR',
    created: '2024-05-01 12:34:56',
    active: index % 2 === 0,
    notes: null,
    code: `AB-${index}`,
  },
  bytes: null,
  receivedAtMs: null,
  messageId: null,
}));

const events: SourceRecord[] = Array.from({ length: 512 }, (_, index) => {
  const data: JsonValue = { ...event, userId: `u-${100000 + index}` };
  return {
    operation: 'none',
    stream: 'track',
    namespace: null,
    position: String(index),
    data,
    bytes: Buffer.from(JSON.stringify(data)),
    receivedAtMs: 1_714_566_896_223,
    messageId: 'm',
  };
});

const lines: SourceRecord[] = events.map(({ bytes }, index) => ({
  operation: 'created',
  stream: 'events.jsonl',
  namespace: null,
  position: String(index),
  get data(): JsonValue {
    return JSON.parse(bytes!.toString()) as JsonValue;
  },
  bytes,
  unparsed: true,
  receivedAtMs: null,
  messageId: null,
}));

if (!asJson) {
  const on = machine();
  console.log(
    `Headrace ${on.headrace} at ${on.commit}, Node ${on.node}, ${on.cores} cores of ${on.cpu}, ${on.system}; load before ${on.loadBefore}; ${on.at}`,
  );
}

measure('JSON lines, not parsed yet, forwarded, one @path key', 'rows', lines, {
  topic: 't',
  key: '$.userId',
  payload: '$.',
});
measure('JSON lines, not parsed yet, added fields', 'rows', lines, { topic: 't', key: '$.userId' });
measure('CSV rows of 10 columns, added fields, key', 'rows', rows, { topic: 't', key: '$.id' });
measure('CSV rows of 10 columns, columns', 'rows', rows, {
  topic: 't',
  key: '$.id',
  columns: Object.keys(rows[0]!.data as object).map((from) => ({ from, to: `x_${from}` })),
});
measure('events, forwarded, key, topic template', 'events', events, {
  topic: 'web.{{type}}',
  key: { '@coalesce': ['$.userId', '$.anonymousId'] },
});
measure('events, payload of 12 fields', 'events', events, {
  topic: 't',
  key: '$.userId',
  timestamp: '$.timestamp',
  payload: {
    type: '$.type',
    name: '$.event',
    user: '$.userId',
    id: '$.messageId',
    at: '$.timestamp',
    ip: '$.context.ip',
    library: 'lib {{context.library.name}}@{{context.library.version}}',
    order: '$.properties.orderId',
    total: '$.properties.total',
    currency: '$.properties.currency',
    // oxlint-disable-next-line unicorn/no-thenable -- an argument of @if, never a function
    coupon: { '@if': { exists: '$.properties.coupon', then: '$.properties.coupon', else: 'none' } },
    first: '$.properties.items[0].sku',
  },
});

// As Segment's own benchmark has it: twelve fields, mixed directives, an event of about 560 bytes.
const segmentMapping: JsonValue = {
  type: { '@path': '$.type' },
  name: { '@path': '$.event' },
  user: {
    '@if': { exists: { '@path': '$.userId' }, then: { '@path': '$.userId' }, else: { '@path': '$.anonymousId' } },
  },
  id: { '@path': '$.messageId' },
  at: { '@path': '$.timestamp' },
  ip: { '@path': '$.context.ip' },
  library: { '@template': '{{context.library.name}}@{{context.library.version}}' },
  order: { '@case': { operator: 'lower', value: { '@path': '$.properties.orderId' } } },
  total: { '@path': '$.properties.total' },
  products: { '@arrayPath': ['$.properties.items', { id: { '@path': '$.sku' }, quantity: { '@path': '$.n' } }] },
  fixed: 'constant',
  page: { url: { '@path': '$.context.page.url' }, title: { '@path': '$.context.page.title' } },
};
const theirs = segmentEvents();
const bytes = measure(
  'Segment-like mapping of 12 fields, from the parsed record to the bytes of the message',
  'events',
  theirs,
  {
    topic: 't',
    payload: { '@literal': segmentMapping },
  },
);
const value = measureValue('the same, to the mapped value', theirs, segmentMapping, 1_000_000);
const peer = peerTransform();
const peerValue = measureRounds('actions-core, to the mapped value (as it counts itself)', theirs, null, 1, (record) =>
  peer(segmentMapping, record.data),
);
const peerBytes = measureRounds('actions-core, to the mapped value, then printed to bytes', theirs, null, 1, (record) =>
  Buffer.from(JSON.stringify(peer(segmentMapping, record.data))),
);
measure(
  'Mustache JSON template of 10 fields',
  'rows',
  rows,
  {
    topic: 't',
    template: `{${Object.keys(rows[0]!.data as object)
      .map((name, index) => (index % 2 === 0 ? `"${name}": {{${name}}}` : `"${name}": "{{${name}}}"`))
      .join(', ')}}`,
  },
  500_000,
);

const ratios = { value: ratio(value, peerValue), bytes: ratio(bytes, peerBytes), target: 8 };
if (asJson) console.log(JSON.stringify({ figures, ratios }));
else
  console.log(
    `actions-core: ${ratios.value} times as fast to the mapped value, ${ratios.bytes} times to bytes (target 8)`,
  );

/** Of the medians: both sides lose alike to other work. */
function ratio(ours: MappingFigure, other: MappingFigure): number {
  return Math.round((ours.median / other.median) * 10) / 10;
}

function segmentEvents(): SourceRecord[] {
  const page = {
    url: 'https://shop.example.org/cart/checkout?step=3',
    title: 'Checkout',
    referrer: 'https://www.example.com/',
  };
  return events.map((record) => {
    const data = {
      ...(record.data as object),
      anonymousId: 'a-1',
      context: { ...event.context, page, locale: 'en-GB' },
    };
    const text = JSON.stringify(data);
    return { ...record, data: JSON.parse(text) as JsonValue, bytes: Buffer.from(text) };
  });
}

function measure(
  name: string,
  kind: 'rows' | 'events',
  records: SourceRecord[],
  message: MessageConfig,
  target: number | null = null,
): MappingFigure {
  const mapping = compileMapping({ message, kind, defaultTopic: null });
  const first = mapping.map(records[0]!, context);
  if ('state' in first) throw new Error(`${name}: ${first.reason}`);
  const what = `${name} (${first.value!.length} bytes)`;
  return measureRounds(what, records, target, 20, (record) => mapping.map(record, context));
}

function measureValue(name: string, records: SourceRecord[], mapping: JsonValue, target: number): MappingFigure {
  const { evaluate } = compileExpression({ '@literal': mapping });
  return measureRounds(name, records, target, 20, (record) => evaluate(record.data, record, context));
}

type Transform = (mapping: unknown, data: unknown) => unknown;

function peerTransform(): Transform {
  const { transform } = createRequire(import.meta.url)('@segment/actions-core/mapping-kit') as { transform: Transform };
  return transform;
}

/**
 * Rounds of some ten milliseconds of processor time, of which other work on the machine spoils some and not all. Long
 * enough that the garbage of a round is collected within it.
 */
function measureRounds(
  name: string,
  records: SourceRecord[],
  target: number | null,
  turns: number,
  once: (record: SourceRecord) => unknown,
): MappingFigure {
  const perSecond: number[] = [];
  const rounds = short ? 10 : 100;
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn++) for (const record of records) once(record);
    const { user, system } = process.cpuUsage(before);
    perSecond.push((turns * records.length) / ((user + system) / 1e6));
  }
  perSecond.sort((a, b) => b - a);
  const figure = { name, best: Math.round(perSecond[0]!), median: Math.round(perSecond[rounds >> 1]!), target };
  figures.push(figure);
  if (!asJson) say(figure);
  return figure;
}

function say({ name, best, median, target }: MappingFigure): void {
  const number = (value: number): string => value.toLocaleString('en').padStart(10);
  const verdict =
    target === null ? '' : `  target ${target.toLocaleString('en')}: ${best >= target ? 'met' : 'MISSED'}`;
  console.log(`${number(best)} /s, median ${number(median)} /s  ${name}${verdict}`);
}
