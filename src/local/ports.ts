/** Loopback ports: free ones, and who holds one that is taken. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { systemClock } from '../base/clock.ts';
import { randomInteger } from '../base/random.ts';

export const LOOPBACK = '127.0.0.1';

// Below the range from which systems give ports to outgoing connections (Linux 32768, macOS 49152): while a broker
// is killed, a client that keeps connecting to its port could be given that very port and connect to itself.
const FIRST = 15_000;
const LAST = 32_000;

/** As many different free loopback ports as asked for, none of them among `except`. */
export async function freePorts(count: number, except: readonly number[] = []): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1000) throw new Error('no free loopback port found');
    const port = randomInteger(FIRST, LAST);
    if (!ports.has(port) && !except.includes(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

/** Whether nothing listens on the port, neither on loopback nor on all addresses. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port)) && !(await answers(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: LOOPBACK }, () => server.close(() => resolve(true)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK });
    const settle = (answer: boolean) => (): void => {
      cancel();
      socket.destroy();
      resolve(answer);
    };
    const cancel = systemClock.after(1000, settle(false));
    socket.once('connect', settle(true));
    socket.once('error', settle(false));
  });
}

/** The process that listens on the port, as far as this user may see it. */
export function portHolder(port: number): { pid: number; command: string } | null {
  const pid = process.platform === 'linux' ? linuxListener(port) : lsofListener(port);
  return pid === null ? null : { pid, command: commandOf(pid) };
}

function linuxListener(port: number): number | null {
  const sockets = new Set(
    ['tcp', 'tcp6'].flatMap((table) => listeningInodes(table, port)).map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return null;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return Number(pids.find((pid) => openFiles(pid).some((file) => sockets.has(file)))) || null;
}

function listeningInodes(table: string, port: number): string[] {
  const rows = (orNull(() => readFileSync(`/proc/net/${table}`, 'utf8')) ?? '').split('\n').slice(1);
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const LISTEN = '0A';
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return fields.filter((row) => row[1]?.endsWith(hexPort) && row[3] === LISTEN).map((row) => row[9] ?? '');
}

/** What the process has open; nothing of another user's. */
function openFiles(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  return (orNull(() => readdirSync(folder)) ?? []).flatMap(
    (file) => orNull(() => readlinkSync(`${folder}/${file}`)) ?? [],
  );
}

/** Files and processes may go while one looks. */
function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}

function lsofListener(port: number): number | null {
  const answer = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t'], { encoding: 'utf8' });
  return Number((answer.stdout ?? '').split('\n')[0]) || null;
}

function commandOf(pid: number): string {
  const answer = spawnSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' });
  return (answer.stdout ?? '').trim();
}
