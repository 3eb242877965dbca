/** The real program as a child process: started, watched until it is ready, killed and measured. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly pid: number;
  /** Resolves when the process has gone and its output has been read to the end. */
  readonly exit: Promise<Exit>;
  readonly running: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** kill -9; resolves when it has gone. */
  kill(): Promise<Exit>;
  /** Sends the signal and waits; rejects with the output when it is still there after `deadlineMs`. */
  stop(signal?: NodeJS.Signals, deadlineMs?: number): Promise<Exit>;
  /** Resident memory now, in bytes; 0 once it has gone. */
  rssBytes(): number;
  /** The most resident memory it ever had, in bytes, as the kernel counts it. */
  peakRssBytes(): number;
}

export interface Server extends Child {
  /** e.g. `http://127.0.0.1:41234` */
  readonly address: string;
  readonly token: string;
  /** Milliseconds from the start of the process until `/readyz` answered 200. */
  readonly readyAfterMs: number;
}

export interface LaunchOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The caller's folder; by default the checkout's. */
  readonly cwd?: string;
  /** Written to standard input, which is then closed. */
  readonly input?: string;
}

export const checkout = fileURLToPath(new URL('../../', import.meta.url));
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Runs `bin/headrace` with these arguments. The script hands its process over to Node, so that the pid is the program's. */
export function launchHeadrace(args: readonly string[], options: LaunchOptions = {}): Child {
  return launch(join(checkout, 'bin/headrace'), args, options);
}

/** Runs to the end. */
export async function headrace(args: readonly string[], options: LaunchOptions = {}): Promise<Exit> {
  return await launchHeadrace(args, options).exit;
}

/**
 * `headrace start` on a data folder, resolved once `/readyz` answers 200. Rejects, with what it printed, when it ends
 * before or is not ready in time; then nothing of it is left running.
 */
export async function startHeadrace(
  options: LaunchOptions & {
    data: string;
    config?: string;
    port?: number;
    args?: readonly string[];
    deadlineMs?: number;
  },
): Promise<Server> {
  const { data, config, port = 0, args = [], deadlineMs = 30_000 } = options;
  const began = performance.now();
  const configured = config === undefined ? [] : ['--config', config];
  const child = launchHeadrace(['start', '--data', data, '--port', String(port), ...configured, ...args], options);
  try {
    const { address, token } = await until(`headrace on ${data} is ready`, () => ready(child, data), { deadlineMs });
    if (!child.running) throw new Error('it ended');
    const readyAfterMs = performance.now() - began;
    return Object.defineProperties(child, {
      address: { value: address },
      token: { value: token },
      readyAfterMs: { value: readyAfterMs },
    }) as Server;
  } catch (error) {
    const exit = await child.kill();
    throw new Error(`headrace did not start (exit ${exit.code ?? exit.signal})\n${exit.stdout}\n${exit.stderr}`, {
      cause: error,
    });
  }
}

/** Samples a process's memory until it ends: for tests of flat growth. Samples are bytes, one each `everyMs`. */
export async function watchMemory(child: Child, everyMs = 250): Promise<number[]> {
  const samples: number[] = [];
  const ended = child.exit.then(() => true);
  for (;;) {
    const over = await Promise.race([ended, new Promise<false>((resolve) => setTimeout(resolve, everyMs, false))]);
    if (over) return samples;
    samples.push(child.rssBytes());
  }
}

/** Any program in the same frame; used for `bin/headrace` and for the tests of this file. */
export function launch(command: string, args: readonly string[], options: LaunchOptions = {}): Child {
  const child = spawn(command, args, {
    cwd: options.cwd ?? checkout,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8');
    child[name].on('data', (text: string) => (output[name] += text));
  }
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  let peak = 0;
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal, ...output });
    });
  });
  // A caller that waits for something else first must not meet an unhandled rejection.
  exit.catch(() => {});
  return {
    pid: child.pid ?? -1,
    exit,
    get running() {
      return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
    },
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    kill() {
      child.kill('SIGKILL');
      return exit;
    },
    stop: (signal = 'SIGTERM', deadlineMs = 30_000) => stopChild(child, exit, output, signal, deadlineMs),
    rssBytes: () => memory(child.pid, 'VmRSS'),
    peakRssBytes: () => (peak = Math.max(peak, memory(child.pid, 'VmHWM'))),
  };
}

async function stopChild(
  child: ChildProcess,
  exit: Promise<Exit>,
  output: { stdout: string; stderr: string },
  signal: NodeJS.Signals,
  deadlineMs: number,
): Promise<Exit> {
  child.kill(signal);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`still there ${deadlineMs} ms after ${signal}\n${output.stdout}\n${output.stderr}`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([exit, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ready(child: Child, data: string): Promise<{ address: string; token: string } | null> {
  // Not "not ready yet": it will never be.
  if (!child.running) return { address: '', token: '' };
  const file = JSON.parse(readFileSync(join(data, 'server.json'), 'utf8')) as Record<string, unknown>;
  // The file of an earlier process that was killed says another pid.
  if (file['pid'] !== child.pid) return null;
  const address = String(file['address'])
    .replace(/^(?!https?:)/, 'http://')
    .replace(/\/$/, '');
  const answer = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(2000) });
  await answer.arrayBuffer();
  return answer.status === 200 ? { address, token: String(file['token']) } : null;
}

function memory(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
