/** From a broker's name to a connection: its addresses, which of them may be dialled, and from where it was dialled. */
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { refusedAddress } from '../../base/address-guard.ts';
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress } from '../../model/index.ts';
import { StepFailure } from './report.ts';

/** One address of a broker that took a connection. */
export interface Reached {
  readonly broker: BrokerAddress;
  /** The IP address that was dialled. */
  readonly host: string;
  /** The local address it was dialled from. */
  readonly from: string;
}

export const DNS_REMEDY = 'Correct the name, or make it resolvable on this machine (DNS, /etc/hosts).';

/** The addresses of a name, in order. Throws StepFailure when there is none, or one that nobody may connect to (S19). */
export async function addressesOf(host: string, clock: Clock, timeoutMs: number): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await lookUp(host, clock, timeoutMs) : [host];
  for (const address of addresses) {
    const why = refusedAddress(address);
    if (why !== null)
      throw new StepFailure(
        `${host === address ? host : `${host} is ${address}, which`} must not be connected to: it is ${why}`,
        'Name the address of the broker itself.',
      );
  }
  return addresses;
}

async function lookUp(host: string, clock: Clock, timeoutMs: number): Promise<string[]> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => late.reject(Object.assign(new Error(), { code: 'no answer' })));
  try {
    const found = await Promise.race([lookup(host, { all: true }), late.promise]);
    return found.map(({ address }) => address);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'no answer';
    throw new StepFailure(`the name ${host} does not resolve (${code})`, DNS_REMEDY);
  } finally {
    cancel();
  }
}

/** Connects to the first address that answers, and closes again. Throws StepFailure. */
export async function reach(
  broker: BrokerAddress,
  addresses: readonly string[],
  clock: Clock,
  timeoutMs: number,
): Promise<Reached> {
  const attempts = addresses.map((host) =>
    withSocket({ broker, host }, clock, timeoutMs, (socket) =>
      Promise.resolve({ broker, host, from: socket.localAddress ?? 'unknown' }),
    ),
  );
  try {
    return await Promise.any(attempts);
  } catch (error) {
    throw (error as AggregateError).errors[0];
  }
}

/** Who is told of an end of the connection from outside; null: it was closed. */
export type Tell = (why: StepFailure | null) => void;

/** Connects, does the task within the time limit, closes. `register` says who is told of an end from outside. */
export async function withSocket<T>(
  { broker, host }: Pick<Reached, 'broker' | 'host'>,
  clock: Clock,
  timeoutMs: number,
  task: (socket: Socket, register: (tell: Tell) => void) => Promise<T>,
): Promise<T> {
  const socket = connect({ host, port: broker.port });
  let tell: Tell = () => undefined;
  let connected = false;
  let answered = false;
  const cancel = clock.after(timeoutMs, () => tell(tooSlow(broker, timeoutMs, connected, answered)));
  socket.once('data', () => (answered = true));
  try {
    await new Promise<void>((resolve, reject) => {
      tell = (why) => reject(why ?? closedAtOnce(broker, 0));
      socket.once('connect', resolve);
      socket.on('error', (error: NodeJS.ErrnoException) => tell(connectFailure(broker, error, connected)));
      socket.on('close', () => tell(null));
    });
    connected = true;
    return await task(socket, (own) => (tell = own));
  } finally {
    cancel();
    socket.destroy();
  }
}

function connectFailure(broker: BrokerAddress, error: NodeJS.ErrnoException, connected: boolean): StepFailure {
  const code = error.code ?? error.message;
  if (connected) return new Closed(`${at(broker)} broke the connection (${code})`, TLS_HINT);
  if (code === 'ECONNREFUSED')
    return new StepFailure(
      `nothing listens on ${at(broker)} (connection refused)`,
      'Start the broker, or correct host and port of `brokers`.',
    );
  return new StepFailure(
    `${at(broker)} cannot be reached (${code})`,
    'Check the network, the firewall and the routes between this machine and the broker.',
  );
}

const TLS_HINT = 'A listener that expects TLS does so: try `protocol: ssl` (`sasl_ssl` with a login).';

/** It took the connection and ended it without a word: what it expects instead may be found out. */
export class Closed extends StepFailure {}

export function closedAtOnce(broker: BrokerAddress, receivedBytes: number): StepFailure {
  if (receivedBytes > 0) return notKafka(broker, 'it closed the connection within its answer');
  return new Closed(`${at(broker)} closed the connection without an answer`, TLS_HINT);
}

function tooSlow(broker: BrokerAddress, timeoutMs: number, connected: boolean, answered: boolean): StepFailure {
  const seconds = `${timeoutMs / 1000} s`;
  if (!connected)
    return new StepFailure(
      `${at(broker)} does not answer within ${seconds}`,
      'A firewall may drop the packets: check it, and the address.',
    );
  if (answered) return notKafka(broker, `its answer does not end within ${seconds}`);
  return new StepFailure(
    `${at(broker)} takes the connection but says nothing within ${seconds}`,
    'It is no Kafka listener, or the broker hangs: check the port, and the log of the broker.',
  );
}

export function notKafka(broker: BrokerAddress, why: string): StepFailure {
  return new StepFailure(
    `${at(broker)} does not speak Kafka's protocol: ${why}`,
    'Name the port of the Kafka listener (often 9092).',
  );
}

export function at({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
