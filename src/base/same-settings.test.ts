/** Settings that differ in a secret alone differ. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from './secret.ts';
import { sameSettings } from './same-settings.ts';

const settings = (password: string): unknown => ({ brokers: ['a', 'b'], sasl: { password: new Secret(password) } });

test('a secret of another value makes other settings', () => {
  assert.equal(sameSettings(settings('one'), settings('one')), true);
  assert.equal(sameSettings(settings('one'), settings('two')), false);
  assert.equal(sameSettings({ a: new Secret('x') }, { a: 'x' }), false);
  assert.equal(sameSettings({ a: new Secret('x') }, { a: null }), false);
});

test('values are compared through and through', () => {
  assert.equal(sameSettings({ a: 1, b: undefined }, { a: 1 }), true);
  assert.equal(sameSettings({ a: 1, b: null }, { a: 1 }), false);
  assert.equal(sameSettings([1, 2], [1, 2, 3]), false);
  assert.equal(sameSettings([1], { 0: 1 }), false);
  assert.equal(sameSettings(null, {}), false);
  assert.equal(sameSettings({ a: [{ b: '1' }] }, { a: [{ b: 1 }] }), false);
});
