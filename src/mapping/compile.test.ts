/** From record to message: every field's forms, and what is rejected. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../base/json.ts';
import { HeadraceError, type Message, type MessageConfig, type Rejection, type SourceRecord } from '../model/index.ts';
import { compileMapping } from './compile.ts';
import { contextOf, eventOf, recordOf, unparsedOf } from '../../test/support/mapping.ts';

function mapRow(message: MessageConfig, record: unknown): Message | Rejection {
  const given = typeof record === 'object' && record !== null && 'position' in record ? record : recordOf(record);
  return compileMapping({ message, kind: 'rows', defaultTopic: 'rows' }).map(given as SourceRecord, contextOf());
}

function messageOf(result: Message | Rejection): Message {
  assert.ok(!('state' in result), JSON.stringify(result));
  return result;
}

function rejected(result: Message | Rejection, code: string, field: string): Rejection {
  assert.ok('state' in result, 'a rejection was expected');
  assert.deepEqual([result.code, result.field], [code, field]);
  return result;
}

const valueOf = (result: Message | Rejection): string => messageOf(result).value!.toString();
const keyOf = (key: MessageConfig['key'], data: unknown): string | undefined =>
  messageOf(mapRow({ key: key! }, data)).key?.toString();

test('a row without mapping: all columns, then operation and synced_at', () => {
  const message = messageOf(mapRow({}, { id: 1, name: 'Ann "A"', gone: null, n: parseJson('1.10'), bad: Number.NaN }));
  assert.equal(
    message.value!.toString(),
    '{"id":1,"name":"Ann \\"A\\"","gone":null,"n":1.10,"bad":"NaN","operation":"created","synced_at":"2024-05-01T00:00:00.000Z"}',
  );
  assert.deepEqual(
    { ...message, value: null },
    {
      topic: 'rows',
      partition: null,
      partitionKey: null,
      key: null,
      value: null,
      headers: [],
      timestampMs: Date.UTC(2024, 4, 1),
    },
  );
  assert.equal(valueOf(mapRow({ meta_fields: false }, { id: 1 })), '{"id":1}');
  assert.equal(valueOf(mapRow({}, {})), '{"operation":"created","synced_at":"2024-05-01T00:00:00.000Z"}');
});

test('rows of changing columns each have their own', () => {
  const mapping = compileMapping({ message: { meta_fields: false }, kind: 'rows', defaultTopic: 't' });
  for (const row of [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }, {}, { b: 2, a: 1 }, { a: undefined, b: 1 }])
    assert.equal(valueOf(mapping.map(recordOf(row), contextOf())), JSON.stringify(row));
});

test('an event without mapping is forwarded as its bytes, at its receipt time', () => {
  const record = eventOf({ type: 'track', userId: 'u1' }, { bytes: Buffer.from('{ "type": "track" ,"n":1.0}') });
  const mapping = compileMapping({
    message: { topic: 'web.{{type}}', key: '$.userId' },
    kind: 'events',
    defaultTopic: null,
  });
  const message = messageOf(mapping.map(record, contextOf()));
  assert.equal(message.value, record.bytes);
  assert.equal(message.topic, 'web.track');
  assert.equal(message.key!.toString(), 'u1');
  assert.equal(message.timestampMs, Date.UTC(2024, 0, 1));
  assert.equal(mapping.literalTopic, null);
});

test('an unparsed record is mapped without being parsed where top-level fields are enough', () => {
  const text = '{"id":12345678901234567890,"name":"é\\u00e9","o":{"x":[1]},"t":1714564800}';
  const message = messageOf(
    mapRow(
      {
        topic: 't',
        key: '$.id',
        headers: { x: '$.o.x', name: '$.name' },
        timestamp: '$.t',
        payload: '$.',
      },
      unparsedOf(text),
    ),
  );
  assert.equal(message.key!.toString(), '12345678901234567890');
  assert.deepEqual(
    message.headers.map(([name, value]) => [name, value!.toString()]),
    [
      ['x', '[1]'],
      ['name', 'éé'],
    ],
  );
  assert.equal(message.timestampMs, Date.UTC(2024, 4, 1, 12));
  assert.equal(message.value!.toString(), text);
});

test('an unparsed record that is not JSON is rejected', () => {
  for (const payload of ['{"id":1', '{"id":01}', '', '{"id":"\u0001"}']) {
    rejected(mapRow({ key: '$.id' }, unparsedOf(payload)), 'row_invalid', 'payload');
    rejected(mapRow({ key: '$.id', payload: '$.' }, unparsedOf(payload)), 'row_invalid', 'payload');
  }
});

test('JSON lines keep their bytes, with the added fields at their end', () => {
  const tail = '"operation":"created","synced_at":"2024-05-01T00:00:00.000Z"}';
  assert.equal(
    valueOf(mapRow({ key: '$.id' }, unparsedOf('{"id":1.0, "x" : 1e2 } \r'))),
    `{"id":1.0, "x" : 1e2 ,${tail}`,
  );
  assert.equal(valueOf(mapRow({}, unparsedOf('{ }'))), `{ ${tail}`);
  assert.equal(valueOf(mapRow({}, unparsedOf('{"a":{}}'))), `{"a":{},${tail}`);
  rejected(mapRow({}, unparsedOf('{"a":1,"operation":"x"}')), 'mapping_failed', 'payload');
  rejected(mapRow({}, unparsedOf('[1]')), 'mapping_failed', 'payload');
  rejected(mapRow({}, { synced_at: 1 }), 'mapping_failed', 'payload');
});

test('columns are renamed, repeated and nested; what is absent is left out', () => {
  const message = {
    columns: [
      { from: 'id', to: 'orderId' },
      { from: 'id', to: 'address.id' },
      { from: 'c.d', to: 'address.city' },
      { from: 'missing', to: 'x' },
      { from: 'n', to: 'a\\.b' },
    ],
    meta_fields: false,
  };
  assert.equal(
    valueOf(mapRow(message, { id: 7, 'c.d': 'Ulm', n: null })),
    '{"orderId":7,"address":{"id":7,"city":"Ulm"},"a.b":null}',
  );
});

test('key bytes by type', () => {
  const data = parseJson(
    '{"s":"é","e":"","n":1.50,"b":false,"x":null,"o":{"a":1.0},"l":[1,"2"],"y":{"base64":"AP8="},"bad":{"base64":5}}',
  );
  assert.equal(keyOf('$.s', data), 'é');
  assert.equal(keyOf('$.e', data), '');
  assert.equal(keyOf('$.n', data), '1.50');
  assert.equal(keyOf('$.b', data), 'false');
  assert.equal(keyOf('$.x', data), undefined);
  assert.equal(keyOf('$.absent', data), undefined);
  assert.equal(keyOf('$.o', data), '{"a":1.0}');
  assert.equal(keyOf('$.l', data), '[1,"2"]');
  assert.equal(keyOf(['$.s', '$.absent', 3], data), '["é",null,3]');
  assert.deepEqual(messageOf(mapRow({ key: '$.y' }, data)).key, Buffer.from([0, 255]));
  assert.deepEqual(messageOf(mapRow({ key: { base64: '$.s' } }, { s: '/w==' })).key, Buffer.from([255]));
  rejected(mapRow({ key: '$.bad' }, data), 'mapping_failed', 'key');
  rejected(mapRow({ key: '$.s' }, { s: 'a\ud800' }), 'mapping_failed', 'key');
  assert.equal(keyOf({ '@coalesce': ['$.e', '$.absent', '$.s'] }, data), 'é');
});

test('partition: the field wins, then the default, then the hash of partition_key or key', () => {
  const message = { key: '$.k', partition: '$.p', default_partition: 5, partition_key: '$.pk' };
  const fieldsOf = (config: MessageConfig, data: unknown): readonly unknown[] => {
    const { partition, partitionKey } = messageOf(mapRow(config, data));
    return [partition, partitionKey?.toString()];
  };
  assert.deepEqual(fieldsOf(message, { k: 'a', p: 0 }), [0, 'a']);
  assert.deepEqual(fieldsOf(message, { k: 'a', p: '17', pk: 'b' }), [17, 'b']);
  assert.deepEqual(fieldsOf(message, { k: 'a' }), [5, 'a']);
  assert.deepEqual(fieldsOf({ ...message, default_partition_for: 'keyless' }, { k: 'a', p: null }), [null, 'a']);
  assert.deepEqual(fieldsOf({ ...message, default_partition_for: 'keyless' }, {}), [5, undefined]);
  for (const p of [-1, 1.5, '', 'x', '1e3', true, 2 ** 31, [1]])
    rejected(mapRow(message, { p }), 'partition_invalid', 'partition');
});

test('headers keep order, repeat for a written list, and are null for null', () => {
  const headersOf = (headers: MessageConfig['headers'], data: unknown): unknown =>
    messageOf(mapRow({ headers: headers! }, data)).headers.map(([name, value]) => [name, value?.toString() ?? null]);
  assert.deepEqual(
    headersOf(
      { b: '$.b', a: 'fixed', list: ['$.b', '$.none', 'z'], none: '$.none', nil: null, l: '$.l' },
      { b: 1, l: [1] },
    ),
    [
      ['b', '1'],
      ['a', 'fixed'],
      ['list', '1'],
      ['list', 'z'],
      ['nil', null],
      ['l', '[1]'],
    ],
  );
  assert.deepEqual(headersOf('$.h', { h: { x: 1, y: null } }), [
    ['x', '1'],
    ['y', null],
  ]);
  assert.deepEqual(headersOf('$.h', { h: '{"x":1.0}' }), [['x', '1.0']]);
  assert.deepEqual(headersOf('$.h', { h: null }), []);
  for (const h of ['text', 5, [1]]) rejected(mapRow({ headers: '$.h' }, { h }), 'mapping_failed', 'headers');
});

test('topics that Kafka does not allow are rejected', () => {
  for (const t of ['', '.', '..', '__consumer_offsets', 'a b', 'é', 'x'.repeat(250), null, undefined, { a: 1 }])
    rejected(mapRow({ topic: '$.t' }, { t }), 'topic_invalid', 'topic');
  assert.equal(messageOf(mapRow({ topic: '$.t' }, { t: 'x'.repeat(249) })).topic.length, 249);
});

test('a payload that gives nothing is rejected, never a null value', () => {
  rejected(mapRow({ payload: '$.missing' }, {}), 'mapping_failed', 'payload');
  assert.equal(valueOf(mapRow({ payload: '$.x' }, { x: null })), 'null');
  assert.equal(
    valueOf(
      mapRow(
        { payload: { a: '$.x', b: ['$.no', '$.x'], c: { d: '$.no' }, e: 'x{y}', o: { '@meta': 'operation' } } },
        { x: 1 },
      ),
    ),
    '{"a":1,"b":[null,1],"c":{},"e":"x{y}","o":"created"}',
  );
});

test('nesting too deep to print is a rejection, and mapping goes on', () => {
  let deep: unknown = [];
  for (let depth = 0; depth < 200_000; depth++) deep = [deep];
  const result = mapRow({ key: '$.deep' }, { deep });
  assert.ok('state' in result && result.code === 'mapping_failed');
  assert.ok('state' in mapRow({}, { deep }));
  assert.equal(valueOf(mapRow({ meta_fields: false }, { id: 1 })), '{"id":1}');
});

test('a message without any topic, or with any problem, does not compile', () => {
  const compile = (message: MessageConfig, defaultTopic: unknown) => () =>
    compileMapping({ message, kind: 'rows', defaultTopic });
  assert.throws(compile({}, null), (error) => error instanceof HeadraceError && error.path === 'message.topic');
  assert.throws(
    compile({ key: { '@pth': '$.x' } }, 't'),
    (error) => error instanceof HeadraceError && error.remedy === 'did you mean @path?',
  );
  assert.equal(compileMapping({ message: {}, kind: 'rows', defaultTopic: 'orders' }).literalTopic, 'orders');
});

test('a message without a key takes the sync key; key: null takes none', () => {
  const keyOfSync = (syncKey: readonly string[], message: MessageConfig, data: unknown): string | undefined => {
    const mapping = compileMapping({ message, kind: 'rows', defaultTopic: 't', syncKey });
    return messageOf(mapping.map(recordOf(data), contextOf())).key?.toString();
  };
  const row = parseJson('{"id":1.0,"tenant":"t","a.b":5}');
  assert.equal(keyOfSync(['id'], {}, row), '1.0');
  assert.equal(keyOfSync(['tenant', 'id'], {}, row), '["t",1.0]');
  assert.equal(keyOfSync(['a.b'], {}, row), '5');
  assert.equal(keyOfSync(['id'], { key: '$.tenant' }, row), 't');
  assert.equal(keyOfSync(['id'], { key: null }, row), undefined);
});

test('lints name what is probably not meant', () => {
  const lintsOf = (message: MessageConfig): string[] =>
    compileMapping({ message, kind: 'rows', defaultTopic: 't' }).lints.map((lint) => lint.split(':')[0]!);
  assert.deepEqual(
    lintsOf({
      key: '$.id',
      payload: { a: '$.b', c: '{{d}}', e: 'text', f: { '@literal': '$x' }, g: { '@pattern': '{stream}' } },
    }),
    [],
  );
  assert.deepEqual(lintsOf({ key: '', default_partition: 1 }), ['default_partition', 'key']);
  assert.deepEqual(lintsOf({ key: 'same' }), ['key']);
  assert.deepEqual(lintsOf({ payload: { a: { '@Path': '$.b' } } }), ['payload.a.@Path']);
  assert.deepEqual(lintsOf({ payload: { a: '$userId', b: ['{id}', 'x{{y'], c: '$[0]', d: 'costs $5' } }), [
    'payload.a',
    'payload.b[0]',
    'payload.b[1]',
    'payload.c',
  ]);
});
