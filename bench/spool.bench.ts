/** The spool: what it takes, what it gives back to Kafka, and how fast the collector answers while Kafka is away (G7). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { Delivery, Spool, systemFiles } from '../src/delivery/index.ts';
import { createSender } from '../src/kafka/index.ts';
import { freePorts } from '../src/local/ports.ts';
import { destinationAt, intake } from '../test/support/delivery.ts';
import { startHeadrace } from '../test/support/headrace.ts';
import { oracle } from '../test/support/oracle.ts';
import { eventLine } from './support/data.ts';
import type { BenchKafka } from './support/kafka.ts';
import { pacedLoad, percentiles, type PacedResult, type Percentiles } from './support/paced-load.ts';
import type { Part } from './support/part.ts';

interface SpoolResult {
  readonly absorbedPerSecond: number;
  readonly drainedPerSecond: number;
  readonly messages: number;
  /** What one append of a group's size and its fdatasync take on this disk, nothing else going on: the yardstick. */
  readonly flush: Percentiles;
  /** Single events at 5,000 a second, Kafka away, each answered after its flush. */
  readonly away: PacedResult;
  /** Batches of 25 at 200 a second, the same number of events. */
  readonly awayBatches: PacedResult;
  /** Part of the last ten seconds of each that something on the machine waited for a core, in percent; null: not told. */
  readonly pressure: readonly (number | null)[];
}

const EVENTS_PER_SECOND = 5_000;
const IN_A_BATCH = 25;
const WRITE_KEY = 'bench-write-key';

export const spoolPart: Part = async ({ kafka, short }) => {
  const through = await absorbAndDrain(kafka, short ? 200_000 : 1_000_000);
  const seconds = short ? 5 : 20;
  const results: SpoolResult = { ...through, ...(await whileAway(seconds)) };
  return { results, lines: linesOf(results) };
};

/** Requests of one event each, 256 waiting at a time as the collector's connections would; then all of it into Kafka. */
async function absorbAndDrain(
  kafka: BenchKafka,
  messages: number,
): Promise<Pick<SpoolResult, 'absorbedPerSecond' | 'drainedPerSecond' | 'messages'>> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-spool-'));
  const topic = await kafka.newTopic('spool');
  const spool = await Spool.open({
    files: systemFiles,
    folder: join(folder, 'main'),
    clock: systemClock,
    maxBytes: 2 ** 40,
    segmentBytes: 16 * 1024 * 1024,
    reserveBytes: 4 * 1024 * 1024,
    route: () => intake,
    delivered: () => undefined,
    reject: () => Promise.reject(new Error('a message was rejected')),
    held: () => undefined,
    warned: (message) => process.stderr.write(`${message}\n`),
  });
  try {
    const value = Buffer.from(eventLine(1));
    let next = 0;
    const absorbing = performance.now();
    const senders = Array.from({ length: 256 }, async () => {
      while (next < messages) {
        const i = next++;
        const key = Buffer.from(`user-${i % 50_000}`);
        const message = { topic, partition: null, partitionKey: key, key, value, headers: [], timestampMs: Date.now() };
        await spool.append([{ message, route: '{"sync":"bench"}', position: String(i) }]);
      }
    });
    await Promise.all(senders);
    const absorbedMs = performance.now() - absorbing;
    const destination = destinationAt(kafka.bootstrap);
    const delivery = new Delivery({
      sender: createSender(destination, systemClock),
      clock: systemClock,
      ...destination.producer,
    });
    const draining = performance.now();
    spool.attach(delivery);
    while (spool.status.messages > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const drainedMs = performance.now() - draining;
    spool.detach();
    await delivery.close(1_000);
    const inTopic = (await oracle(kafka.bootstrap).endOffsets(topic)).reduce((sum, end) => sum + end, 0);
    if (inTopic !== messages) throw new Error(`${inTopic} of ${messages} messages are in the topic`);
    return {
      messages,
      absorbedPerSecond: Math.round((messages / absorbedMs) * 1000),
      drainedPerSecond: Math.round((messages / drainedMs) * 1000),
    };
  } finally {
    await spool.close();
    rmSync(folder, { recursive: true, force: true });
    await kafka.dropTopic(topic);
  }
}

