/**
 * How much of a bare HTTP server's speed the collector keeps when Kafka costs nothing: both servers in turn, each in
 * a process of its own, under the same load. `node bench/collector-only.ts [--seconds 5] [--rounds 5] [--connections 64]`
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
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
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
}
type Load = (options: object) => Promise<LoadResult>;

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
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
    },
  });
  const seconds = Number(values.seconds);
  const connections = Number(values.connections);
  const digest = createHash('sha256').update(bodies.single).digest('hex').slice(0, 8);
  console.log(
    `Node ${process.version}, ${availableParallelism()} cores, ${connections} connections, ${seconds} s a round`,
  );
  console.log(`event of ${bodies.single.length} bytes (${digest}), batch of 100 of them\n`);
  for (const shape of ['single', 'batch'] as const) {
    const rates: number[] = [];
    const costs: number[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      // Turn about, so that neither always has the warmer machine.
      const order = round % 2 === 0 ? (['bare', 'collector'] as const) : (['collector', 'bare'] as const);
      const taken: Partial<Record<'bare' | 'collector', Measured>> = {};
      for (const name of order) taken[name] = await measure(name, shape, seconds, connections);
      rates.push(taken.collector!.rate / taken.bare!.rate);
      costs.push(taken.bare!.cpuMicroseconds / taken.collector!.cpuMicroseconds);
    }
    console.log(`${shape}: collector / bare in requests a second: ${median(rates)}`);
    console.log(
      `${shape}: bare / collector in CPU time a request, which a busy machine disturbs less: ${median(costs)}\n`,
    );
  }
}

function median(ratios: number[]): string {
  const sorted = ratios.toSorted((a, b) => a - b);
  const all = sorted.map((ratio) => ratio.toFixed(3)).join(' ');
  return `${sorted[Math.floor(sorted.length / 2)]!.toFixed(3)} (median of ${all})`;
}

interface Measured {
  readonly rate: number;
  readonly cpuMicroseconds: number;
}

async function measure(
  name: 'bare' | 'collector',
  shape: Shape,
  seconds: number,
  connections: number,
): Promise<Measured> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', name]);
  const [port] = (await once(child, 'message')) as [number];
  const load = createRequire(import.meta.url)('autocannon') as Load;
  const options = {
    url: `http://127.0.0.1:${port}/v1/${shape === 'single' ? 'track' : 'batch'}`,
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: bodies[shape],
    connections,
  };
  await load({ ...options, duration: 1 });
  const before = await cpuTime(child);
  const result = await load({ ...options, duration: seconds });
  const cpuMicroseconds = ((await cpuTime(child)) - before) / result.requests.total;
  child.disconnect();
  await once(child, 'exit');
  if (result.non2xx + result.errors > 0) throw new Error(`${name}: ${result.non2xx} refused, ${result.errors} errors`);
  const { p50, p99 } = result.latency;
  const rate = result.requests.average;
  const cpu = cpuMicroseconds.toFixed(1).padStart(6);
  const perSecond = rate.toFixed(0).padStart(6);
  console.log(
    `${shape} ${name.padEnd(9)} ${perSecond} requests/s  p50 ${p50} ms  p99 ${p99} ms  CPU ${cpu} µs a request`,
  );
  return { rate, cpuMicroseconds };
}

/** Microseconds of CPU the server has used so far. */
async function cpuTime(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [usage] = (await once(child, 'message')) as [NodeJS.CpuUsage];
  return usage.user + usage.system;
}
