/** Letter cases of names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kebabCase, snakeCase, titleCase } from './letter-case.ts';

test('snake and kebab case join words and split nothing', () => {
  assert.equal(snakeCase('Order Completed Last 30days'), 'order_completed_last_30days');
  assert.equal(snakeCase('a - b__c'), 'a_b_c');
  assert.equal(snakeCase('OrderCompleted'), 'ordercompleted');
  assert.equal(kebabCase('Größe É 5'), 'größe-é-5');
  assert.equal(snakeCase(''), '');
});

test('title case capitalises every word', () => {
  assert.equal(titleCase('test string'), 'Test String');
  assert.equal(titleCase("don't SHOUT, 3d élan"), "Don't Shout, 3d Élan");
});
