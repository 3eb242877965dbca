/** First contact with an address, by hand: who answers there, a broker or something else, in bounded time and memory. */
import type { Duplex } from 'node:stream';
import type { BrokerAddress } from '../../model/index.ts';
import { at, closedAtOnce, notKafka, type Tell } from './reach.ts';
import { StepFailure } from './report.ts';

export type ApiRanges = ReadonlyMap<number, { readonly min: number; readonly max: number }>;

const API_VERSIONS = 18;
const SASL_HANDSHAKE = 17;
const CORRELATION_ID = 0x48524143;
const MAX_ANSWER_BYTES = 64 * 1024;
const ILLEGAL_SASL_STATE = 34;

/** A connection to ask on, plain or encrypted; `register` says who is told of its end. */
export interface Line {
  readonly broker: BrokerAddress;
  readonly socket: Duplex;
  readonly register: (tell: Tell) => void;
}

/** The API versions that a broker offers to whoever asks. Throws StepFailure that says what answers instead. */
export async function askVersions(line: Line): Promise<ApiRanges> {
  const answer = await ask(line, request(API_VERSIONS, 0, Buffer.alloc(0)));
  const ranges = new Map<number, { min: number; max: number }>();
  try {
    const errorCode = answer.readInt16BE(0);
    if (errorCode !== 0) throw notKafka(line.broker, `it answered error ${errorCode} to the first question`);
    const count = answer.readInt32BE(2);
    for (let i = 0; i < count; i++) {
      const from = 6 + i * 6;
      ranges.set(answer.readInt16BE(from), { min: answer.readInt16BE(from + 2), max: answer.readInt16BE(from + 4) });
    }
  } catch (error) {
    throw error instanceof StepFailure ? error : notKafka(line.broker, 'its answer makes no sense');
  }
  return ranges;
}

/** The SASL mechanisms of a listener that expects SASL; null when it expects none. Throws StepFailure. */
export async function askMechanisms(line: Line): Promise<readonly string[] | null> {
  // No mechanism has this name, so that nothing begins: the broker tells those it has.
  const answer = await ask(line, request(SASL_HANDSHAKE, 1, text('NONE')));
  try {
    if (answer.readInt16BE(0) === ILLEGAL_SASL_STATE) return null;
    const mechanisms: string[] = [];
    let from = 6;
    for (let left = answer.readInt32BE(2); left > 0; left--) {
      const length = answer.readInt16BE(from);
      mechanisms.push(printable(answer.toString('utf8', from + 2, from + 2 + length)));
      from += 2 + length;
    }
    return mechanisms;
  } catch {
    return null;
  }
}

/** S20: what a stranger says is never echoed, but for names that mechanisms can have. */
function printable(name: string): string {
  return /^[A-Z0-9_-]{1,40}$/.test(name) ? name : '?';
}

/** Sends one request; the body of its answer. */
function ask({ broker, socket, register }: Line, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const stranger = strangerOf(broker, received);
      if (stranger !== null) return reject(stranger);
      if (received.length < 8) return;
      const length = received.readInt32BE(0);
      if (length < 6 || length > MAX_ANSWER_BYTES || received.readInt32BE(4) !== CORRELATION_ID)
        return reject(notKafka(broker, 'what it sends is no answer of a Kafka broker'));
      if (received.length < 4 + length) return;
      socket.removeAllListeners('data');
      resolve(received.subarray(8, 4 + length));
    });
    register((why) => reject(why ?? closedAtOnce(broker, received.length)));
    socket.write(bytes);
  });
}

/** The listener expects an encrypted connection. */
export class ExpectsTls extends StepFailure {
  constructor(broker: BrokerAddress) {
    super(
      `${at(broker)} answers TLS: the listener expects an encrypted connection`,
      'Set `protocol: ssl` (`sasl_ssl` with a login), or name the port of a plain listener.',
    );
  }
}

/** Well-known protocols that are not Kafka, told by their first bytes. */
function strangerOf(broker: BrokerAddress, received: Buffer): StepFailure | null {
  const start = received.toString('latin1', 0, 5);
  if (start.startsWith('HTTP/'))
    return new StepFailure(
      `${at(broker)} answers HTTP: a web server, no Kafka broker`,
      'Name the port of the Kafka listener (often 9092), not that of a web page, a proxy or a REST service.',
    );
  if (start.startsWith('SSH-'))
    return new StepFailure(
      `${at(broker)} answers SSH: a login server, no Kafka broker`,
      'Name the port of the Kafka listener (often 9092).',
    );
  return (received[0] === 0x15 || received[0] === 0x16) && received[1] === 0x03 ? new ExpectsTls(broker) : null;
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
