/** `columns`: each part of a column, alone and together. */
/* oxlint-disable unicorn/no-thenable -- `then` is a part of a column, never a function */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../base/json.ts';
import { contextOf, recordOf } from '../../../test/support/mapping.ts';
import type { ColumnConfig, Message, Rejection } from '../../model/index.ts';
import { checkMessage } from '../check.ts';
import { compileMapping } from '../compile.ts';

function map(columns: readonly ColumnConfig[], data: unknown): Message | Rejection {
  const mapping = compileMapping({ message: { columns, meta_fields: false }, kind: 'rows', defaultTopic: 't' });
  return mapping.map(recordOf(data), contextOf());
}

function valueOf(columns: readonly ColumnConfig[], data: unknown): string {
  const result = map(columns, data);
  return 'state' in result ? `rejected ${result.code} ${result.field}: ${result.reason}` : result.value!.toString();
}

test('constants, mappings, repeats and nested targets', () => {
  assert.equal(
    valueOf(
      [
        { from: 'id', to: 'id' },
        { from: 'id', to: 'ids.first' },
        { value: 'fixed', to: 'kind' },
        { value: null, to: 'none' },
        { value: '{{first}} {{last}}', to: 'ids.name' },
        { value: { '@meta': 'operation' }, to: 'a\\.b' },
      ],
      { id: 7, first: 'Ann', last: 'Lee' },
    ),
    '{"id":7,"ids":{"first":7,"name":"Ann Lee"},"kind":"fixed","none":null,"a.b":"created"}',
  );
});

test('types convert, or the row is rejected with column and value', () => {
  const one = (type: ColumnConfig['type'], x: unknown): string => valueOf([{ from: 'x', to: 'y', type: type! }], { x });
  assert.equal(one('number', ' 007.50 '), '{"y":7.50}');
  assert.equal(one('text', parseJson('1.50')), '{"y":"1.50"}');
  assert.equal(one('bool', 'Yes'), '{"y":true}');
  assert.equal(one('date', '2024-07-01 14:30:00+02'), '{"y":"2024-07-01T12:30:00.000Z"}');
  assert.equal(one('json', '{"a": 1.0}'), '{"y":{"a":1.0}}');
  assert.equal(one('json', [1]), '{"y":[1]}');
  for (const type of ['number', 'bool', 'date', 'json'] as const) {
    assert.equal(one(type, null), '{"y":null}');
    assert.equal(one(type, ' '), '{"y":null}');
    assert.equal(one(type, undefined), '{}');
    assert.match(one(type, '{x'), /^rejected row_invalid columns\.y: columns\.y: "\{x" does not fit the type/);
  }
  assert.equal(one('text', ''), '{"y":""}');
});

test('trim and replacements work on text, in their order, before the type', () => {
  const column = {
    from: 'x',
    to: 'y',
    trim: true,
    replace: [
      { find: '.', with: '' },
      { find: ',', with: '.' },
    ],
    type: 'number',
  } as const;
  assert.equal(valueOf([column], { x: ' 1.234.567,50 ' }), '{"y":1234567.50}');
  assert.equal(valueOf([column], { x: 5 }), '{"y":5}');
  assert.equal(
    valueOf([{ from: 'x', to: 'y', replace: [{ find: 'a', with: '$&$1' }] }], { x: 'aa' }),
    '{"y":"$&$1$&$1"}',
  );
});

test('trim takes white space off text alone', () => {
  const column = { from: 'x', to: 'y', trim: true };
  assert.equal(valueOf([column], { x: '\t a b \n' }), '{"y":"a b"}');
  assert.equal(valueOf([{ ...column, mandatory: true }], { x: '  ' }).slice(0, 8), 'rejected');
  assert.equal(valueOf([column], { x: [' a '] }), '{"y":[" a "]}');
});

test('a condition chooses the value; without a match else, or the column itself', () => {
  const when = [
    { if: 'status = "new"', then: 'N' },
    { if: 'total > 100', then: '$.big' },
  ];
  const column = { from: 'status', to: 'y', when };
  assert.equal(valueOf([column], { status: 'new', total: 500 }), '{"y":"N"}');
  assert.equal(valueOf([column], { status: 'old', total: 500, big: 1 }), '{"y":1}');
  assert.equal(valueOf([column], { status: 'old', total: 5 }), '{"y":"old"}');
  assert.equal(valueOf([{ ...column, else: 0 }], { status: 'old' }), '{"y":0}');
  assert.equal(valueOf([{ to: 'y', when }], { status: 'old' }), '{"y":null}');
});

test('mandatory rejects the row, or lets it go marked', () => {
  const reject = [{ from: 'x', to: 'y', mandatory: true }];
  for (const x of [null, undefined, '']) assert.match(valueOf(reject, { x }), /^rejected row_invalid columns\.y/);
  assert.equal(valueOf(reject, { x: 0 }), '{"y":0}');
  const mark = [{ from: 'x', to: 'y', mandatory: 'mark', leave_out_null: true }] as const;
  const marked = map(mark, { x: null });
  assert.ok(!('state' in marked));
  assert.equal(marked.value!.toString(), '{}');
  assert.deepEqual(marked.flaws, ['columns.y: the column is mandatory and has no value']);
  const fine = map(mark, { x: 1 });
  assert.ok(!('state' in fine) && fine.flaws === undefined);
  const both = map([...mark, { from: 'n', to: 'n', type: 'number' }], { x: null, n: 'x' });
  assert.ok('state' in both);
  const next = map(mark, { x: 1 });
  assert.ok(!('state' in next) && next.flaws === undefined);
});

test('nulls are sent unless the column leaves them out', () => {
  assert.equal(
    valueOf(
      [
        { from: 'x', to: 'a' },
        { from: 'x', to: 'b', leave_out_null: true },
      ],
      { x: null },
    ),
    '{"a":null}',
  );
});

test('what is wrong with a column is told at save', () => {
  const paths = (column: object): string[] =>
    checkMessage({ columns: [column] }, 'm', 'rows').map(({ path }) => path.replace('m.columns[0].', ''));
  assert.deepEqual(paths({ to: 'y' }), ['from']);
  assert.deepEqual(paths({ from: 'x', value: 1, to: 'y' }), ['value']);
  assert.deepEqual(paths({ from: 'x', to: 'y', else: 1 }), ['else']);
  assert.deepEqual(
    paths({ from: 'x', to: 'y', type: 'int', mandatory: 'no', trim: 1, replace: 'a', when: [], leave_out_null: 0 }),
    ['type', 'mandatory', 'trim', 'replace', 'when', 'leave_out_null'],
  );
  assert.deepEqual(
    paths({ from: 'x', to: 'y', when: [{ if: 'a = ', then: 1 }, { if: 'a = 1' }, { then: { '@x': 1 } }] }),
    ['when[0].if', 'when[1].then', 'when[2].if', 'when[2].then.@x'],
  );
  assert.deepEqual(paths({ from: 'x', to: 'y', replace: [{ find: '', with: 1 }] }), [
    'replace[0].find',
    'replace[0].with',
  ]);
  assert.deepEqual(paths({ value: { '@path': 5 }, to: 'y' }), ['value.@path']);
});
