/** Values at the edges: each has one defined outcome. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, recordOf, unparsedOf } from '../../test/support/mapping.ts';
import { parseJson } from '../base/json.ts';
import type { JsonValue, Message, MessageConfig, Rejection, SourceRecord } from '../model/index.ts';
import { compileMapping } from './compile.ts';

function map(message: MessageConfig, record: SourceRecord): Message | Rejection {
  return compileMapping({ message: { meta_fields: false, ...message }, kind: 'rows', defaultTopic: 't' }).map(
    record,
    contextOf(),
  );
}

function valueOf(message: MessageConfig, record: SourceRecord): string {
  const result = map(message, record);
  return 'state' in result ? `${result.code} ${result.field}` : result.value!.toString();
}

test('64-bit integers and long decimals survive every way through', () => {
  const text = '{"big":9223372036854775807,"dec":1.10,"tiny":1e-400,"neg":-0,"s":"9223372036854775807"}';
  const parsed = (): SourceRecord => recordOf(parseJson(text));
  assert.equal(valueOf({}, parsed()), text);
  assert.equal(valueOf({ payload: '$.' }, parsed()), text);
  assert.equal(
    valueOf({ payload: { a: '$.big', b: ['$.dec'], c: '{{tiny}}', d: '$.neg' } }, parsed()),
    '{"a":9223372036854775807,"b":[1.10],"c":"1e-400","d":-0}',
  );
  assert.equal(
    valueOf(
      {
        columns: [
          { from: 'big', to: 'x.y' },
          { from: 's', to: 'n', type: 'number' },
        ],
      },
      parsed(),
    ),
    '{"x":{"y":9223372036854775807},"n":9223372036854775807}',
  );
  assert.equal(
    valueOf({ template: '{"a": {{big}}, "b": "{{dec}}"}' }, parsed()),
    '{"a":9223372036854775807,"b":"1.10"}',
  );
  assert.equal(
    valueOf({ payload: { '@merge': { direction: 'left', objects: ['$.', { a: 1 }] } } }, parsed()),
    `{"a":1,${text.slice(1)}`,
  );
  const keyed = map({ key: '$.big', headers: { dec: '$.dec' }, partition_key: '$.tiny' }, parsed());
  assert.ok(!('state' in keyed));
  assert.deepEqual([keyed.key, keyed.headers[0]![1], keyed.partitionKey].map(String), [
    '9223372036854775807',
    '1.10',
    '1e-400',
  ]);
});

test('NaN and infinities are text', () => {
  const record = recordOf({ a: Number.NaN, b: Number.POSITIVE_INFINITY, c: Number.NEGATIVE_INFINITY });
  assert.equal(valueOf({}, record), '{"a":"NaN","b":"Infinity","c":"-Infinity"}');
  assert.equal(valueOf({ payload: { x: '$.a', y: '{{b}}' } }, record), '{"x":"NaN","y":"Infinity"}');
  const message = map({ key: '$.a' }, record);
  assert.ok(!('state' in message) && String(message.key) === 'NaN');
});

test('a lone surrogate is an escape in JSON, and rejects a key', () => {
  const record = recordOf({ s: 'a\ud800', 'k\udfff': 1 });
  assert.equal(valueOf({}, record), '{"s":"a\\ud800","k\\udfff":1}');
  assert.equal(valueOf({ payload: { x: 'v {{s}}' } }, record), '{"x":"v a\\ud800"}');
  assert.equal(valueOf({ template: '{"x": "{{s}}"}' }, record), '{"x":"a\\ud800"}');
  assert.equal(valueOf({ key: '$.s' }, record), 'mapping_failed key');
  assert.equal(valueOf({ partition_key: '$.s' }, record), 'mapping_failed partition_key');
  assert.equal(valueOf({ topic: '$.s' }, record), 'topic_invalid topic');
  const header = map({ headers: { h: '$.s' } }, record);
  assert.ok(!('state' in header) && header.headers[0]![1]!.toString('hex') === '61efbfbd');
  assert.equal(valueOf({ template: '{{s}}', template_type: 'text' }, record), 'a\ufffd');
});

test('of duplicate keys the last counts; forwarded bytes keep both', () => {
  const text = '{"k":"first","k":"last"}';
  const message = map({ key: '$.k', payload: '$.' }, unparsedOf(text));
  assert.ok(!('state' in message));
  assert.deepEqual([String(message.key), String(message.value)], ['last', text]);
  assert.equal(valueOf({ payload: { k: '$.k' } }, recordOf(parseJson(text))), '{"k":"last"}');
});

test('__proto__, constructor and prototype are plain data everywhere', () => {
  const text = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"a":1}';
  const record = recordOf(parseJson(text));
  const messages: MessageConfig[] = [
    {},
    { payload: '$.' },
    { payload: { '@merge': { direction: 'right', objects: ['$.', '$.__proto__', '$.constructor'] } } },
    { payload: { '@flatten': { separator: '.', value: '$.' } } },
    { payload: { '@excludeWhenNull': '$.' } },
    { payload: { '@json': { mode: 'decode', value: { '@json': { mode: 'encode', value: '$.' } } } } },
    { payload: parseJson('{"__proto__":"$.a","constructor":"$.__proto__.admin"}') as JsonValue },
    {
      columns: [
        { from: '__proto__', to: '__proto__' },
        { from: 'a', to: 'constructor.prototype.polluted' },
      ],
    },
    { template: '{"__proto__": {{__proto__}}, "x": {{constructor.prototype.admin}}}' },
    { payload: { '@liquid': '{{ constructor.prototype.admin }}{{ a }}' } },
    { headers: '$.__proto__', key: '$.constructor' },
  ];
  const values = messages.map((message) => valueOf(message, record));
  assert.deepEqual(values, [
    text,
    text,
    '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"a":1,"admin":true,"prototype":{"admin":true}}',
    '{"__proto__.admin":true,"constructor.prototype.admin":true,"a":1}',
    text,
    text,
    '{"__proto__":1,"constructor":true}',
    '{"__proto__":{"admin":true},"constructor":{"prototype":{"polluted":1}}}',
    '{"__proto__":{"admin":true},"x":true}',
    '"true1"',
    text,
  ]);
  for (const name of ['admin', 'polluted']) assert.equal(({} as Record<string, unknown>)[name], undefined);
  const scanned = map({ key: '$.__proto__', payload: '$.' }, unparsedOf(text));
  assert.ok(!('state' in scanned) && String(scanned.key) === '{"admin":true}');
});

test('nesting of 1,000 levels passes; of 200,000 it is a rejection, and the next record passes', () => {
  const nested = (depth: number): string => `{"k":"k","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  // The object around the list is the thousandth level.
  const shallow = nested(999);
  for (const message of [
    {},
    { payload: '$.' },
    { payload: { d: '$.deep' } },
    { template: '{"d": {{deep}}}' },
  ] as MessageConfig[]) {
    const deepest = recordOf(parseJson(nested(200_000)));
    assert.match(valueOf(message, deepest), /^mapping_failed payload/);
    const passed = valueOf(message, recordOf(parseJson(shallow)));
    assert.ok(passed.includes('['.repeat(999)) && passed.startsWith('{'));
  }
  assert.equal(valueOf({ key: '$.k', payload: '$.' }, unparsedOf(shallow)), shallow);
  assert.equal(valueOf({ key: '$.k', payload: '$.' }, unparsedOf(nested(1000))), 'row_invalid payload');
});

test('a text of 10 MB goes through whole', () => {
  const long = 'x"é'.repeat(2_500_000);
  const record = recordOf({ long, id: 1 });
  assert.equal(valueOf({}, record), JSON.stringify({ long, id: 1 }));
  assert.equal(valueOf({ payload: { a: '$.long' } }, record), JSON.stringify({ a: long }));
  assert.equal(valueOf({ template: '{"a": "{{long}}"}' }, record), JSON.stringify({ a: long }));
  assert.equal(valueOf({ template: '{{long}}', template_type: 'text' }, record), long);
  const text = JSON.stringify({ long, id: 1 });
  assert.equal(valueOf({ key: '$.id', payload: '$.' }, unparsedOf(text)), text);
  const bytes = Buffer.alloc(7_500_001, 'bytes');
  const carried = map({ key: '$.b', headers: { b: '$.b' } }, recordOf({ b: { base64: bytes.toString('base64') } }));
  assert.ok(!('state' in carried), JSON.stringify(carried));
  assert.ok(carried.key!.equals(bytes) && carried.headers[0]![1]!.equals(bytes));
  assert.equal(valueOf({}, recordOf({ id: 2 })), '{"id":2}');
});

test('bytes come as base64 of either alphabet, padded or not; what is none rejects the record', () => {
  for (const [text, hex] of [
    ['', ''],
    ['AP8=', '00ff'],
    ['AP8', '00ff'],
    ['-_+/', 'fbffbf'],
    ['QQ==', '41'],
    ['QQ', '41'],
    ['QQ=', null],
    ['Q', null],
    ['QUE', '4141'],
    ['QUE==', null],
    ['Q===', null],
    ['QQ==QQ==', null],
    ['Q Q=', null],
    ['QQ==\n', null],
  ] as const) {
    const message = map({ key: '$.k', headers: { h: '$.k' } }, recordOf({ k: { base64: text } }));
    if (hex === null) assert.ok('state' in message && message.field === 'key', text);
    else assert.ok(!('state' in message) && message.key!.toString('hex') === hex, text);
  }
  const plain = map({ key: '$.k' }, recordOf({ k: { base64: 'QQ==', more: 1 } }));
  assert.ok(!('state' in plain) && String(plain.key) === '{"base64":"QQ==","more":1}');
});

test('bytes that are not UTF-8 are rejected, scanned or parsed', () => {
  const bytes = Buffer.concat([Buffer.from('{"id":1,"s":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  const record = (): SourceRecord => ({ ...recordOf(parseJson(bytes.toString())), bytes, unparsed: true });
  assert.equal(valueOf({ key: '$.id', payload: '$.' }, record()), 'row_invalid payload');
  assert.equal(valueOf({ payload: { s: '$.s' } }, record()), 'row_invalid payload');
});
