/** The fast way through a body and the slow one must be one: what the scan completes, parsing completes alike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../base/json.ts';
import { eventTypes } from '../../model/index.ts';
import type { JsonValue } from '../../model/index.ts';
import { completeBatch } from './batch.ts';
import { completeEvent, isFault } from './event.ts';
import type { EventFacts } from './event.ts';
import { openBody } from './open-body.ts';
import { EventScan } from './scan.ts';

const limits = { maxEventBytes: 400, maxBatchEvents: 10 };
const factsOf = (): EventFacts => {
  let made = 0;
  return { receivedAtMs: 1_777_984_496_789, ip: '2001:db8::7', newMessageId: () => `made-${made++}` };
};

const usualTime = fc
  .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const time = fc.oneof(
  { weight: 2, arbitrary: usualTime },
  fc.constantFrom(`2026-05-05${' '.repeat(70)}`, `${' '.repeat(2000)}2026-05-05`),
  fc.constantFrom(
    '',
    'soon',
    '2026-05-05T12:34:56+02:00',
    '0001-01-01T00:00:00Z',
    null,
    1_777_984_496,
    '日本語の時刻です、これは時刻ですか',
  ),
);
const id = fc.oneof(fc.string(), fc.constantFrom('', 'u-1', 'é', null, 7));
const plainId = fc.constantFrom('u-1', 'käse', 'a b', '日本');
const absent = fc.constant(undefined);
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.oneof(arbitrary, absent);
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof(arbitrary, { weight: 20, arbitrary: absent });
const context = fc.oneof(
  fc.constantFrom({}, { ip: '' }, { ip: null }, { ip: '0.0.0.0' }, 'text', null, []),
  fc.record({ ip: optional(fc.constantFrom('198.51.100.1', '', '\\', 7)), library: fc.constant({ name: 'l' }) }),
);
const anyFields = {
  type: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...eventTypes) }, fc.constantFrom('Track', '', 'tracks', 7)),
  userId: optional(fc.oneof({ weight: 3, arbitrary: plainId }, id)),
  anonymousId: optional(fc.oneof({ weight: 3, arbitrary: plainId }, id)),
  event: optional(fc.oneof({ weight: 3, arbitrary: plainId }, id)),
  groupId: optional(plainId),
  previousId: optional(plainId),
  messageId: optional(fc.oneof(plainId, id, fc.constantFrom('m'.repeat(98), 'm'.repeat(99), 'm'.repeat(100)))),
  timestamp: optional(time),
  originalTimestamp: optional(time),
  sentAt: optional(time),
  receivedAt: rarely(time),
  writeKey: rarely(plainId),
  context: optional(context),
  integrations: optional(fc.constantFrom({}, { All: false, 'Kä"fka': { a: 1.5 } }, null, 'x')),
  properties: optional(fc.jsonValue({ maxDepth: 3 })),
  traits: optional(fc.constant({ quote: '"', slash: '/', control: '\u0001', two: '\u2028', high: '😀' })),
};

/** What SDKs send. */
const usualFields = {
  type: fc.constantFrom(...eventTypes),
  userId: plainId,
  event: plainId,
  groupId: plainId,
  previousId: plainId,
  anonymousId: optional(fc.constantFrom('', 'a-1')),
  messageId: optional(plainId),
  timestamp: optional(usualTime),
  originalTimestamp: optional(usualTime),
  sentAt: optional(usualTime),
  context: optional(fc.constantFrom({}, { ip: '198.51.100.1' }, { library: { name: 'l', ip: 1 } })),
  integrations: optional(fc.constantFrom({}, { All: false, 'Kä"fka': { a: 1.5 } })),
  properties: optional(fc.jsonValue({ maxDepth: 2 })),
};

/** An event with its fields in any order. */
const event = fc
  .tuple(
    fc.oneof(fc.record(usualFields), fc.record(anyFields)) as fc.Arbitrary<Record<string, JsonValue | undefined>>,
    fc.infiniteStream(fc.nat()),
  )
  .map(([fields, order]) => {
    const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
    const ranked = entries.map((entry) => [order.next().value as number, entry] as const);
    return Object.fromEntries(ranked.sort((a, b) => a[0] - b[0]).map(([, entry]) => entry)) as {
      [key: string]: JsonValue;
    };
  });

