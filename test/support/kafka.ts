/** Kafka for tests: one broker that all test files of a run share, or one of their own for tests that break it. */
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import { after } from 'node:test';
import { endRecorded, readRecord } from '../../src/local/cluster-record.ts';
import { startKafka, type KafkaOptions, type RunningKafka } from '../../src/local/kafka.ts';
import { signalProcess } from '../../src/local/processes.ts';
import { clearAbandoned, newKafkaFolder } from './kafka-folders.ts';
import { oracle, type TopicOptions } from './oracle.ts';

/** Address of the shared broker; `npm test` starts one and hands it on. */
const given = process.env['HEADRACE_TEST_KAFKA'];
const own = new Set<string>();
let shared: Promise<RunningKafka> | undefined;

/** The address of a broker with default settings that nobody kills. A file run by itself starts and stops its own. */
export async function sharedKafka(): Promise<string> {
  if (given !== undefined) return given;
  shared ??= ownKafka();
  return (await shared).bootstrap;
}

/** A Kafka that belongs to the caller: one broker or three, any properties. Stopped when the file's tests are over, its data removed. */
export async function ownKafka(options: Omit<KafkaOptions, 'folder'> = {}): Promise<RunningKafka> {
  return startKafka({ ...options, folder: await ownFolder() });
}

/** A folder for brokers that belong to the caller: those recorded in it are ended, and it is removed, when the file's tests are over. */
export async function ownFolder(): Promise<string> {
  await clearAbandoned();
  const folder = newKafkaFolder();
  own.add(folder);
  return folder;
}

// Said here and not where one is started: a hook made inside another hook or a test ends with that one.
after(async () => {
  for (const folder of own) {
    await endRecorded(folder, 0);
    rmSync(folder, { recursive: true, force: true });
    own.delete(folder);
  }
});

let count = 0;

/** A topic name that no other test has; `name` in it tells whose it is. */
export function uniqueTopic(name: string): string {
  return `${name.replaceAll(/[^\w.-]+/g, '-')}-${process.pid}-${++count}-${Date.now().toString(36)}`;
}

/** Creates it by the Java client; resolves when every partition can be written. */
export function createTopic(bootstrap: string, name: string, options: TopicOptions = {}): Promise<void> {
  return oracle(bootstrap).createTopic(name, options);
}

/** The name of a new topic. */
export async function newTopic(bootstrap: string, name: string, options: TopicOptions = {}): Promise<string> {
  const topic = uniqueTopic(name);
  await createTopic(bootstrap, topic, options);
  return topic;
}

function endNow(folder: string): void {
  for (const node of readRecord(folder)?.nodes ?? []) if (node.process) signalProcess(node.process, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

process.once('exit', () => {
  for (const folder of own) endNow(folder);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const folder of own) endNow(folder);
    process.exit(128 + constants.signals[signal]);
  });
