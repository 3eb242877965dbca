/** Processes known by pid and start time, so that a recycled pid is never taken for ours. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock, type Clock } from '../base/clock.ts';

export interface ProcessRecord {
  readonly pid: number;
  /** Start time (and boot) of the process, compared as text. */
  readonly identity: string;
}

/** The record of a running process; null when there is none of that pid, or only its zombie. */
export function recordOf(pid: number): ProcessRecord | null {
  const identity = process.platform === 'linux' ? linuxIdentity(pid) : posixIdentity(pid);
  return identity === null ? null : { pid, identity };
}

export function isAlive(record: ProcessRecord): boolean {
  return recordOf(record.pid)?.identity === record.identity;
}

/** Sends the signal if the process is still the one recorded; false when it is gone. */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (!isAlive(record)) return false;
  try {
    return process.kill(record.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** True once the process is gone, false when it still runs after `timeoutMs`. */
export async function waitForExit(
  record: ProcessRecord,
  timeoutMs: number,
  clock: Clock = systemClock,
): Promise<boolean> {
  const deadline = clock.monotonic() + timeoutMs;
  while (isAlive(record)) {
    if (clock.monotonic() >= deadline) return false;
    await clock.sleep(20);
  }
  return true;
}

/** SIGTERM, and after `graceMs` SIGKILL; resolves when the process is gone. */
export async function endProcess(record: ProcessRecord, graceMs: number): Promise<void> {
  signalProcess(record, 'SIGCONT'); // a frozen process would keep SIGTERM waiting
  if (!signalProcess(record, 'SIGTERM')) return;
  if (await waitForExit(record, graceMs)) return;
  signalProcess(record, 'SIGKILL');
  await waitForExit(record, 10_000);
}

function linuxIdentity(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command name in parentheses may hold blanks and parentheses: fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A killed process counts as gone only when its last thread is: until then its ports and files are held.
  if (fields[0] === 'X' || (fields[0] === 'Z' && threadCount(pid) <= 1)) return null;
  const boot = readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return `${boot}:${fields[19]}`;
}

function threadCount(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

function posixIdentity(pid: number): string | null {
  const answer = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const [state, ...started] = (answer.stdout ?? '').trim().split(/\s+/);
  if (!state || state.startsWith('Z')) return null;
  return started.join(' ');
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
