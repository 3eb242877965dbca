/** How many records a second the mapping room maps on one core, beside Segment's mapper: `node bench/mapping.ts`. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import { createRequire } from 'node:module';
import { compileMapping } from '../src/mapping/index.ts';
import type { MappingContext } from '../src/mapping/index.ts';
import type { JsonValue, MessageConfig, SourceRecord } from '../src/model/index.ts';

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

measure('JSON lines, forwarded, one @path key', 'rows', lines, { topic: 't', key: '$.userId', payload: '$.' });
measure('JSON lines, added fields', 'rows', lines, { topic: 't', key: '$.userId' });
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
const ours = measure('Segment-like mapping of 12 fields', 'events', theirs, {
  topic: 't',
  payload: { '@literal': segmentMapping },
});
const peer = measurePeer('the same by actions-core', theirs, segmentMapping);
console.log(`              ${(ours / peer).toFixed(1)} times as fast as actions-core`);
measure('Mustache JSON template of 10 fields', 'rows', rows, {
  topic: 't',
  template: `{${Object.keys(rows[0]!.data as object)
    .map((name, index) => (index % 2 === 0 ? `"${name}": {{${name}}}` : `"${name}": "{{${name}}}"`))
    .join(', ')}}`,
});

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
    return { ...record, data: data as JsonValue, bytes: Buffer.from(JSON.stringify(data)) };
  });
}

/** The best of seven rounds, in records a second of processor time: other work on the machine matters less. */
function measure(name: string, kind: 'rows' | 'events', records: SourceRecord[], message: MessageConfig): number {
  const mapping = compileMapping({ message, kind, defaultTopic: null });
  const first = mapping.map(records[0]!, context);
  if ('state' in first) throw new Error(`${name}: ${first.reason}`);
  const perSecond = best(records.length, 300, () => {
    for (const record of records) mapping.map(record, context);
  });
  say(perSecond, `${name} (value ${first.value!.length} bytes)`);
  return perSecond;
}

/** Segment's mapper gives an object; printed, as it would have to be. */
function measurePeer(name: string, records: SourceRecord[], mapping: JsonValue): number {
  type Transform = (mapping: unknown, data: unknown) => unknown;
  const { transform } = createRequire(import.meta.url)('@segment/actions-core/mapping-kit') as { transform: Transform };
  const perSecond = best(records.length, 20, () => {
    for (const record of records) Buffer.from(JSON.stringify(transform(mapping, record.data)));
  });
  say(perSecond, name);
  return perSecond;
}

function best(size: number, turns: number, round: () => void): number {
  let bestUs = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < 7; repeat++) {
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn++) round();
    const { user, system } = process.cpuUsage(before);
    bestUs = Math.min(bestUs, user + system);
  }
  return Math.round((turns * size) / (bestUs / 1e6));
}

function say(perSecond: number, what: string): void {
  console.log(`${perSecond.toLocaleString('en').padStart(12)} /s  ${what}`);
}
