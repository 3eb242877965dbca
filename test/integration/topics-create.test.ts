/** Missing topics: held, made by the cluster, or made on first use as the destination says (P11, P12). */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { Delivery } from '../../src/delivery/index.ts';
import { checkDestination } from '../../src/kafka/doctor/check.ts';
import { createSender, listTopics, partitionOfKey } from '../../src/kafka/index.ts';
import type { DestinationConfig } from '../../src/model/index.ts';
import { previewSync } from '../../src/syncs/preview.ts';
import { openFiles } from '../../src/sources/tables/index.ts';
import { jarsWith } from '../support/broker-classes.ts';
import { destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { allow } from '../support/doctor.ts';
import { engine } from '../support/engine.ts';
import { ownKafka, sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';

interface Opened {
  readonly destination: DestinationConfig;
  readonly delivery: Delivery;
  readonly outcomes: Outcomes;
}

function open(
  t: TestContext,
  bootstrap: string,
  topics: DestinationConfig['topics'],
  more: Partial<DestinationConfig> = {},
): Opened {
  const destination = { ...destinationAt(bootstrap), topics, ...more };
  const delivery = new Delivery({
    sender: createSender(destination, systemClock),
    clock: systemClock,
    ...destination.producer,
    ...(topics.maxComputed === undefined ? {} : { maxComputedTopics: topics.maxComputed }),
  });
  t.after(() => delivery.close(0));
  return { destination, delivery, outcomes: new Outcomes() };
}

const computed = { ...intake, computedTopic: true };

test('a missing topic is made on first use, with partitions and settings, and takes the messages in order', async (t) => {
  const bootstrap = await sharedKafka();
  const config = { 'cleanup.policy': 'compact', 'max.message.bytes': '123456' };
  const { delivery, outcomes, destination } = open(t, bootstrap, { create: { partitions: 5, replication: 1, config } });
  const topic = uniqueTopic('made');
  for (let i = 0; i < 200; i++)
    delivery.accept(message(topic, { key: Buffer.from(`k${i % 20}`), text: `${i}` }), outcomes, i, intake);
  await outcomes.all(200);
  assert.equal(outcomes.count('delivered'), 200);
  assert.deepEqual(outcomes.holds, [], 'nobody was told to wait');
  const made = await oracle(bootstrap).describe(topic);
  assert.equal(made.partitions.length, 5);
  assert.deepEqual([made.config['cleanup.policy'], made.config['max.message.bytes']], ['compact', '123456']);
  const listed = (await listTopics(destination, systemClock)).find((one) => one.topic === topic);
  assert.deepEqual(
    [listed?.partitions, listed?.replication, listed?.cleanupPolicy, listed?.maxMessageBytes],
    [5, 1, 'compact', 123_456],
  );
  for (const { partition, key } of await oracle(bootstrap).readAll(topic))
    assert.equal(partition, partitionOfKey(key!, 5));
});

test("without partitions and replication the cluster's defaults count; many topics are made at once", async (t) => {
  const bootstrap = await sharedKafka();
  const { delivery, outcomes } = open(t, bootstrap, { create: {} });
  const topics = Array.from({ length: 12 }, () => uniqueTopic('default'));
  for (const [index, topic] of topics.entries()) delivery.accept(message(topic), outcomes, index, computed);
  await outcomes.all(12);
  assert.equal(outcomes.count('delivered'), 12);
  assert.ok((await oracle(bootstrap).describe(topics[0]!)).partitions.length >= 1);
});

test('more replicas than brokers: told with both numbers, and no message is lost', async (t) => {
  const bootstrap = await sharedKafka();
  const { delivery, outcomes } = open(t, bootstrap, { create: { partitions: 1, replication: 3 } });
  const topic = uniqueTopic('replicas');
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.until(() => outcomes.holds.length > 0);
  const held = outcomes.holds[0]!;
  assert.equal(held.action, 'park');
  assert.match(held.remedy, /3 replicas are asked for, and the cluster has 1 broker: lower `replication`/);
  await oracle(bootstrap).createTopic(topic);
  await outcomes.all(1);
  assert.equal(outcomes.count('delivered'), 1, 'made by somebody else, it goes on');
});

test('settings that Kafka does not know, and names that it does not take, are told as its own words', async (t) => {
  const bootstrap = await sharedKafka();
  const wrong = open(t, bootstrap, { create: { partitions: 1, config: { 'cleanup.polizy': 'compact' } } });
  wrong.delivery.accept(message(uniqueTopic('setting')), wrong.outcomes, 0, intake);
  await wrong.outcomes.until(() => wrong.outcomes.holds.length > 0);
  assert.match(wrong.outcomes.holds[0]!.reason, /cleanup\.polizy/);
  assert.match(wrong.outcomes.holds[0]!.remedy, /Correct `config`/);
  const taken = open(t, bootstrap, { create: { partitions: 1 } });
  const name = uniqueTopic('like_this');
  await oracle(bootstrap).createTopic(name);
  taken.delivery.accept(message(name.replaceAll('_', '.')), taken.outcomes, 0, intake);
  await taken.outcomes.until(() => taken.outcomes.holds.length > 0);
  assert.match(taken.outcomes.holds[0]!.remedy, /differ only in `\.` and `_`/);
});

test('without the right to create it is told so, and mended without a restart', async (t) => {
  const kafka = await ownKafka({
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
    listeners: [
      {
        name: 'LOGIN',
        protocol: 'SASL_PLAINTEXT',
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN',
          'plain.sasl.jaas.config': 'org.apache.kafka.common.security.plain.PlainLoginModule required user_maker="p";',
        },
      },
    ],
  });
  const topic = uniqueTopic('to-be-granted');
  await allow(kafka.bootstrap, [
    ['maker', 'write', topic],
    ['maker', 'describe', topic],
  ]);
  const login = { mechanism: 'plain', username: new Secret('maker'), password: new Secret('p') } as const;
  const { delivery, outcomes } = open(
    t,
    kafka.bootstrapOf('LOGIN'),
    { create: { partitions: 2 } },
    { protocol: 'sasl_plaintext', sasl: login },
  );
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.until(() => outcomes.holds.length > 0);
  const held = outcomes.holds[0]!;
  assert.equal(held.action, 'park');
  assert.match(held.remedy, /Grant the principal Create on the topic or the cluster, or create the topic beforehand/);
  await allow(kafka.bootstrap, [['maker', 'create', topic]]);
  await outcomes.all(1);
  assert.equal(outcomes.count('delivered'), 1);
  assert.equal((await oracle(kafka.bootstrap).describe(topic)).partitions.length, 2);
});

test('with auto-creation off: false holds, broker says that the cluster did not make it', async (t) => {
  const bootstrap = (await ownKafka({ properties: { 'auto.create.topics.enable': 'false' } })).bootstrap;
  for (const [create, words] of [
    [false, /Create the topic, correct its name, or let it be made/],
    ['broker', /the cluster was asked to and did not/],
  ] as const) {
    const { delivery, outcomes } = open(t, bootstrap, { create });
    delivery.accept(message(uniqueTopic('off')), outcomes, 0, intake);
    await outcomes.until(() => outcomes.holds.length > 0);
    assert.match(outcomes.holds[0]!.remedy, words);
  }
  const { delivery, outcomes } = open(t, bootstrap, { create: { partitions: 3 } });
  const topic = uniqueTopic('made-here');
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.all(1);
  assert.equal((await oracle(bootstrap).describe(topic)).partitions.length, 3);
  const on = (await ownKafka({ properties: { 'auto.create.topics.enable': 'true', 'num.partitions': '4' } })).bootstrap;
  const left = open(t, on, { create: 'broker' });
  left.delivery.accept(message('by-the-cluster'), left.outcomes, 0, intake);
  await left.outcomes.all(1);
  assert.equal((await oracle(on).describe('by-the-cluster')).partitions.length, 4);
});

test('preview makes no topic, and shows the partition that the made topic will have (Promise 6)', async (t) => {
  const bootstrap = await sharedKafka();
  const running = await engine(t, bootstrap);
  running.write('rows.jsonl', Array.from({ length: 20 }, (_, id) => JSON.stringify({ id })).join('\n'));
  for (const create of [{ partitions: 7, replication: 1 }, 'broker'] as const) {
    const topic = uniqueTopic('previewed');
    running.apply({
      destinations: { main: { brokers: bootstrap, topics: { create } } },
      syncs: {
        rows: { source: 'files', destination: 'main', read: { file: 'rows.jsonl' }, message: { topic, key: '$.id' } },
      },
    });
    const request = { sync: 'rows', limit: 20, record: undefined, atMs: Date.now(), run: 'r' };
    const shown = await previewSync(running.syncs, openFiles, request);
    const topics = await listTopics(destinationAt(bootstrap), systemClock);
    assert.ok(!topics.some((one) => one.topic === topic), 'nothing was made');
    assert.match(shown[0]!.lints.join(), /not there yet|does not exist/);
    if (create === 'broker') continue;
    await running.run('rows');
    const read = await oracle(bootstrap).readAll(topic);
    for (const { key, partition } of read) assert.equal(partition, shown[Number(String(key))]!.partition);
    assert.equal(read.length, 20);
  }
});

test('a mapping that makes a topic of every record meets the cap: rejected with the reason, memory flat (P12)', async (t) => {
  const bootstrap = await sharedKafka();
  const { delivery, outcomes } = open(t, bootstrap, { create: { partitions: 1 }, maxComputed: 5 });
  const base = uniqueTopic('capped');
  for (let i = 0; i < 5; i++) delivery.accept(message(`${base}-${i}`), outcomes, i, computed);
  await outcomes.all(5);
  assert.equal(outcomes.count('delivered'), 5);
  let rejected = 0;
  let last = '';
  const counting = {
    settled: (_index: number, outcome: { state: string; reason?: string }): void => {
      rejected++;
      last = outcome.reason ?? '';
    },
    held: (): void => undefined,
  };
  const heapAfter = (names: number): number => {
    for (let i = 0; i < names; i++) delivery.accept(message(`${base}-more-${i}`), counting, i, computed);
    return process.memoryUsage().heapUsed;
  };
  heapAfter(100_000);
  const before = heapAfter(100_000);
  const after = heapAfter(800_000);
  assert.equal(rejected, 1_000_000);
  assert.match(last, /5 topics computed from records are in use already \(topics\.max_computed\)/);
  assert.ok(after - before < 100_000_000, `the heap grew by ${Math.round((after - before) / 1e6)} MB`);
  delivery.accept(message(`${base}-3`), outcomes, 5, computed);
  delivery.accept(message(`${base}-fixed`), outcomes, 6, intake);
  await outcomes.all(7);
  assert.equal(outcomes.count('delivered'), 7, 'those in use and those that are named go on');
});

test('names that turn out to be missing take no room under the cap', async (t) => {
  const bootstrap = await sharedKafka();
  const { delivery, outcomes } = open(t, bootstrap, { create: false, maxComputed: 3 });
  for (let i = 0; i < 3; i++) delivery.accept(message(uniqueTopic('gone')), outcomes, i, computed);
  await until('they are rejected', () => outcomes.count('rejected') === 3);
  const topic = uniqueTopic('there');
  await oracle(bootstrap).createTopic(topic);
  await until('there is room again', async () => {
    const next = outcomes.byIndex.size;
    delivery.accept(message(topic), outcomes, next, computed);
    await outcomes.all(next + 1);
    return outcomes.byIndex.get(next)!.state === 'delivered';
  });
});

test("a policy of the cluster that forbids the topic: told in the policy's words, by the doctor before a message and by delivery; mended by the operators", async (t) => {
  const properties = { 'create.topic.policy.class.name': 'PartitionPolicy' };
  const { bootstrap } = await ownKafka({ jars: jarsWith('PartitionPolicy'), properties });
  const { delivery, outcomes, destination } = open(t, bootstrap, { create: { partitions: 4 } });
  const topic = uniqueTopic('against-policy');
  const { ok, steps } = await checkDestination(destination, systemClock, { topics: [topic], inProcess: true });
  assert.equal(ok, false);
  const refused = steps.find(({ state }) => state === 'failed')!;
  assert.equal(refused.step, 'write');
  assert.match(refused.cause ?? '', /cannot be created: .*at most 3 partitions here, and 4 are asked for/);
  assert.match(refused.remedy ?? '', /what the policy of the cluster allows, or have its operators create the topic/);
  await assert.rejects(oracle(bootstrap).describe(topic), 'nothing was made');
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.until(() => outcomes.holds.length > 0);
  const held = outcomes.holds[0]!;
  assert.equal(held.action, 'park');
  assert.match(held.reason, /at most 3 partitions here/);
  assert.match(held.remedy, /what the policy of the cluster allows/);
  const allowed = { ...destination, topics: { create: { partitions: 3 } } };
  const after = await checkDestination(allowed, systemClock, { topics: [topic], inProcess: true });
  assert.equal(after.ok, true, JSON.stringify(after.steps));
  await oracle(bootstrap).createTopic(topic, { partitions: 3 });
  await outcomes.all(1);
  assert.equal(outcomes.count('delivered'), 1);
});

test('internal topics are listed only when asked for', async () => {
  const bootstrap = await sharedKafka();
  const name = `__${uniqueTopic('hidden')}`;
  await oracle(bootstrap).createTopic(name);
  const destination = destinationAt(bootstrap);
  const names = async (options?: { all: boolean }): Promise<string[]> =>
    (await listTopics(destination, systemClock, options)).map(({ topic }) => topic);
  assert.ok(!(await names()).some((topic) => topic.startsWith('__')));
  assert.ok((await names({ all: true })).includes(name));
});
