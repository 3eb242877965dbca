/** Kafka's own Java client as a foreign reader and writer: one Java process for each test process, started when first asked. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { classArchiveFlags, classPath, defaultJars } from '../../src/local/java.ts';
import type { ReadRecord } from './check-topic.ts';

export interface TopicOptions {
  /** 1 unless given. */
  readonly partitions?: number;
  /** The cluster's own default unless given. */
  readonly replication?: number;
  /** Kafka's names, e.g. `max.message.bytes`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface TopicDescription {
  readonly topic: string;
  readonly partitions: readonly { partition: number; leader: number; replicas: number[]; inSync: number[] }[];
  readonly config: Readonly<Record<string, string>>;
}

export interface ReadOptions {
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** `sha256`: the digest in place of the value, for topics whose values need not be carried over; `none`: always null. */
  readonly values?: 'bytes' | 'sha256' | 'none';
}

export interface RecordToProduce {
  readonly partition?: number;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: readonly (readonly [string, Buffer | string | null])[];
  readonly timestampMs?: number;
}

/** The cluster as the Java client sees it. */
export interface Oracle {
  /** Resolves when every partition has a leader that knows of it. */
  createTopic(topic: string, options?: TopicOptions): Promise<void>;
  /** Resolves when the topic is no longer known. */
  deleteTopic(topic: string): Promise<void>;
  /** To `partitions` in all. */
  addPartitions(topic: string, partitions: number): Promise<void>;
  configureTopic(topic: string, config: Readonly<Record<string, string>>): Promise<void>;
  describe(topic: string): Promise<TopicDescription>;
  /** One per partition, in their order. */
  endOffsets(topic: string): Promise<number[]>;
  /** All partitions from the beginning to the ends as they are now; within a partition in order. */
  read(topic: string, options?: ReadOptions): AsyncIterable<ReadRecord>;
  readAll(topic: string, options?: ReadOptions): Promise<ReadRecord[]>;
  /** Each partition's leadership goes back to the first of its replicas. */
  electPreferred(): Promise<void>;
  /** Bytes a second that producers may send to each broker; null: as many as they like. */
  setClientQuota(bytesPerSecond: number | null): Promise<void>;
  /** Makes the user of SCRAM-SHA-256 and SCRAM-SHA-512, or gives it another password. */
  setScramPassword(username: string, password: string): Promise<void>;
  /** Takes a permission on a topic from a user such as `User:app`, or gives it back; the broker needs an authorizer. */
  denyTopic(topic: string, principal: string, operation: 'WRITE' | 'DESCRIBE', denied: boolean): Promise<void>;
  /** By Java's producer, with `acks` all unless `properties` say otherwise. */
  produce(topic: string, records: readonly RecordToProduce[]): Promise<{ partition: number; offset: number }[]>;
}

/**
 * `properties`: what the Java client needs beside the address, e.g. `security.protocol`. `jars`: the client of another
 * release, for brokers that today's no longer speaks to.
 */
export function oracle(
  bootstrap: string,
  properties: Readonly<Record<string, string>> = {},
  jars: string = defaultJars(),
): Oracle {
  const daemon = (): Daemon => daemonOf(jars);
  const at = { bootstrap, properties };
  const read = (topic: string, options: ReadOptions = {}): AsyncIterable<ReadRecord> =>
    daemon().read(topic, { command: 'read', ...at, topic, ...options });
  return {
    createTopic: async (topic, options) =>
      void (await daemon().ask({ command: 'createTopic', ...at, topic, ...options })),
    deleteTopic: async (topic) => void (await daemon().ask({ command: 'deleteTopic', ...at, topic })),
    addPartitions: async (topic, partitions) =>
      void (await daemon().ask({ command: 'addPartitions', ...at, topic, partitions })),
    configureTopic: async (topic, config) =>
      void (await daemon().ask({ command: 'configureTopic', ...at, topic, config })),
    describe: (topic) => daemon().ask({ command: 'describe', ...at, topic }),
    endOffsets: (topic) => daemon().ask({ command: 'endOffsets', ...at, topic }),
    read,
    readAll: (topic, options) => Array.fromAsync(read(topic, options)),
    electPreferred: async () => void (await daemon().ask({ command: 'electPreferred', ...at })),
    setClientQuota: async (bytesPerSecond) =>
      void (await daemon().ask({ command: 'setClientQuota', ...at, bytesPerSecond })),
    setScramPassword: async (username, password) =>
      void (await daemon().ask({ command: 'setScramPassword', ...at, username, password })),
    denyTopic: async (topic, principal, operation, denied) =>
      void (await daemon().ask({ command: 'denyTopic', ...at, topic, principal, operation, denied })),
    produce: (topic, records) =>
      daemon().ask({ command: 'produce', ...at, topic, records: records.map((record) => encoded(record)) }),
  };
}

