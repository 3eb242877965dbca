/** The collector, answering after Kafka's acknowledgement, beside a bare server without Kafka. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oracle } from '../test/support/oracle.ts';
import { eventLine } from './support/data.ts';
import type { BenchKafka } from './support/kafka.ts';
import { load, type LoadResult } from './support/load.ts';
import type { Part } from './support/part.ts';

interface CollectorResult {
  readonly name: string;
  readonly connections: number;
  readonly eventsPerRequest: number;
  readonly bare: LoadResult;
  readonly headrace: LoadResult;
  /** At half of the bare server's rate. */
  readonly atHalf: LoadResult | null;
  readonly ratio: number;
  readonly target: number;
}

const root = join(import.meta.dirname, '..');
const WRITE_KEY = 'bench-write-key';

export const collectorPart: Part = async ({ kafka, short }) => {
  const results = await benchCollector(kafka, short ? 5 : 12);
  return { results, lines: results.flatMap(linesOf) };
};

async function benchCollector(kafka: BenchKafka, seconds: number): Promise<CollectorResult[]> {
  const topic = await kafka.newTopic('collector');
  const server = await startServer(kafka.bootstrap, topic);
  const bare = await startBare();
  try {
    const results: CollectorResult[] = [];
    const single = eventLine(1);
    const batch = JSON.stringify({ batch: Array.from({ length: 100 }, (_, i) => JSON.parse(eventLine(i)) as object) });
    const plan = [
      {
        name: 'track of 400 bytes',
        path: '/v1/track',
        body: single,
        connections: 64,
        eventsPerRequest: 1,
        target: 0.5,
        half: true,
      },
      {
        name: 'track of 400 bytes',
        path: '/v1/track',
        body: single,
        connections: 512,
        eventsPerRequest: 1,
        target: 0.5,
        half: false,
      },
      {
        name: 'batch of 100 events',
        path: '/v1/batch',
        body: batch,
        connections: 64,
        eventsPerRequest: 100,
        target: 0.6,
        half: false,
      },
    ];
    for (const { name, path, body, connections, eventsPerRequest, target, half } of plan) {
      const headers = { authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}` };
      const common = { body, connections, headers };
      await load({ ...common, url: `${server.address}${path}`, seconds: 3 });
      await load({ ...common, url: `${bare.address}${path}`, seconds: 3 });
      const theirs = await load({ ...common, url: `${bare.address}${path}`, seconds });
      const ours = await load({ ...common, url: `${server.address}${path}`, seconds });
      const atHalf = half
        ? await load({ ...common, url: `${server.address}${path}`, seconds, rate: theirs.requestsPerSecond / 2 })
        : null;
      const ratio = Math.round((ours.requestsPerSecond / theirs.requestsPerSecond) * 100) / 100;
      results.push({ name, connections, eventsPerRequest, bare: theirs, headrace: ours, atHalf, ratio, target });
    }
    const inTopic = (await oracle(kafka.bootstrap).endOffsets(topic)).reduce((sum, end) => sum + end, 0);
    if (inTopic === 0) throw new Error('no event arrived');
    return results;
  } finally {
    await server.stop();
    await bare.stop();
  }
}

interface Running {
  readonly address: string;
  stop(): Promise<void>;
}

async function startServer(bootstrap: string, topic: string): Promise<Running> {
  const data = mkdtempSync(join(tmpdir(), 'headrace-bench-data-'));
  const config = join(data, 'bench.json');
  const configuration = {
    destinations: { main: { brokers: bootstrap } },
    sources: { web: { type: 'events', write_key: WRITE_KEY } },
    syncs: { tracks: { source: 'web', destination: 'main', message: { topic, key: '$.userId', payload: '$.' } } },
  };
  writeFileSync(config, JSON.stringify(configuration));
  const child = spawn(join(root, 'bin', 'headrace'), ['start', '--config', config, '--data', data, '--port', '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const file = join(data, 'server.json');
  const deadline = performance.now() + 20_000;
  while (!existsSync(file)) {
    if (performance.now() > deadline) throw new Error('headrace did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { address } = JSON.parse(readFileSync(file, 'utf8')) as { address: string };
  return {
    address,
    async stop() {
      await end(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function startBare(): Promise<Running> {
  const child = spawn(process.execPath, [join(root, 'bench', 'peers', 'bare-server.ts')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
  );
  const { port } = JSON.parse(line) as { port: number };
  return { address: `http://127.0.0.1:${port}`, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exited;
}

function linesOf(one: CollectorResult): string[] {
  const rows = [
    ['bare node:http server, no Kafka', one.bare],
    ['headrace, answer after Kafka', one.headrace],
    ['headrace at half of the bare rate', one.atHalf],
  ] as const;
  const measured = rows.flatMap(([what, result]) => (result === null ? [] : [{ what, ...result }]));
  return [
    `## Collector: ${one.name}, ${one.connections} connections`,
    '',
    `Ratio **${one.ratio}** (target ${one.target}).`,
    '',
    '| what | requests/s | events/s | p50 ms | p99 ms | max ms | not 200 | errors |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...measured.map(
      ({ what, requestsPerSecond, p50Ms, p99Ms, maxMs, non200, errors }) =>
        `| ${what} | ${requestsPerSecond} | ${requestsPerSecond * one.eventsPerRequest} | ${p50Ms} | ${p99Ms} | ${maxMs} | ${non200} | ${errors} |`,
    ),
    '',
  ];
}