/** The real program with a broker address where nobody listens. */
async function whileAway(seconds: number): Promise<Pick<SpoolResult, 'flush' | 'away' | 'awayBatches' | 'pressure'>> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-spool-'));
  const [port] = await freePorts(1);
  const config = join(folder, 'bench.json');
  const message = { topic: 'bench', key: '$.userId', payload: '$.' };
  const configuration = {
    destinations: { main: { brokers: `127.0.0.1:${port}`, spool: { max_bytes: 2 ** 34 } } },
    sources: { web: { type: 'events', write_key: WRITE_KEY } },
    syncs: { tracks: { source: 'web', destination: 'main', message } },
  };
  writeFileSync(config, JSON.stringify(configuration));
  const server = await startHeadrace({ data: join(folder, 'data'), config, deadlineMs: 120_000 });
  try {
    const headers = { authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}` };
    const events = Array.from({ length: IN_A_BATCH }, (_, i) => JSON.parse(eventLine(i)) as object);
    const single = { url: `${server.address}/v1/track`, body: eventLine(1), connections: 64, headers };
    const batch = {
      url: `${server.address}/v1/batch`,
      body: JSON.stringify({ batch: events }),
      connections: 16,
      headers,
    };
    const flush = await flushTimes(folder, seconds * 100);
    // The first ones wait until it is clear that Kafka is away; then it runs as it does after its first seconds.
    await pacedLoad({ ...single, seconds: 2, rate: 500 });
    await pacedLoad({ ...single, seconds: 5, rate: EVENTS_PER_SECOND });
    const away = await pacedLoad({ ...single, seconds, rate: EVENTS_PER_SECOND });
    const pressure = [cpuPressure()];
    const awayBatches = await pacedLoad({ ...batch, seconds, rate: EVENTS_PER_SECOND / IN_A_BATCH });
    pressure.push(cpuPressure());
    return { flush, away, awayBatches, pressure };
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function flushTimes(folder: string, times: number): Promise<Percentiles> {
  const file = await open(join(folder, 'yardstick'), 'w');
  const group = Buffer.alloc(5_000);
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const startedMs = performance.now();
    await file.write(group, 0, group.length, i * group.length);
    await file.datasync();
    took.push(performance.now() - startedMs);
  }
  await file.close();
  return percentiles(took);
}

function cpuPressure(): number | null {
  try {
    return Number(/avg10=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1] ?? Number.NaN);
  } catch {
    return null;
  }
}

function linesOf(results: SpoolResult): string[] {
  const { messages, absorbedPerSecond, drainedPerSecond, flush, away, awayBatches, pressure } = results;
  const row = (what: string, target: string, got: string): string => `| ${what} | ${target} | ${got} |`;
  const of = ({ p50Ms, p99Ms, maxMs }: Percentiles): string => `p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`;
  const rows = (what: string, one: PacedResult): string[] => [
    row(
      `${what}: from the moment it was due`,
      'p99 20 ms',
      `${of(one.fromDue)}; ${one.requestsPerSecond} requests/s; ${one.non200} not 200`,
    ),
    row('the same, from the moment it was sent', '', of(one.fromSent)),
    row('how late the load generator was', '', of(one.senderLate)),
  ];
  return [
    '## Spool',
    '',
    `${messages} messages of 400 bytes, one a request; every answer after fdatasync. Something waited for a core in ${pressure.join(' and ')} % of the time of the two loads.`,
    '',
    '| what | target | measured |',
    '| --- | --- | --- |',
    row('absorbed', '50,000 events/s', `${absorbedPerSecond} events/s`),
    row('drained into Kafka', '30,000 events/s', `${drainedPerSecond} events/s`),
    row('the disk by itself: 5,000 bytes appended and flushed', '', of(flush)),
    ...rows('answers while Kafka is away, single events at 5,000/s', away),
    ...rows('batches of 25 at 200/s', awayBatches),
    '',
  ];
}
