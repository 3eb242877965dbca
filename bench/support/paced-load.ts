/**
 * HTTP load at a fixed rate, from a process of its own with plain sockets: requests are due by the clock whether or not
 * earlier ones were answered, so that a server that stalls does not thereby slow down who measures it.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface PacedLoad {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface PacedResult {
  readonly requestsPerSecond: number;
  /** From the moment a request was due to its answer: what waited for a free connection, or for the sender, counts. */
  readonly fromDue: Percentiles;
  /** From the moment a request was sent to its answer. */
  readonly fromSent: Percentiles;
  /** How late the sender itself woke up to send, each millisecond: its own share of `fromDue`. */
  readonly senderLate: Percentiles;
  readonly non200: number;
}

export async function pacedLoad(load: PacedLoad): Promise<PacedResult> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'paced-sender.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(load));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  return JSON.parse(output) as PacedResult;
}

export function percentiles(samplesMs: number[]): Percentiles {
  const sorted = Float64Array.from(samplesMs).sort();
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
