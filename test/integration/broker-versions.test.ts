/** Every release of Kafka from 1.0 on: what is produced is read back by a Java client, and what an old one cannot do is said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { checkDestination, createTopics, listTopics, tailTopic } from '../../src/kafka/index.ts';
import type { TailedMessage } from '../../src/kafka/tail.ts';
import type { Compression, ProducerSettings } from '../../src/model/index.ts';
import { deliveryTo, destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { sharedKafka, uniqueTopic } from '../support/kafka.ts';
import { oldJars, oldKafka } from '../support/old-kafka.ts';
import { oracle, type Oracle } from '../support/oracle.ts';

interface Release {
  readonly version: string;
  /** Starts it when first asked. */
  readonly start: () => Promise<string>;
  /** How the doctor calls it. */
  readonly told: RegExp;
  readonly zstd: boolean;
  /** The Java client that speaks to it. */
  readonly oracle: (bootstrap: string) => Oracle;
}

const releases: readonly Release[] = [
  {
    version: '1.0.2',
    start: once(() => oldKafka('1.0.2')),
    told: /^Kafka 1\.0$/,
    zstd: false,
    // Today's client needs 2.1; that of 3.9 goes back further.
    oracle: (bootstrap) => oracle(bootstrap, {}, oldJars('3.9.2')),
  },
  { version: '2.8.2', start: once(() => oldKafka('2.8.2')), told: /^Kafka 2\.7 to 3\.0$/, zstd: true, oracle },
  { version: '3.9.2', start: once(() => oldKafka('3.9.2')), told: /^Kafka 3\.9 or 4\.0$/, zstd: true, oracle },
  { version: '4.x', start: () => sharedKafka(), told: /^Kafka 4\.1 or newer$/, zstd: true, oracle },
];

for (const [index, release] of releases.entries())
  test(`Kafka ${release.version}: every codec with and without idempotence, headers, topics, doctor, tail`, async (t) => {
    const bootstrap = await release.start();
    // The next one starts meanwhile; when it does not, its own test tells.
    releases[index + 1]?.start().catch(() => undefined);
    const topic = uniqueTopic('release');
    const destination = destinationAt(bootstrap);
    const made = await createTopics(destination, systemClock, [
      { topic, partitions: 3, config: { 'max.message.bytes': '123456', 'cleanup.policy': 'compact' } },
    ]);
    assert.deepEqual(made, [topic]);

    const listed = (await listTopics(destination, systemClock)).find((one) => one.topic === topic);
    assert.deepEqual(
      [listed?.partitions, listed?.replication, listed?.cleanupPolicy, listed?.maxMessageBytes],
      [3, 1, 'compact', 123456],
    );
    assert.equal(listed?.minInSyncReplicas, 1);

    const end = new AbortController();
    t.after(() => end.abort());
    const ready = Promise.withResolvers<void>();
    const seen: TailedMessage[] = [];
    const wanted = codecs(release).length * 2 * 3;
    const tailing = (async () => {
      const options = { fromStart: false, ready: ready.resolve };
      for await (const one of tailTopic(destination, systemClock, topic, options, end.signal))
        if (seen.push(one) === wanted) end.abort();
    })();
    await Promise.race([ready.promise, tailing]);

    const sent: string[] = [];
    for (const compression of codecs(release))
      for (const idempotence of [true, false]) {
        const name = `${compression}-${idempotence}`;
        await produce(bootstrap, topic, name, { compression, idempotence });
        sent.push(...[0, 1, 2].map((partition) => `${partition} ${name} [["h","é"],["none",null]] ${text(name)}`));
      }
    const read = await release.oracle(bootstrap).readAll(topic);
    const shown = (one: (typeof read)[number]): string => {
      const headers = one.headers.map(([name, value]) => [name, value?.toString() ?? null]);
      return `${one.partition} ${String(one.key)} ${JSON.stringify(headers)} ${String(one.value)}`;
    };
    assert.deepEqual(read.map(shown).sort(), sent.toSorted());

    await tailing;
    const plain = (one: { partition: number; key: Buffer | null; value: Buffer | null }): string =>
      `${one.partition} ${String(one.key)} ${String(one.value)}`;
    assert.deepEqual(seen.map(plain).sort(), read.map(plain).sort());

    const report = await checkDestination(destination, systemClock, { inProcess: true });
    assert.equal(report.ok, true, JSON.stringify(report.steps));
    assert.match(report.steps.find(({ step }) => step === 'versions')!.detail, release.told);
  });

test('zstd below 2.1 is refused by the doctor and by the first send, both versions named', async () => {
  const bootstrap = await releases[0]!.start();
  const words = /zstd needs Kafka 2\.1 or newer, and 127\.0\.0\.1:\d+ is Kafka 1\.0/;
  const report = await checkDestination(destinationAt(bootstrap, { compression: 'zstd' }), systemClock, {
    inProcess: true,
  });
  const failed = report.steps.find(({ state }) => state === 'failed');
  assert.equal(failed?.step, 'versions');
  assert.match(failed.cause!, words);
  assert.match(failed.remedy!, /gzip, snappy or lz4/);

  const topic = uniqueTopic('zstd');
  await createTopics(destinationAt(bootstrap), systemClock, [{ topic, partitions: 1 }]);
  const delivery = deliveryTo(bootstrap, { compression: 'zstd' });
  const outcomes = new Outcomes();
  delivery.accept(message(topic), outcomes, 0, intake);
  await outcomes.until(() => outcomes.holds.length > 0);
  assert.equal(outcomes.holds[0]?.action, 'stop');
  assert.equal(outcomes.holds[0].code, 'kafka_unsupported');
  assert.match(outcomes.holds[0].reason, words);
  await delivery.close(0);
});

function codecs({ zstd }: Release): Compression[] {
  return ['none', 'gzip', 'snappy', 'lz4', ...(zstd ? (['zstd'] as const) : [])];
}

/** Long enough to be packed. */
function text(name: string): string {
  return `${name} `.repeat(200);
}

function once(start: () => Promise<string>): () => Promise<string> {
  let started: Promise<string> | undefined;
  return () => (started ??= start());
}

/** One message to each of three partitions; resolves when all are delivered. */
async function produce(
  bootstrap: string,
  topic: string,
  name: string,
  producer: Partial<ProducerSettings>,
): Promise<void> {
  const delivery = deliveryTo(bootstrap, producer);
  const outcomes = new Outcomes();
  const headers = [
    ['h', Buffer.from('é')],
    ['none', null],
  ] as const;
  for (const partition of [0, 1, 2]) {
    const one = message(topic, { partition, key: Buffer.from(name), headers, text: text(name) });
    delivery.accept(one, outcomes, partition, intake);
  }
  await outcomes.all(3);
  assert.equal(outcomes.count('delivered'), 3, JSON.stringify([...outcomes.byIndex.values()]));
  await delivery.close(0);
}
