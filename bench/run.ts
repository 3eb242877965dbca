/**
 * All end-to-end benchmarks in one run on one broker: `npm run bench [-- --short] [-- files|collector]`.
 * Writes bench/results/<date>.json (raw) and .md (for people). The peers run in the same run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchCollector, type CollectorResult } from './collector.bench.ts';
import { benchFiles, type FilesResult } from './files.bench.ts';
import { benchKafka, PARTITIONS } from './support/kafka.ts';
import { machine, type Machine } from './support/machine.ts';

const args = process.argv.slice(2);
const short = args.includes('--short');
const only = args.find((arg) => !arg.startsWith('--'));

const on = machine();
const kafka = await benchKafka();
try {
  const files = only === 'collector' ? [] : await benchFiles(kafka, short ? 300_000 : 2_000_000, short ? 1 : 2);
  const collector = only === 'files' ? [] : await benchCollector(kafka, short ? 5 : 12);
  const page = report(on, files, collector);
  process.stdout.write(page);
  if (!short) {
    const folder = join(import.meta.dirname, 'results');
    mkdirSync(folder, { recursive: true });
    const name = `${on.at.slice(0, 16).replaceAll(/[:T]/g, '-')}${only === undefined ? '' : `-${only}`}`;
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine: on, files, collector }, null, 2)}\n`);
    writeFileSync(join(folder, `${name}.md`), page);
  }
} finally {
  await kafka.stop();
}
process.exit(0);

function report(on: Machine, files: readonly FilesResult[], collector: readonly CollectorResult[]): string {
  const lines = [
    `# Benchmark of ${on.at}`,
    '',
    `Headrace ${on.headrace} at ${on.commit}, Apache Kafka ${on.kafka} (one broker, ${PARTITIONS} partitions, acks all, on the same machine), Node ${on.node}, ${on.java}, ${on.cores} cores of ${on.cpu}, ${on.memoryGiB} GiB, ${on.system}; load before the run ${on.loadBefore}.`,
    '',
  ];
  for (const one of files) {
    lines.push(
      `## ${one.name}`,
      '',
      `${one.messages} messages, mean value ${one.meanValueBytes} bytes. Ratio **${one.ratio}** (target ${one.target}).`,
      '',
      '| what | messages/s | |',
      '| --- | ---: | --- |',
    );
    for (const { settings, messagesPerSecond, line } of one.yardstick)
      lines.push(`| ProducerPerformance ${settings} | ${messagesPerSecond} | ${line} |`);
    for (const { seconds, messagesPerSecond, peakRssMiB } of one.runs)
      lines.push(
        `| headrace run, start-up included | ${messagesPerSecond} | ${seconds.toFixed(1)} s, peak RSS ${peakRssMiB} MiB |`,
      );
    lines.push('');
  }
  for (const one of collector) {
    lines.push(
      `## Collector: ${one.name}, ${one.connections} connections`,
      '',
      `Ratio **${one.ratio}** (target ${one.target}).`,
      '',
      '| what | requests/s | events/s | p50 ms | p99 ms | max ms | not 200 | errors |',
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    );
    const rows = [
      ['bare node:http server, no Kafka', one.bare],
      ['headrace, answer after Kafka', one.headrace],
      ['headrace at half of the bare rate', one.atHalf],
    ] as const;
    for (const [what, result] of rows) {
      if (result === null) continue;
      lines.push(
        `| ${what} | ${result.requestsPerSecond} | ${result.requestsPerSecond * one.eventsPerRequest} | ${result.p50Ms} | ${result.p99Ms} | ${result.maxMs} | ${result.non200} | ${result.errors} |`,
      );
    }
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}
