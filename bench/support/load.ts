/** HTTP load from a process of its own (autocannon), bounded in connections and seconds, on loopback. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly non200: number;
  readonly errors: number;
}

export interface Load {
  readonly url: string;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second over all connections; absent: as fast as answers come. */
  readonly rate?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function load({ url, body, connections, seconds, rate, headers }: Load): Promise<LoadResult> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon');
  const args = ['--json', '-m', 'POST', '-c', String(connections), '-d', String(seconds), '-b', body];
  for (const [name, value] of Object.entries({ 'content-type': 'application/json', ...headers }))
    args.push('-H', `${name}=${value}`);
  if (rate !== undefined) args.push('-R', String(Math.round(rate)));
  const child = spawn(process.execPath, [autocannon, ...args, url], { stdio: ['ignore', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  const result = JSON.parse(output) as {
    requests: { average: number };
    latency: { p50: number; p99: number; max: number };
    non2xx: number;
    errors: number;
  };
  return {
    requestsPerSecond: Math.round(result.requests.average),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    maxMs: result.latency.max,
    non200: result.non2xx,
    errors: result.errors,
  };
}