/** Where Java's own producer puts each key: one row for each count of partitions, in the order of the keys. */
export function javaPartitions(keys: readonly Buffer[], counts: readonly number[]): Promise<number[][]> {
  return daemonOf(defaultJars()).ask({
    command: 'partitionsFor',
    keys: keys.map((key) => key.toString('base64')),
    counts,
  });
}

function encoded(record: RecordToProduce): object {
  const base64 = (bytes: Buffer | string | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString('base64');
  const headers = (record.headers ?? []).map(([name, value]) => [name, base64(value)]);
  return { ...record, key: base64(record.key), value: base64(record.value), headers };
}

type PlainRecord = [number, number, number, string | null, string | null, [string, string | null][]];
type Answer = { id: number; records?: PlainRecord[]; result?: unknown; error?: string };

class Daemon {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(jars: string) {
    const path = [classPath(jars), compiled(defaultJars())].join(delimiter);
    const flags = [
      ...classArchiveFlags(jars),
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dlog4j2.level=OFF',
    ];
    this.#child = spawn('java', [...flags, '-cp', path, 'Oracle'], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.#waiting.get(answer.id)?.(answer);
    });
    const ended = (why: string): void => {
      daemons.delete(jars);
      for (const [id, settle] of this.#waiting) settle({ id, error: `the Java client ended: ${why}` });
    };
    this.#child.once('error', (error) => ended(error.message));
    this.#child.once('exit', (code, signal) => ended(`${signal ?? code}`));
    this.#child.stdin!.on('error', () => {}); // told by 'exit'
    this.#keepAlive();
  }

  ask<T>(request: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#send(request, (answer) => {
        this.#forget(id);
        if (answer.error === undefined) resolve(answer.result as T);
        else reject(new Error(`oracle: ${answer.error}`));
      });
    });
  }

  async *read(topic: string, request: object): AsyncGenerator<ReadRecord> {
    const lines: Answer[] = [];
    let arrived = (): void => {};
    const id = this.#send(request, (answer) => {
      lines.push(answer);
      arrived();
    });
    try {
      for (;;) {
        const line = lines.shift();
        if (line === undefined) await new Promise<void>((resolve) => (arrived = resolve));
        else if (line.error !== undefined) throw new Error(`oracle: ${line.error}`);
        else if (line.records === undefined) return;
        else {
          this.#write({ more: id });
          for (const record of line.records) yield decoded(topic, record);
        }
      }
    } finally {
      this.#forget(id);
    }
  }

  #send(request: object, onAnswer: (answer: Answer) => void): number {
    const id = ++this.#lastId;
    this.#waiting.set(id, onAnswer);
    this.#keepAlive();
    this.#write({ id, ...request });
    return id;
  }

  #write(line: object): void {
    this.#child.stdin!.write(`${JSON.stringify(line)}\n`);
  }

  #forget(id: number): void {
    this.#waiting.delete(id);
    this.#keepAlive();
  }

  /** The Java process keeps this one alive only while an answer is awaited; it ends itself when this one is gone. */
  #keepAlive(): void {
    const { stdin, stdout } = this.#child as unknown as { stdin: Socket; stdout: Socket };
    for (const handle of [this.#child, stdin, stdout]) {
      if (this.#waiting.size > 0) handle.ref();
      else handle.unref();
    }
  }
}

/** By the folder of the client's jars. */
const daemons = new Map<string, Daemon>();

function daemonOf(jars: string): Daemon {
  const daemon = daemons.get(jars) ?? new Daemon(jars);
  daemons.set(jars, daemon);
  return daemon;
}

function decoded(topic: string, [partition, offset, timestampMs, key, value, headers]: PlainRecord): ReadRecord {
  const bytes = (base64: string | null): Buffer | null => (base64 === null ? null : Buffer.from(base64, 'base64'));
  return {
    topic,
    partition,
    offset,
    timestampMs,
    key: bytes(key),
    value: bytes(value),
    headers: headers.map(([name, header]) => [name, bytes(header)]),
  };
}

/** The folder of Oracle.class: compiled once for each state of its source, by a compiler that runs on any Java. */
function compiled(jars: string): string {
  const source = join(import.meta.dirname, 'java', 'Oracle.java');
  const cache = join(import.meta.dirname, '..', '..', '.cache');
  const state = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const target = join(cache, 'test', `oracle-${state}`);
  if (existsSync(target)) return target;
  mkdirSync(join(cache, 'test'), { recursive: true });
  const folder = mkdtempSync(join(cache, 'test', 'compile-'));
  const compiler = ['-jar', join(cache, 'ecj', '3.33.0', 'ecj-3.33.0.jar'), '-17', '-nowarn', '-cp', classPath(jars)];
  const answer = spawnSync('java', [...compiler, '-d', folder, source], { encoding: 'utf8' });
  try {
    if (answer.status !== 0)
      throw new Error(`Oracle.java could not be compiled: ${answer.error?.message ?? answer.stdout + answer.stderr}`);
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true });
    if (!existsSync(target)) throw error; // else another test process was first
  }
  return target;
}
