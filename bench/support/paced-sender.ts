/** The process of `pacedLoad`: reads what to send from standard input, prints what it measured. */
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { percentiles, type PacedLoad, type PacedResult } from './paced-load.ts';

const load = JSON.parse(await text(process.stdin)) as PacedLoad;
const { hostname, port, pathname, host } = new URL(load.url);
const request = requestBytes();
const idle: Socket[] = [];
const due: number[] = [];
/** Bytes of the present answer so far: it may come in pieces. */
const pieces = new Map<Socket, string>();
const underWay = new Map<Socket, { readonly dueMs: number; readonly sentMs: number }>();
const fromDue: number[] = [];
const fromSent: number[] = [];
const late: number[] = [];
let non200 = 0;

await Promise.all(Array.from({ length: load.connections }, open));
const startedMs = performance.now();
await sendAll();
while (underWay.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
const seconds = (performance.now() - startedMs) / 1000;
const result: PacedResult = {
  requestsPerSecond: Math.round(fromDue.length / seconds),
  fromDue: percentiles(fromDue),
  fromSent: percentiles(fromSent),
  senderLate: percentiles(late),
  non200,
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));

function requestBytes(): Buffer {
  const body = Buffer.from(load.body);
  const headers = { host, 'content-type': 'application/json', 'content-length': String(body.length), ...load.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      idle.push(socket);
      resolve();
    });
    socket
      .setNoDelay(true)
      .on('error', reject)
      .on('data', (answer) => answered(socket, answer));
  });
}

function answered(socket: Socket, piece: Buffer): void {
  const nowMs = performance.now();
  const answer = (pieces.get(socket) ?? '') + piece.toString('latin1');
  if (!isWhole(answer)) return void pieces.set(socket, answer);
  pieces.delete(socket);
  const { dueMs, sentMs } = underWay.get(socket)!;
  if (answer.slice(9, 12) !== '200') non200++;
  fromDue.push(nowMs - dueMs);
  fromSent.push(nowMs - sentMs);
  underWay.delete(socket);
  const next = due.shift();
  if (next === undefined) idle.push(socket);
  else send(socket, next);
}

function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = /content-length: (\d+)/i.exec(answer.slice(0, head));
  return answer.length >= head + 4 + Number(length?.[1] ?? 0);
}

function send(socket: Socket, dueMs: number): void {
  underWay.set(socket, { dueMs, sentMs: performance.now() });
  socket.write(request);
}

/** Each millisecond what is due; what finds no free connection waits for one. */
async function sendAll(): Promise<void> {
  const count = load.rate * load.seconds;
  let sent = 0;
  for (let wokenMs = performance.now(); sent < count;) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const nowMs = performance.now();
    late.push(Math.max(0, nowMs - wokenMs - 1));
    wokenMs = nowMs;
    for (; sent < count && startedMs + (sent * 1000) / load.rate <= nowMs; sent++) {
      const dueMs = startedMs + (sent * 1000) / load.rate;
      // In turn: a server closes connections that never ask anything.
      const socket = idle.shift();
      if (socket === undefined) due.push(dueMs);
      else send(socket, dueMs);
    }
  }
}
