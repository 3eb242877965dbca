/** What applying would change, by object and field. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, WrittenObject } from '../model/index.ts';
import { planChanges } from './plan.ts';

function source(name: string, body: JsonObject = {}): WrittenObject {
  return { kind: 'source', name, body };
}

function summary(stored: WrittenObject[], file: WrittenObject[], prune = false): string[] {
  return planChanges(stored, file, { prune }).changes.map(({ action, name, fields }) =>
    [action, name, ...fields].join(' '),
  );
}

test('tells what is new, changed, the same and left alone', () => {
  const stored = [source('same', { a: 1 }), source('changed', { a: 1 }), source('other')];
  const file = [source('new'), source('same', { a: 1 }), source('changed', { a: 2 })];
  assert.deepEqual(summary(stored, file), ['update changed a', 'create new', 'kept other', 'unchanged same']);
  const { put, remove, result } = planChanges(stored, file, { prune: false });
  assert.deepEqual(
    put.map(({ name }) => name),
    ['new', 'changed'],
  );
  assert.deepEqual(remove, []);
  assert.deepEqual(
    result.map(({ name }) => name),
    ['changed', 'new', 'other', 'same'],
  );
});

test('deletes only with prune', () => {
  const { changes, remove, result } = planChanges([source('a'), source('b')], [source('a')], { prune: true });
  assert.deepEqual(
    changes.map(({ action }) => action),
    ['unchanged', 'delete'],
  );
  assert.deepEqual(remove, [{ kind: 'source', name: 'b' }]);
  assert.deepEqual(
    result.map(({ name }) => name),
    ['a'],
  );
});

test('names the fields that differ, never their values', () => {
  const before = { brokers: 'a', producer: { acks: 'all', linger_ms: 1 }, list: [1, { x: 1 }], gone: true };
  const now = { brokers: 'b', producer: { acks: 'all', linger_ms: 2 }, list: [1, { x: 2 }], come: 'canary' };
  assert.deepEqual(summary([source('s', before)], [source('s', now)]), [
    'update s brokers producer.linger_ms list[1].x gone come',
  ]);
});

test('the order of names counts, since a payload prints in that order', () => {
  assert.deepEqual(summary([source('s', { a: 1, b: 2 })], [source('s', { b: 2, a: 1 })]), [
    'update s (order of fields)',
  ]);
});

test('a name of an object may be that of another kind, or one that objects inherit', () => {
  const stored = [source('toString'), { kind: 'sync', name: 'a', body: {} } as const];
  const file = [source('a'), source('__proto__', { constructor: 1 })];
  assert.deepEqual(summary(stored, file), ['create __proto__', 'create a', 'kept toString', 'kept a']);
});
