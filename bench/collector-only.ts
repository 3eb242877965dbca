/**
 * How much of a bare HTTP server's speed the collector keeps when Kafka costs nothing: both servers in turn, each in
 * a process of its own, under the same load. `node bench/collector-only.ts [--seconds 2] [--rounds 10] [--connections 64]`
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { Secret } from '../src/base/secret.ts';
import { WriteKeys, createCollector, serverOptions } from '../src/sources/events/index.ts';

interface LoadResult {
  readonly requests: { readonly average: number; readonly total: number };
  readonly latency: { readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
}
const autocannon = createRequire(import.meta.url)('autocannon') as (options: object) => Promise<LoadResult>;

/** Printed bytes, so that no print can be left out as unused. */
let printed = 0;
const writeKey = 'bench-key';
const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;
const event = {
  userId: 'user-000001',
  event: 'Order Completed',
  messageId: 'ajs-next-5f2c7f6a1d3b4e8f9a0b1c2d3e4f5a6b',
  timestamp: '2026-01-01T10:11:12.123Z',
  properties: { orderId: 'o-99310', total: 129.95, currency: 'EUR', quantity: 3, note: 'n'.repeat(60) },
  context: { library: { name: 'analytics-node', version: '3.1.0' }, locale: 'en-GB', timezone: 'Europe/Rome' },
};
const bodies = {
  single: JSON.stringify(event),
  batch: JSON.stringify({ batch: Array.from({ length: 100 }, () => ({ type: 'track', ...event })) }),
};
type Shape = keyof typeof bodies;

const serving = process.argv[2] === 'serve' ? process.argv[3] : undefined;
if (serving !== undefined) await serve(serving === 'bare' ? bare() : collector());
else await compare();

/** Parses what it is posted, prints each event, answers: the least that any collector must do. */
function bare(): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString()) as typeof event & {
        batch?: unknown[];
      };
      printed = 0;
      for (const each of body.batch ?? [body]) printed += Buffer.from(JSON.stringify(each)).length;
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 16 });
      response.end('{"success":true}');
    });
  };
}

function collector(): RequestListener {
  const source = {
    type: 'events',
    name: 'bench',
    enabled: true,
    writeKey: new Secret(writeKey),
    maxEventBytes: 32 * 1024,
    maxBatchBytes: 500 * 1024,
    maxBatchEvents: 2500,
  } as const;
  const keys = new WriteKeys([source]);
  const safe = Promise.resolve({ state: 'safe' } as const);
  const taking = createCollector({
    clock: systemClock,
    sources: () => keys,
    intake: {
      draining: false,
      accept(_source, events) {
        printed = 0;
        for (const each of events) printed += each.bytes!.length;
        return safe;
      },
    },
  });
  return (request, response) => void taking.handle(request, response);
}

async function serve(listener: RequestListener): Promise<void> {
  const server = createServer(serverOptions, listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send!((server.address() as AddressInfo).port);
  process.on('message', () => process.send!(process.cpuUsage()));
  process.once('disconnect', () => process.exit(printed < 0 ? 1 : 0));
}

async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '10' },
      connections: { type: 'string', default: '64' },
    },
  });
  const seconds = Number(values.seconds);
  const connections = Number(values.connections);
  console.log(`Node ${process.version}, ${availableParallelism()} cores, ${connections} connections`);
  console.log(
    `event of ${bodies.single.length} bytes, batch of 100 of them; ${values.rounds} rounds of ${seconds} s\n`,
  );
  for (const shape of ['single', 'batch'] as const) {
    const servers = { bare: await start('bare'), collector: await start('collector') };
    const taken: Record<ServerName, Round[]> = { bare: [], collector: [] };
    for (const name of ['bare', 'collector'] as const) await load(servers[name], shape, 2, connections);
    for (let round = 0; round < Number(values.rounds); round++) {
      // Turn about, so that neither always has the warmer machine.
      const order = round % 2 === 0 ? (['bare', 'collector'] as const) : (['collector', 'bare'] as const);
      for (const name of order) taken[name].push(await load(servers[name], shape, seconds, connections));
    }
    for (const name of ['bare', 'collector'] as const) {
      report(shape, name, taken[name]);
      servers[name].child.disconnect();
      await once(servers[name].child, 'exit');
    }
    const { bare: plain, collector: ours } = taken;
    const rates = ours.map((round, index) => round.perSecond / plain[index]!.perSecond);
    const least =
      Math.min(...plain.map((round) => round.cpuMicros)) / Math.min(...ours.map((round) => round.cpuMicros));
    console.log(
      `${shape}: collector / bare = ${median(rates).toFixed(3)} in requests a second (median of the rounds),`,
    );
    console.log(`${shape}: ${least.toFixed(3)} by least CPU time a request, which a busy machine disturbs less\n`);
  }
}

type ServerName = 'bare' | 'collector';

interface RunningServer {
  readonly child: ChildProcess;
  readonly port: number;
}

interface Round {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** CPU time of the server a request, microseconds. */
  readonly cpuMicros: number;
}

async function start(name: ServerName): Promise<RunningServer> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', name]);
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

async function load(server: RunningServer, shape: Shape, seconds: number, connections: number): Promise<Round> {
  const before = await cpuTime(server.child);
  const result = await autocannon({
    url: `http://127.0.0.1:${server.port}/v1/${shape === 'single' ? 'track' : 'batch'}`,
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: bodies[shape],
    connections,
    duration: seconds,
  });
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx} refused, ${result.errors} errors`);
  const cpuMicros = ((await cpuTime(server.child)) - before) / result.requests.total;
  return { perSecond: result.requests.average, p99Ms: result.latency.p99, cpuMicros };
}

/** Microseconds of CPU the server has used so far. */
async function cpuTime(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [usage] = (await once(child, 'message')) as [NodeJS.CpuUsage];
  return usage.user + usage.system;
}

function report(shape: Shape, name: ServerName, rounds: readonly Round[]): void {
  const rate = median(rounds.map((round) => round.perSecond)).toFixed(0);
  const p99Ms = median(rounds.map((round) => round.p99Ms));
  const cpu = rounds.map((round) => round.cpuMicros.toFixed(0)).join(' ');
  console.log(`${shape} ${name.padEnd(9)} ${rate.padStart(6)} requests/s  p99 ${p99Ms} ms  CPU µs a request: ${cpu}`);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
