/** Topic rules, and the names they may give. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, eventOf, recordOf, unparsedOf } from '../../../test/support/mapping.ts';
import type { JsonValue, Operation, SourceRecord } from '../../model/index.ts';
import { checkMessage } from '../check.ts';
import { compileMapping } from '../compile.ts';

function topicOf(topic: JsonValue, record: SourceRecord): string {
  const mapping = compileMapping({ message: { topic, payload: '$.' }, kind: 'events', defaultTopic: null });
  const result = mapping.map(record, contextOf());
  return 'state' in result ? result.code : result.topic;
}

test('the event asks, then its name decides, then its type, then the default', () => {
  const rules = {
    integrations: true,
    events: { 'Order Completed': 'orders', constructor: 'odd' },
    types: { identify: 'people', Page: 'pages.{{name}}' },
    default: 'web',
  };
  const of = (data: JsonValue): string => topicOf(rules, eventOf(data));
  assert.equal(of({ type: 'track', event: 'Order Completed' }), 'orders');
  assert.equal(of({ type: 'Track', event: 'Order Completed' }), 'orders');
  assert.equal(of({ type: 'track', event: 'order completed' }), 'web');
  assert.equal(of({ type: 'identify', event: 'Order Completed' }), 'people');
  assert.equal(of({ type: 'page', name: 'home' }), 'pages.home');
  assert.equal(of({ type: 'PAGE', name: 'a b' }), 'topic_invalid');
  assert.equal(of({ type: 'alias' }), 'web');
  assert.equal(of({}), 'web');
  assert.equal(of({ type: 'identify', integrations: { KAFKA: { topic: 'asked' } } }), 'asked');
  assert.equal(
    of({ type: 'identify', integrations: { kafka: { topic: '' }, Kafka: { topic: 5 }, All: true } }),
    'people',
  );
  assert.equal(of({ type: 'identify', integrations: { Kafka: true } }), 'people');
  assert.equal(topicOf({ types: { identify: 'people' } }, eventOf({ type: 'track' })), 'topic_invalid');
  assert.equal(
    topicOf({ ...rules, integrations: false }, eventOf({ integrations: { Kafka: { topic: 'asked' } } })),
    'web',
  );
});

test('rows go by what happened to them', () => {
  const rules = { operations: { created: 'new', deleted: 'gone' }, default: 'changed' };
  const of = (operation: Operation): string => topicOf(rules, recordOf({}, { operation }));
  assert.deepEqual([of('created'), of('updated'), of('deleted')], ['new', 'changed', 'gone']);
});

test('rules read only the fields they need', () => {
  const rules = { integrations: true, types: { identify: 'people' }, events: { a: 'x.{{shop}}' } };
  assert.equal(topicOf(rules, unparsedOf('{"type":"track","event":"a","shop":"s1","rest":[1,2]}')), 'x.s1');
});

test('what is wrong with rules is told with its path', () => {
  const paths = (topic: JsonValue): string[] => checkMessage({ topic }, 'm', 'events').map(({ path }) => path);
  assert.deepEqual(paths({ types: { identify: 'people' }, default: { '@template': 'a.{{type}}' } }), []);
  assert.deepEqual(paths({}), ['m.topic']);
  assert.deepEqual(paths({ typos: {}, default: 'a b' }), ['m.topic.typos', 'm.topic.default']);
  assert.deepEqual(paths({ types: {}, events: 'x', integrations: 'yes', operations: { made: 'x' } }), [
    'm.topic.integrations',
    'm.topic.operations.made',
    'm.topic.events',
    'm.topic.types',
  ]);
  assert.deepEqual(paths({ types: { identify: { types: { a: 'b' } } } }), ['m.topic.types.identify']);
  assert.deepEqual(paths({ types: { Page: 'a', identify: 'b', page: 'c' } }), ['m.topic.types.page']);
  assert.deepEqual(paths({ events: { Page: 'a', page: 'c' } }), []);
  assert.deepEqual(paths({ events: { a: '..' } }), ['m.topic.events.a']);
});
