/** The broker and the yardstick of all benchmarks: one Kafka as its own scripts start it, and Kafka's own producer test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classPath, defaultJars } from '../../src/local/java.ts';
import { startKafka, type KafkaOptions, type RunningKafka } from '../../src/local/kafka.ts';
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
  /** `host:port` of a further listener. */
  bootstrapOf(listener: string): string;
  /** What the log of the topic takes on the disk of the broker, in bytes. */
  logBytes(topic: string): number;
  newTopic(name: string): Promise<string>;
  dropTopic(topic: string): Promise<void>;
  stop(): Promise<void>;
}

export async function benchKafka(options: Pick<KafkaOptions, 'listeners' | 'properties'> = {}): Promise<BenchKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-kafka-'));
  const kafka: RunningKafka = await startKafka({ ...options, folder, heap: '1g', jvm: BROKER_FLAGS });
  let count = 0;
  return {
    bootstrap: kafka.bootstrap,
    bootstrapOf: (listener) => kafka.bootstrapOf(listener),
    logBytes: (topic) => logBytes(join(folder, 'node-1', 'data'), topic),
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
    const properties = [`bootstrap.servers=${kafka.bootstrap}`, 'acks=all', ...extra];
    const one = await producerPerformance(topic, messages, ['--record-size', String(bytes)], properties);
    results.push({ ...one, settings: ['acks=all', ...extra].join(' ') });
    await kafka.dropTopic(topic);
  }
  return results;
}

/** `payload`: `--record-size N` for random bytes, or `--payload-file F` for its lines; `properties`: `name=value` of its client. */
export async function producerPerformance(
  topic: string,
  messages: number,
  payload: readonly string[],
  properties: readonly string[],
): Promise<Pick<YardstickResult, 'messagesPerSecond' | 'line'>> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-java-'));
  // In a file: on the command line its tool takes no value with an equals sign, as a login has one.
  const file = join(folder, 'client.properties');
  writeFileSync(file, `${properties.join('\n')}\n`);
  const line = await lastLine(topic, messages, payload, file).finally(() => rmSync(folder, { recursive: true }));
  const rate = /([\d.]+) records\/sec/.exec(line);
  if (rate === null) throw new Error(`ProducerPerformance said: ${line}`);
  return { messagesPerSecond: Math.round(Number(rate[1])), line };
}

function lastLine(
  topic: string,
  messages: number,
  payload: readonly string[],
  propertiesFile: string,
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
  const what = ['--topic', topic, '--num-records', String(messages), ...payload, '--throughput', '-1'];
  return new Promise((resolve, reject) => {
    const child = spawn('java', [...args, ...what, '--command-config', propertiesFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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

function logBytes(data: string, topic: string): number {
  const partitions = readdirSync(data).filter((name) => name.replace(/-\d+$/, '') === topic);
  const logs = partitions.flatMap((partition) =>
    readdirSync(join(data, partition))
      .filter((name) => name.endsWith('.log'))
      .map((name) => join(data, partition, name)),
  );
  return logs.reduce((sum, path) => sum + statSync(path).size, 0);
}
