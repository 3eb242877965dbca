/** The first contact with a broker as its destination would make it: connection, encryption, the first question. */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import type { createEncryption } from '../security/tls.ts';
import { askMechanisms, askVersions, ExpectsTls, type ApiRanges, type Line } from './probe.ts';
import { at, Closed, withSocket, type Reached, type Tell } from './reach.ts';
import { encrypt, handshakeFailure, NoTls, showsCertificate, TlsFailure, type Encrypted } from './tls.ts';
import { StepFailure } from './report.ts';

export interface Contact {
  readonly reached: Reached;
  readonly ranges: ApiRanges;
  /** Null for a plain listener. */
  readonly encrypted: Pick<Encrypted, 'protocol' | 'chain'> | null;
}

export interface ContactTools {
  readonly destination: DestinationConfig;
  /** Encryption alone: nobody logs in at a first contact. */
  readonly encryption: ReturnType<typeof createEncryption> | null;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Throws StepFailure that says what answers there instead; TlsFailure where the encryption is at fault. */
export async function contact(reached: Reached, tools: ContactTools): Promise<Contact> {
  const { encryption } = tools;
  if (encryption === null) return plainContact(reached, tools);
  const security = encryption(reached.broker);
  try {
    return await withLine(reached, tools, security, async (line, encrypted) => {
      const ranges = await askVersions(line);
      return { reached, ranges, encrypted };
    });
  } catch (error) {
    if (error instanceof NoTls) throw await insteadOfTls(reached, tools, error);
    throw error;
  }
}

/** The mechanisms that the listener offers; null when it expects no SASL. Throws StepFailure. */
export async function mechanismsOf(reached: Reached, tools: ContactTools): Promise<readonly string[] | null> {
  return withLine(reached, tools, tools.encryption?.(reached.broker) ?? null, (line) => askMechanisms(line));
}

export function isEncrypted({ protocol }: DestinationConfig): boolean {
  return protocol === 'ssl' || protocol === 'sasl_ssl';
}

type Encryption = ReturnType<ReturnType<typeof createEncryption>>;

function withLine<T>(
  reached: Reached,
  { destination, clock, timeoutMs }: ContactTools,
  security: Encryption | null,
  task: (line: Line, encrypted: Contact['encrypted']) => Promise<T>,
): Promise<T> {
  const { broker } = reached;
  return withSocket(reached, clock, timeoutMs, async (plain, register) => {
    if (security === null) return task({ broker, socket: plain, register }, null);
    const encrypted = await encrypt(plain, broker, security, destination.tls, clock.now(), register);
    const { socket, protocol, chain } = encrypted;
    let tell: Tell = () => undefined;
    // With TLS 1.3 a broker that wants our certificate says so after the handshake.
    socket.on('error', (error) => tell(handshakeFailure(broker, error, showsCertificate(destination.tls))));
    socket.on('close', () => tell(null));
    const registerAll = (own: Tell): void => {
      tell = own;
      register(own);
    };
    try {
      return await task({ broker, socket, register: registerAll }, { protocol, chain });
    } finally {
      socket.destroy();
    }
  });
}

async function plainContact(reached: Reached, tools: ContactTools): Promise<Contact> {
  try {
    return await withLine(reached, tools, null, async (line) => {
      const ranges = await askVersions(line);
      return { reached, ranges, encrypted: null };
    });
  } catch (error) {
    const remedy = `Set \`protocol: ${tools.destination.sasl === null ? 'ssl' : 'sasl_ssl'}\`, or name the port of a plain listener.`;
    if (error instanceof ExpectsTls) throw new TlsFailure(error.message, remedy);
    // An encrypted listener may also end the connection in silence: asked in TLS, it shows itself.
    if (error instanceof Closed && (await speaksTls(reached, tools)))
      throw new TlsFailure(`${at(reached.broker)} speaks TLS: the listener expects an encrypted connection`, remedy);
    throw error;
  }
}

async function speaksTls({ broker, host }: Reached, { clock, timeoutMs }: ContactTools): Promise<boolean> {
  try {
    return await withSocket({ broker, host }, clock, timeoutMs / 2, async (plain, register) => {
      const { socket } = await encrypt(plain, broker, {}, { verify: false } as never, clock.now(), register);
      socket.on('error', () => undefined).destroy();
      return true;
    });
  } catch (error) {
    // It refused us, in TLS.
    return error instanceof TlsFailure && !(error instanceof NoTls);
  }
}

/** What speaks there when it is not TLS. */
async function insteadOfTls(reached: Reached, tools: ContactTools, otherwise: TlsFailure): Promise<StepFailure> {
  const protocol = tools.destination.sasl === null ? 'plaintext' : 'sasl_plaintext';
  try {
    const half = { ...tools, timeoutMs: tools.timeoutMs / 2 };
    await withLine(reached, half, null, (line) => askVersions(line));
    return new TlsFailure(
      `${at(reached.broker)} speaks Kafka's protocol in plain text, not TLS`,
      `Take \`tls\` out and set \`protocol: ${protocol}\`, or name the port of the encrypted listener.`,
    );
  } catch (error) {
    // A web server or the like says what it is; whoever says nothing told no more than before.
    if (!(error instanceof StepFailure) || error instanceof Closed) return otherwise;
    return new TlsFailure(error.message, error.remedy);
  }
}
