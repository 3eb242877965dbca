/** Partitions as other clients choose them: asked of librdkafka and kafka-go where they run, else known from vectors made so. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Partitioner } from '../../src/model/index.ts';

/** What one client answers: for each family it has, a row for each number of partitions, in the order of the keys. */
export interface ForeignPartitions {
  readonly version: string;
  readonly partitions: Readonly<Partial<Record<Partitioner, readonly (readonly number[])[]>>>;
}

/** test/fixtures/partitions/vectors.json: made by generate.ts from the real clients. */
export interface PartitionVectors {
  readonly comment: string;
  /** Of the clients asked. */
  readonly versions: Readonly<Record<'librdkafka' | 'kafka-go', string>>;
  readonly keys: number;
  readonly counts: readonly number[];
  readonly families: Readonly<Partial<Record<Partitioner, FamilyVectors>>>;
}

export interface FamilyVectors {
  /** Who was asked, and by which of its names. */
  readonly of: string;
  /** Some text keys, each with its partition for each of `counts`: for people, and for tests with real messages. */
  readonly samples: readonly { readonly key: string; readonly partitions: readonly number[] }[];
  /** For each of `counts` the digest of the partitions of all keys. */
  readonly digests: readonly string[];
}

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'partitions');
const cache = join(import.meta.dirname, '..', '..', '.cache', 'test');
const CONFLUENT_KAFKA = '2.16.1';
const LIMIT_MS = 600_000;

export const vectorsPath = join(fixtures, 'vectors.json');

export function readVectors(): PartitionVectors {
  return JSON.parse(readFileSync(vectorsPath, 'utf8')) as PartitionVectors;
}

export function digestOf(row: readonly number[]): string {
  return createHash('sha256').update(row.join()).digest('base64url');
}

/** Asks librdkafka. A text says why it cannot run here. */
export function askLibrdkafka(keys: readonly Buffer[], counts: readonly number[]): ForeignPartitions | string {
  const folder = join(cache, `confluent-kafka-${CONFLUENT_KAFKA}`);
  if (!existsSync(join(folder, 'confluent_kafka'))) {
    mkdirSync(folder, { recursive: true });
    const wanted = ['--only-binary', ':all:', '--no-deps', `confluent-kafka==${CONFLUENT_KAFKA}`];
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--timeout', '15', '--retries', '1'];
    const failed = run('python3', ['-m', 'pip', 'install', ...quiet, '--target', folder, ...wanted]);
    if (failed.text === null) return `confluent-kafka could not be installed: ${failed.problem}`;
  }
  return ask('python3', [join(fixtures, 'librdkafka.py')], { keys, counts, env: { PYTHONPATH: folder } });
}

/** Asks kafka-go by a program that Go compiles. A text says why it cannot run here. */
export function askKafkaGo(keys: readonly Buffer[], counts: readonly number[]): ForeignPartitions | string {
  return ask('go', ['run', '-mod=readonly', '.'], { keys, counts, cwd: join(fixtures, 'kafka-go') });
}

interface Question {
  readonly keys: readonly Buffer[];
  readonly counts: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

function ask(
  command: string,
  args: readonly string[],
  { keys, counts, ...options }: Question,
): ForeignPartitions | string {
  const input = JSON.stringify({ keys: keys.map((key) => key.toString('base64')), counts });
  const answer = run(command, args, { ...options, input });
  return answer.text === null ? answer.problem : (JSON.parse(answer.text) as ForeignPartitions);
}

interface Started {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

type Answer = { readonly text: string; readonly problem: null } | { readonly text: null; readonly problem: string };

function run(command: string, args: readonly string[], { input = '', env = {}, cwd }: Started = {}): Answer {
  const answer = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    timeout: LIMIT_MS,
    maxBuffer: 256 * 1024 * 1024,
  });
  if (answer.status === 0) return { text: answer.stdout, problem: null };
  const said = answer.error?.message ?? answer.stderr.trim().split('\n').at(-1) ?? '';
  return { text: null, problem: `${command} ${args[0]}: ${said === '' ? `ended with ${answer.status}` : said}` };
}
