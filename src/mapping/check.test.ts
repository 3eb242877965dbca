/** A message as written: every problem is found, each with its path and a remedy. */
/* oxlint-disable unicorn/no-thenable -- `then` is an argument of @if, never a function */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkColumns, checkMessage } from './check.ts';

type Kind = 'rows' | 'events';

function pathsOf(message: unknown, kind: Kind = 'rows'): string[] {
  const problems = checkMessage(message, 'm', kind);
  for (const { reason, remedy } of problems) assert.ok(reason !== '' && remedy !== '');
  return problems.map(({ path }) => path);
}

test('good messages have no problem', () => {
  for (const message of [
    {},
    {
      topic: 'orders',
      key: '$.id',
      partition: 3,
      timestamp: '$.at',
      timestamp_unit: 'ms',
      headers: { a: 1, b: ['x', '$.y'] },
    },
    {
      topic: { '@template': 'a.{{b}}' },
      key: { '@coalesce': ['$.a', '$.b'] },
      headers: '$.headers',
      payload: { a: [{ b: '$.c' }] },
    },
    {
      columns: [
        { from: 'id', to: 'x' },
        { from: 'id', to: 'y.z' },
      ],
      meta_fields: true,
    },
    { columns: [{ from: 'id', to: 'operation' }], meta_fields: false },
    { partition: '7', default_partition: 0, default_partition_for: 'keyless', key: { base64: 'AA==' } },
    { payload: { '@literal': { '@timestamp': '$.x', '@path': '$.y' } } },
    { payload: { '@path': '$.a', _metadata: { label: 'x' } } },
  ])
    assert.deepEqual(pathsOf(message), [], JSON.stringify(message));
});

test('each problem is named with its path', () => {
  const cases: readonly (readonly [unknown, string[], Kind?])[] = [
    [[], ['m']],
    [{ topik: 'x' }, ['m.topik']],
    [{ topic: 'a b' }, ['m.topic']],
    [{ topic: '' }, ['m.topic']],
    [{ topic: ['a'] }, ['m.topic']],
    [{ key: '$.a..b' }, ['m.key']],
    [{ key: 'x{{a..b}}' }, ['m.key']],
    [{ key: { '@pth': '$.a' } }, ['m.key.@pth']],
    [{ key: { '@path': '$.a', '@meta': 'run' } }, ['m.key']],
    [{ payload: { a: { '@path': '$.a', b: 1 } } }, ['m.payload.a']],
    [
      { payload: { a: [{ '@path': 5 }, { '@template': null }, { '@meta': 'ran' }] } },
      ['m.payload.a[0].@path', 'm.payload.a[1].@template', 'm.payload.a[2].@meta'],
    ],
    [{ payload: { '@if': { exist: '$.a', then: 1 } } }, ['m.payload.@if.exist', 'm.payload.@if']],
    [{ payload: { '@if': { exists: { '@x': 1 }, then: '$.a[' } } }, ['m.payload.@if.exists.@x', 'm.payload.@if.then']],
    [{ payload: { '@coalesce': '$.a' } }, ['m.payload.@coalesce']],
    [{ payload: { '@coalesce': [] } }, ['m.payload.@coalesce']],
    [{ partition: -1, default_partition: 'x' }, ['m.partition', 'm.default_partition']],
    [{ default_partition_for: 'keyless' }, ['m.default_partition_for']],
    [{ default_partition: 1, default_partition_for: 'none' }, ['m.default_partition_for']],
    [{ timestamp: 'yesterday' }, ['m.timestamp']],
    [{ timestamp: '$.t', timestamp_unit: 'ns' }, ['m.timestamp_unit']],
    [{ timestamp_unit: 'ms' }, ['m.timestamp_unit']],
    [{ headers: 'text' }, ['m.headers']],
    [{ headers: ['a'] }, ['m.headers']],
    [{ headers: { a: { base64: '???' } } }, ['m.headers.a']],
    [{ key: { base64: 1 } }, ['m.key']],
    [{ payload: '$.', columns: [{ from: 'a', to: 'b' }] }, ['m.columns']],
    [{ columns: [] }, ['m.columns']],
    [
      { columns: [{ from: 'a' }, { from: '', to: 'x' }, { from: 'a', to: 'b', too: 1 }] },
      ['m.columns[0].to', 'm.columns[1].from', 'm.columns[2].too'],
    ],
    [
      {
        columns: [
          { from: 'a', to: 'x' },
          { from: 'b', to: 'x' },
          { from: 'c', to: 'x.y' },
        ],
      },
      ['m.columns[1].to', 'm.columns[2].to'],
    ],
    [{ columns: [{ from: 'a', to: 'a..b' }] }, ['m.columns[0].to']],
    [
      {
        columns: [
          { from: 'a', to: 'operation' },
          { from: 'a', to: 'synced_at.x' },
        ],
      },
      ['m.columns[0].to', 'm.columns[1].to'],
    ],
    [{ meta_fields: 'no' }, ['m.meta_fields']],
    [{ meta_fields: true }, ['m.meta_fields'], 'events'],
    [{ payload: { a: undefined } }, ['m.payload.a']],
    [{ payload: { a: Number.NaN } }, ['m.payload.a']],
  ];
  for (const [message, paths, kind] of cases) assert.deepEqual(pathsOf(message, kind), paths, JSON.stringify(message));
});

test('a mapping nested without end is refused, not followed', () => {
  let deep: unknown = 1;
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  assert.equal(checkMessage({ payload: deep }, 'm', 'rows').length, 1);
});

test('what only the columns of the source can tell', () => {
  const paths = (message: Parameters<typeof checkColumns>[0], columns: string[]) =>
    checkColumns(message, columns, 'm').map(({ path }) => path);
  assert.deepEqual(paths({}, ['id', 'operation']), ['m.columns']);
  assert.match(checkColumns({}, ['operation'], 'm')[0]!.remedy, /source_operation/);
  assert.deepEqual(paths({ meta_fields: false }, ['operation']), []);
  assert.deepEqual(paths({ payload: '$.' }, ['operation']), []);
  assert.deepEqual(
    paths(
      {
        columns: [
          { from: 'ID', to: 'x' },
          { from: 'id', to: 'y' },
        ],
      },
      ['id', 'operation'],
    ),
    ['m.columns[0].from'],
  );
});