function shown(result: ReturnType<typeof completeEvent>): unknown {
  return isFault(result)
    ? result
    : [
        result.stream,
        result.messageId,
        result.receivedAtMs,
        result.integrations ?? null,
        String(result.bytes),
        result.data,
      ];
}

test('a single event: by scan as by parsing', () => {
  let scanned = 0;
  fc.assert(
    fc.property(event, fc.option(fc.constantFrom(...eventTypes), { freq: 2 }), (raw, other) => {
      const type = other ?? eventTypes.find((known) => known === raw['type']) ?? 'page';
      const opened = openBody(Buffer.from(JSON.stringify(raw)), 'single', 1);
      assert.ok(!('code' in opened));
      const result = opened.single(type, factsOf());
      if (!isFault(result) && result.unparsed) scanned++;
      const expected = completeEvent(parseJson(JSON.stringify(raw)) as JsonValue, { ...factsOf(), type });
      assert.deepEqual(withoutEmpty(shown(result)), withoutEmpty(shown(expected)));
    }),
    { numRuns: 1000 },
  );
  assert.ok(scanned > 100, `only ${scanned} events went the fast way`);
});

test('a batch: by scan as by parsing', () => {
  const envelope = fc.record(
    { batch: fc.array(event, { minLength: 1, maxLength: 11 }), sentAt: time, writeKey: plainId, x: fc.jsonValue() },
    { requiredKeys: ['batch'] },
  );
  fc.assert(
    fc.property(envelope, (raw) => {
      const body = Buffer.from(JSON.stringify(raw));
      const opened = openBody(body, 'batch', limits.maxBatchEvents);
      assert.ok(!('code' in opened));
      assert.equal(opened.writeKey, raw.writeKey ?? null);
      const result = opened.batch(limits, factsOf());
      const expected = completeBatch(parseJson(JSON.stringify(raw)) as JsonValue, body.length, limits, factsOf());
      if ('code' in result || 'code' in expected) return assert.deepEqual(result, expected);
      assert.deepEqual(result.rejected, expected.rejected);
      const all = (batch: typeof expected): unknown[] => batch.records.map((record) => String(record.bytes));
      assert.deepEqual(all(result), all(expected));
    }),
    { numRuns: 1000 },
  );
});

test('what completing shortens counts at its full size', () => {
  const page = { type: 'page', userId: 'u' };
  const large = [
    { ...page, timestamp: `${' '.repeat(10_000)}2026-05-05T00:00:00Z` },
    { ...page, receivedAt: 'x'.repeat(10_000) },
    { ...page, writeKey: { any: 'x'.repeat(10_000) } },
  ];
  for (const space of [0, 1]) {
    const opened = openBody(Buffer.from(JSON.stringify({ batch: [page, ...large] }, null, space)), 'batch', 10);
    assert.ok(!('code' in opened));
    const result = opened.batch({ ...limits, maxEventBytes: 9_000 }, factsOf());
    assert.ok(!('code' in result));
    assert.deepEqual(
      result.rejected.map(({ index, code }) => [index, code]),
      [1, 2, 3].map((index) => [index, 'event_too_large']),
    );
  }
});

/** The text with something written into it, over none to two of its characters. */
function spoiled(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.constantFrom(...'{}[],:"\\/u0123.eE+-tfn \n\u0001é'.split(''));
  return fc.tuple(text, fc.nat(), piece, fc.nat({ max: 2 })).map(([whole, at, what, over]) => {
    const place = at % whole.length;
    return whole.slice(0, place) + what + whole.slice(place + over);
  });
}

