/** First contact with an address, by hand: who answers there, a broker or something else, in bounded time and memory. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress } from '../../model/index.ts';
import { StepFailure } from './report.ts';

export type ApiRanges = ReadonlyMap<number, { readonly min: number; readonly max: number }>;

const API_VERSIONS = 18;
const SASL_HANDSHAKE = 17;
const CORRELATION_ID = 0x48524143;
const MAX_ANSWER_BYTES = 64 * 1024;
const ILLEGAL_SASL_STATE = 34;

/** Opens and closes a connection; answers the address that was reached. Throws StepFailure. */
export async function dial(address: BrokerAddress, clock: Clock, timeoutMs: number): Promise<string> {
  return withSocket(address, clock, timeoutMs, (socket) => Promise.resolve(`${socket.remoteAddress}`));
}

/** The API versions that a broker offers to a plain connection. Throws StepFailure that says what answers instead. */
export async function probeVersions(address: BrokerAddress, clock: Clock, timeoutMs: number): Promise<ApiRanges> {
  const answer = await ask(address, clock, timeoutMs, request(API_VERSIONS, 0, Buffer.alloc(0)));
  const ranges = new Map<number, { min: number; max: number }>();
  try {
    const errorCode = answer.readInt16BE(0);
    if (errorCode !== 0) throw notKafka(address, `it answered error ${errorCode} to the first question`);
    const count = answer.readInt32BE(2);
    for (let i = 0; i < count; i++) {
      const at = 6 + i * 6;
      ranges.set(answer.readInt16BE(at), { min: answer.readInt16BE(at + 2), max: answer.readInt16BE(at + 4) });
    }
  } catch (error) {
    throw error instanceof StepFailure ? error : notKafka(address, 'its answer makes no sense');
  }
  return ranges;
}

/** The SASL mechanisms of a listener that expects SASL; null when it expects none. Throws StepFailure. */
export async function probeSasl(
  address: BrokerAddress,
  clock: Clock,
  timeoutMs: number,
): Promise<readonly string[] | null> {
  // No mechanism has this name, so that nothing begins: the broker tells those it has.
  const answer = await ask(address, clock, timeoutMs, request(SASL_HANDSHAKE, 1, text('NONE')));
  try {
    if (answer.readInt16BE(0) === ILLEGAL_SASL_STATE) return null;
    const mechanisms: string[] = [];
    let at = 6;
    for (let left = answer.readInt32BE(2); left > 0; left--) {
      const length = answer.readInt16BE(at);
      mechanisms.push(answer.toString('utf8', at + 2, at + 2 + length));
      at += 2 + length;
    }
    return mechanisms;
  } catch {
    return null;
  }
}

/** Sends one request; the body of its answer. */
function ask(address: BrokerAddress, clock: Clock, timeoutMs: number, bytes: Buffer): Promise<Buffer> {
  return withSocket(address, clock, timeoutMs, (socket, fail) => {
    return new Promise((resolve, reject) => {
      let received = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const stranger = strangerOf(received);
        if (stranger !== null) return reject(stranger(address));
        if (received.length < 8) return;
        const length = received.readInt32BE(0);
        if (length < 6 || length > MAX_ANSWER_BYTES || received.readInt32BE(4) !== CORRELATION_ID)
          return reject(notKafka(address, 'what it sends is no answer of a Kafka broker'));
        if (received.length >= 4 + length) resolve(received.subarray(8, 4 + length));
      });
      fail((why) => reject(why ?? closedAtOnce(address, received.length)));
      socket.write(bytes);
    });
  });
}

/** Connects, does the task within the time limit, closes. `fail` registers who is told of an end from outside. */
async function withSocket<T>(
  address: BrokerAddress,
  clock: Clock,
  timeoutMs: number,
  task: (socket: Socket, fail: (tell: (why: StepFailure | null) => void) => void) => Promise<T>,
): Promise<T> {
  const socket = connect({ host: address.host, port: address.port });
  let tell: (why: StepFailure | null) => void = () => undefined;
  let connected = false;
  let answered = false;
  const cancel = clock.after(timeoutMs, () => tell(tooSlow(address, timeoutMs, connected, answered)));
  socket.once('data', () => (answered = true));
  try {
    await new Promise<void>((resolve, reject) => {
      tell = (why) => reject(why ?? closedAtOnce(address, 0));
      socket.once('connect', resolve);
      socket.on('error', (error: NodeJS.ErrnoException) => tell(connectFailure(address, error, connected)));
      socket.on('close', () => tell(null));
    });
    connected = true;
    return await task(socket, (own) => (tell = own));
  } finally {
    cancel();
    socket.destroy();
  }
}

