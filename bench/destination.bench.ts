/** What encryption, login and compression cost, beside what they cost Kafka's own producer test with the same values. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oracle } from '../test/support/oracle.ts';
import { writeEvents } from './support/data.ts';
import { runFiles } from './support/files-run.ts';
import { producerPerformance, type BenchKafka } from './support/kafka.ts';
import type { Part } from './support/part.ts';
import { SCRAM_USER } from './support/secure.ts';

interface DestinationResult {
  readonly name: string;
  readonly headrace: number;
  readonly java: number;
  /** Of the rate of the first case, which is plain text without compression: ours and Java's. */
  readonly ofPlain: { readonly headrace: number; readonly java: number };
  /** Bytes of the log for a byte of value. */
  readonly logBytesOfValue: { readonly headrace: number; readonly java: number };
  readonly target: number | null;
}

export interface DestinationCase {
  readonly name: string;
  /** The destination in Headrace's words, without `brokers`. */
  readonly destination: object;
  /** The same in the words of Java's client. */
  readonly properties: readonly string[];
  /** The further listener it goes to; absent: the plain one. */
  readonly listener?: string;
  readonly target?: number;
}

const EVENT_BYTES = 400;
/** Lines that Java's tool picks its values from, at random. */
const PAYLOADS = 20_000;
/** The batches that suit Java's client best among the yardstick's settings. */
const JAVA_BATCHES = ['batch.size=524288', 'linger.ms=10', 'buffer.memory=67108864'];

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'];
const codecCases: readonly DestinationCase[] = codecs.map((codec) => ({
  name: `compression ${codec}`,
  destination: { producer: { compression: codec } },
  properties: [`compression.type=${codec}`],
}));
const plainCase: DestinationCase = { name: 'plain text, no compression', destination: {}, properties: [] };

export const destinationPart: Part = async ({ kafka, secureCases, short }) => {
  await oracle(kafka.bootstrap).setScramPassword(SCRAM_USER.username, SCRAM_USER.password);
  const cases = [plainCase, ...secureCases, ...codecCases];
  const results = await benchDestination(kafka, cases, short ? 100_000 : 1_000_000, short ? 1 : 2);
  return { results, lines: linesOf(results) };
};

/** The first case is what the others are compared with. Best of `repeats` of each. */
async function benchDestination(
  kafka: BenchKafka,
  cases: readonly DestinationCase[],
  count: number,
  repeats: number,
): Promise<DestinationResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'));
  try {
    await writeEvents(join(folder, 'events.jsonl'), count);
    await writeEvents(join(folder, 'payloads.txt'), PAYLOADS);
    const figures: Figures[] = [];
    for (const one of cases) figures.push(await measure(kafka, one, folder, count, repeats));
    return cases.map((one, index) => result(one, figures[index]!, figures[0]!));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Figures {
  readonly headrace: number;
  readonly java: number;
  readonly headraceBytes: number;
  readonly javaBytes: number;
}

async function measure(
  kafka: BenchKafka,
  one: DestinationCase,
  folder: string,
  count: number,
  repeats: number,
): Promise<Figures> {
  const brokers = one.listener === undefined ? kafka.bootstrap : kafka.bootstrapOf(one.listener);
  const perValue = (topic: string): number => kafka.logBytes(topic) / (count * EVENT_BYTES);
  let best: Figures = { headrace: 0, java: 0, headraceBytes: 0, javaBytes: 0 };
  for (let i = 0; i < repeats; i++) {
    const topic = await kafka.newTopic('ours');
    const message = { topic, key: '$.userId', payload: '$.' };
    const { seconds } = await runFiles({ brokers, ...one.destination }, folder, 'events.jsonl', message);
    const ends = await oracle(kafka.bootstrap).endOffsets(topic);
    const total = ends.reduce((sum, end) => sum + end, 0);
    if (total !== count) throw new Error(`${one.name}: ${total} of ${count} messages are in the topic`);
    best = { ...best, headrace: Math.max(best.headrace, count / seconds), headraceBytes: perValue(topic) };
    await kafka.dropTopic(topic);
    const theirs = await kafka.newTopic('java');
    const payload = ['--payload-file', join(folder, 'payloads.txt')];
    const properties = [`bootstrap.servers=${brokers}`, 'acks=all', ...JAVA_BATCHES, ...one.properties];
    const { messagesPerSecond } = await producerPerformance(theirs, count, payload, properties);
    best = { ...best, java: Math.max(best.java, messagesPerSecond), javaBytes: perValue(theirs) };
    await kafka.dropTopic(theirs);
  }
  return best;
}

function result(one: DestinationCase, figures: Figures, plain: Figures): DestinationResult {
  return {
    name: one.name,
    headrace: Math.round(figures.headrace),
    java: figures.java,
    ofPlain: { headrace: hundredths(figures.headrace / plain.headrace), java: hundredths(figures.java / plain.java) },
    logBytesOfValue: { headrace: hundredths(figures.headraceBytes), java: hundredths(figures.javaBytes) },
    target: one.target ?? null,
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function linesOf(results: readonly DestinationResult[]): string[] {
  return [
    '## Encryption, login, compression',
    '',
    `JSON lines of ${EVENT_BYTES} bytes, the best of the runs of each. Headrace with its start-up, its defaults but for the setting named; ProducerPerformance (${JAVA_BATCHES.join(' ')}) with the same values.`,
    '',
    '| what | headrace messages/s | of plain | Java messages/s | of plain | headrace log bytes a byte of value | Java | target |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...results.map(
      ({ name, headrace, java, ofPlain, logBytesOfValue, target }) =>
        `| ${name} | ${headrace} | **${ofPlain.headrace}** | ${java} | ${ofPlain.java} | ${logBytesOfValue.headrace} | ${logBytesOfValue.java} | ${target === null ? '' : `at least ${target} of plain`} |`,
    ),
    '',
  ];
}
