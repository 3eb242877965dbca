/** Files to Kafka, start-up included, beside Kafka's own producer test with values of the same mean size. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oracle } from '../test/support/oracle.ts';
import { writeEvents, writeRows } from './support/data.ts';
import { runFiles } from './support/files-run.ts';
import type { Part } from './support/part.ts';
import { yardstick, type BenchKafka, type YardstickResult } from './support/kafka.ts';

interface FilesResult {
  readonly name: string;
  readonly messages: number;
  readonly meanValueBytes: number;
  readonly yardstick: readonly YardstickResult[];
  readonly runs: readonly {
    readonly seconds: number;
    readonly messagesPerSecond: number;
    readonly peakRssMiB: number;
  }[];
  /** Best of ours by best of theirs. */
  readonly ratio: number;
  readonly target: number;
}

interface Case {
  readonly name: string;
  readonly file: string;
  readonly target: number;
  write(path: string, count: number): Promise<void>;
  message(topic: string): object;
}

const cases: readonly Case[] = [
  {
    name: 'JSON lines of 400 bytes, one @path key, whole event as value',
    file: 'events.jsonl',
    target: 0.8,
    write: writeEvents,
    message: (topic) => ({ topic, key: '$.userId', payload: '$.' }),
  },
  {
    name: 'CSV of 10 columns to flat JSON',
    file: 'rows.csv',
    target: 0.4,
    write: writeRows,
    message: (topic) => ({ topic, key: '$.id' }),
  },
];

export const filesPart: Part = async ({ kafka, short }) => {
  const results = await benchFiles(kafka, short ? 300_000 : 2_000_000, short ? 1 : 2);
  return { results, lines: results.flatMap(linesOf) };
};

async function benchFiles(kafka: BenchKafka, count: number, repeats: number): Promise<FilesResult[]> {
  const results: FilesResult[] = [];
  for (const one of cases) {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'));
    try {
      await one.write(join(folder, one.file), count);
      results.push(await measure(kafka, one, folder, count, repeats));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return results;
}

async function measure(
  kafka: BenchKafka,
  one: Case,
  folder: string,
  count: number,
  repeats: number,
): Promise<FilesResult> {
  const runs: FilesResult['runs'][number][] = [];
  let meanValueBytes = 0;
  for (let i = 0; i < repeats; i++) {
    const topic = await kafka.newTopic(one.name.slice(0, 3).toLowerCase());
    const { seconds, peakRssMiB } = await runFiles({ brokers: kafka.bootstrap }, folder, one.file, one.message(topic));
    runs.push({ seconds, peakRssMiB, messagesPerSecond: Math.round(count / seconds) });
    if (i === 0) meanValueBytes = await verify(kafka, topic, count);
    await kafka.dropTopic(topic);
  }
  const yardsticks = await yardstick(kafka, count, meanValueBytes);
  const ours = Math.max(...runs.map((run) => run.messagesPerSecond));
  const theirs = Math.max(...yardsticks.map((run) => run.messagesPerSecond));
  return {
    name: one.name,
    messages: count,
    meanValueBytes,
    yardstick: yardsticks,
    runs,
    ratio: Math.round((ours / theirs) * 100) / 100,
    target: one.target,
  };
}

/** Every message is there: counted by the Java client. Returns the mean bytes of a value. */
async function verify(kafka: BenchKafka, topic: string, count: number): Promise<number> {
  const ends = await oracle(kafka.bootstrap).endOffsets(topic);
  const total = ends.reduce((sum, end) => sum + end, 0);
  if (total !== count) throw new Error(`${total} of ${count} messages are in the topic`);
  let bytes = 0;
  let seen = 0;
  for await (const record of oracle(kafka.bootstrap).read(topic)) {
    bytes += record.value?.length ?? 0;
    if (++seen === 20_000) break;
  }
  return Math.round(bytes / seen);
}

function linesOf(one: FilesResult): string[] {
  return [
    `## ${one.name}`,
    '',
    `${one.messages} messages, mean value ${one.meanValueBytes} bytes. Ratio **${one.ratio}** (target ${one.target}).`,
    '',
    '| what | messages/s | |',
    '| --- | ---: | --- |',
    ...one.yardstick.map(
      ({ settings, messagesPerSecond, line }) => `| ProducerPerformance ${settings} | ${messagesPerSecond} | ${line} |`,
    ),
    ...one.runs.map(
      ({ seconds, messagesPerSecond, peakRssMiB }) =>
        `| headrace run, start-up included | ${messagesPerSecond} | ${seconds.toFixed(1)} s, peak RSS ${peakRssMiB} MiB |`,
    ),
    '',
  ];
}