/** Well-known protocols that are not Kafka, told by their first bytes. */
function strangerOf(received: Buffer): ((address: BrokerAddress) => StepFailure) | null {
  const start = received.toString('latin1', 0, 5);
  if (start.startsWith('HTTP/')) {
    return (address) =>
      new StepFailure(
        `${at(address)} answers HTTP: a web server, no Kafka broker`,
        'Name the port of the Kafka listener (often 9092), not that of a web page, a proxy or a REST service.',
      );
  }
  if ((received[0] === 0x15 || received[0] === 0x16) && received[1] === 0x03) {
    return (address) =>
      new StepFailure(
        `${at(address)} answers TLS: the listener expects an encrypted connection`,
        'Set `protocol: ssl` (or `sasl_ssl`), or name the port of a plain listener.',
      );
  }
  return null;
}

function connectFailure(address: BrokerAddress, error: NodeJS.ErrnoException, connected: boolean): StepFailure {
  // Several addresses of one name are tried; the last one's reason stands for all.
  const last = error instanceof AggregateError ? (error.errors.at(-1) as NodeJS.ErrnoException) : error;
  if (connected) return new StepFailure(`${at(address)} broke the connection (${last.code ?? last.message})`, TLS_HINT);
  switch (last.code ?? '') {
    case 'ECONNREFUSED':
      return new StepFailure(
        `nothing listens on ${at(address)} (connection refused)`,
        'Start the broker, or correct host and port of `brokers`.',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StepFailure(`the name ${address.host} does not resolve (${last.code})`, DNS_REMEDY);
    default:
      return new StepFailure(
        `${at(address)} cannot be reached (${last.code ?? last.message})`,
        'Check the network, the firewall and the routes between this machine and the broker.',
      );
  }
}

export const DNS_REMEDY = 'Correct the name, or make it resolvable on this machine (DNS, /etc/hosts).';
const TLS_HINT = 'A listener that expects TLS does so: try `protocol: ssl` (or `sasl_ssl`).';

function tooSlow(address: BrokerAddress, timeoutMs: number, connected: boolean, answered: boolean): StepFailure {
  const seconds = `${timeoutMs / 1000} s`;
  if (!connected)
    return new StepFailure(
      `${at(address)} does not answer within ${seconds}`,
      'A firewall may drop the packets: check it, and the address.',
    );
  if (answered) return notKafka(address, `its answer does not end within ${seconds}`);
  return new StepFailure(
    `${at(address)} takes the connection but says nothing within ${seconds}`,
    'It is no Kafka listener, or the broker hangs: check the port, and the log of the broker.',
  );
}

function closedAtOnce(address: BrokerAddress, receivedBytes: number): StepFailure {
  if (receivedBytes > 0) return notKafka(address, 'it closed the connection within its answer');
  return new StepFailure(`${at(address)} closed the connection without an answer`, TLS_HINT);
}

function notKafka(address: BrokerAddress, why: string): StepFailure {
  return new StepFailure(
    `${at(address)} does not speak Kafka's protocol: ${why}`,
    'Name the port of the Kafka listener (often 9092).',
  );
}

/** Size, header (key, version, correlation id, client id) and body. */
function request(apiKey: number, version: number, body: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeInt16BE(apiKey, 4);
  head.writeInt16BE(version, 6);
  head.writeInt32BE(CORRELATION_ID, 8);
  const bytes = Buffer.concat([head, text('headrace'), body]);
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.alloc(2 + value.length);
  bytes.writeInt16BE(value.length, 0);
  bytes.write(value, 2, 'latin1');
  return bytes;
}

export function at({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
