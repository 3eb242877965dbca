/** The broker and the yardstick of all benchmarks: one Kafka as its own scripts start it, and Kafka's own producer test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classPath, defaultJars } from '../../src/local/java.ts';
import { startKafka, type RunningKafka } from '../../src/local/kafka.ts';
import { oracle } from '../../test/support/oracle.ts';

/** The flags of Kafka's own start script, with a heap of 1 GB. */
const BROKER_FLAGS = [
  '-server',
  '-Xms1g',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
];
export const PARTITIONS = 6;

export interface BenchKafka {
  readonly bootstrap: string;
  newTopic(name: string): Promise<string>;
  dropTopic(topic: string): Promise<void>;
  stop(): Promise<void>;
}

export async function benchKafka(): Promise<BenchKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-kafka-'));
  const kafka: RunningKafka = await startKafka({ folder, heap: '1g', jvm: BROKER_FLAGS });
  let count = 0;
  return {
    bootstrap: kafka.bootstrap,
    async newTopic(name) {
      const topic = `${name}-${++count}`;
      await oracle(kafka.bootstrap).createTopic(topic, { partitions: PARTITIONS });
      return topic;
    },
    dropTopic: (topic) => oracle(kafka.bootstrap).deleteTopic(topic),
    async stop() {
      await kafka.stop({ kill: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface YardstickResult {
  readonly settings: string;
  readonly messagesPerSecond: number;
  readonly line: string;
}

/** Three settings of Kafka's own `ProducerPerformance`: its defaults, and two that suit throughput better. */
const settings: readonly (readonly string[])[] = [
  [],
  ['batch.size=131072', 'linger.ms=5'],
  ['batch.size=524288', 'linger.ms=10', 'buffer.memory=67108864'],
];

/** acks all, idempotent as is its default; the rate is its own figure, without the start of its JVM. */
export async function yardstick(kafka: BenchKafka, messages: number, bytes: number): Promise<YardstickResult[]> {
  const results: YardstickResult[] = [];
  for (const extra of settings) {
    const topic = await kafka.newTopic('yardstick');
    const line = await producerPerformance(kafka.bootstrap, topic, messages, bytes, extra);
    const rate = /([\d.]+) records\/sec/.exec(line);
    if (rate === null) throw new Error(`ProducerPerformance said: ${line}`);
    results.push({ settings: ['acks=all', ...extra].join(' '), messagesPerSecond: Math.round(Number(rate[1])), line });
    await kafka.dropTopic(topic);
  }
  return results;
}

function producerPerformance(
  bootstrap: string,
  topic: string,
  messages: number,
  bytes: number,
  extra: readonly string[],
): Promise<string> {
  const args = [
    '-server',
    '-Xmx512m',
    '-XX:+UseG1GC',
    '-Dlog4j2.level=OFF',
    '-cp',
    classPath(defaultJars()),
    'org.apache.kafka.tools.ProducerPerformance',
  ];
  const what = [
    '--topic',
    topic,
    '--num-records',
    String(messages),
    '--record-size',
    String(bytes),
    '--throughput',
    '-1',
  ];
  const properties = ['--producer-props', `bootstrap.servers=${bootstrap}`, 'acks=all', ...extra];
  return new Promise((resolve, reject) => {
    const child = spawn('java', [...args, ...what, ...properties], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    child.once('error', reject);
    child.once('exit', (code) => {
      const last =
        output
          .trim()
          .split('\n')
          .findLast((line) => line.includes('records/sec')) ?? output;
      if (code === 0) resolve(last.trim());
      else reject(new Error(`ProducerPerformance ended with ${code}: ${output.slice(-500)}`));
    });
  });
}