test('a spoiled body is judged as JSON.parse judges it, and nothing is thrown', () => {
  const text = spoiled(event.map((raw) => JSON.stringify(raw)));
  fc.assert(
    fc.property(text, (body) => {
      const opened = openBody(Buffer.from(body), 'single', 1);
      let tree: JsonValue | undefined;
      try {
        tree = parseJson(body) as JsonValue;
      } catch {
        assert.ok('code' in opened && opened.code === 'json_invalid');
        return;
      }
      assert.ok(!('code' in opened));
      const result = opened.single('page', factsOf());
      assert.equal(isFault(result), isFault(completeEvent(tree, { ...factsOf(), type: 'page' })));
      const asBatch = openBody(Buffer.from(`{"batch":[${body}]}`), 'batch', 1);
      assert.ok(!('code' in asBatch) && !('code' in asBatch.batch(limits, factsOf())));
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom('single' as const, 'batch' as const), (bytes, kind) => {
      const opened = openBody(Buffer.from(bytes), kind, 1);
      if (!('code' in opened)) opened.batch(limits, factsOf());
    }),
  );
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test('what the scan takes is JSON that prints the same again', () => {
  const scan = new EventScan();
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify({ userId: 'u', value, 'x"y': [value] }));
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(json, spoiled(json)), (text) => {
      if (!scan.scanSingle(Buffer.from(text))) return;
      taken++;
      const value = parseJson(text);
      const hasDuplicate = JSON.stringify(value).length < text.length;
      // V8 13.6 takes a name such as "x\n" for one that ends in a backslash where it has seen such a one before.
      const hasEscapedName = /\\[^"]*":/.test(text);
      if (!hasDuplicate && !hasEscapedName) assert.equal(JSON.stringify(value), text);
    }),
    { numRuns: 10_000 },
  );
  assert.ok(taken > 1000);
});

test('bodies that are not in the simple form go the slow way, with the same outcome', () => {
  const raw = { userId: 'u', messageId: 'm', context: { ip: '192.0.2.1' }, properties: { a: 1, b: '/é' } };
  const compact = JSON.stringify(raw);
  const expected = completeEvent(parseJson(compact) as JsonValue, { ...factsOf(), type: 'page' });
  for (const text of [
    JSON.stringify(raw, null, 2),
    ` ${compact}\n`,
    compact.replace('/', '\\/'),
    compact.replace('é', '\\u00e9'),
    compact.replace('"userId":"u"', '"userId":"other","userId":"u"'),
    compact.replace('userId', '\\u0075serId'),
    `\ufeff${compact}`,
  ]) {
    const opened = openBody(Buffer.from(text), 'single', 1);
    assert.ok(!('code' in opened), text);
    assert.deepEqual(shown(opened.single('page', factsOf())), shown(expected), text);
  }
});

test('depth bombs are refused, not crashed on', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
    for (const levels of [62, 64, 65, 100, 5_000, 50_000])
      for (const inner of ['1', '1.10']) {
        const bomb = open.repeat(levels) + inner + close.repeat(levels);
        const opened = openBody(Buffer.from(`{"userId":"u","a":${bomb}}`), 'single', 1);
        const result = 'code' in opened ? opened : opened.single('page', factsOf());
        assert.equal(isFault(result as never), levels > 63, `${levels} levels`);
        const batch = openBody(Buffer.from(`{"batch":[{"type":"page","userId":"u"},{"x":${bomb}}]}`), 'batch', 10);
        if (!('code' in batch)) batch.batch(limits, factsOf());
      }
});

/** An empty `integrations` says as much as none: the scan does not tell them apart. */
function withoutEmpty(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown, index) => (index === 3 && JSON.stringify(item) === '{}' ? null : item));
}

test('a batch without its list is refused however it is printed; an empty list is not', () => {
  const without = [
    '{"userId":"u","event":"e","type":"track"}',
    '{"Batch":[{"type":"track"}]}',
    '{}',
    '{ "batches" : [] }',
  ];
  for (const text of without) {
    const body = openBody(Buffer.from(text), 'batch', 10);
    assert.ok('batch' in body, text);
    const answer = body.batch(limits, factsOf());
    assert.ok('code' in answer && answer.code === 'batch_invalid', `${text}: ${JSON.stringify(answer)}`);
  }
  const empty = openBody(Buffer.from('{"batch":[]}'), 'batch', 10);
  assert.ok('batch' in empty);
  assert.deepEqual(empty.batch(limits, factsOf()), { records: [], rejected: [] });
});
