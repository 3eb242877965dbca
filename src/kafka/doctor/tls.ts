/** The encrypted part of a first contact: who the broker says it is, whether that can be believed, and until when. */
import { isIP, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls';
import { isoTime } from '../../base/clock.ts';
import { isFlaw, readCertificates } from '../../base/pem.ts';
import type { BrokerAddress, TlsConfig } from '../../model/index.ts';
import { at, Closed, type Tell } from './reach.ts';
import { StepFailure } from './report.ts';

export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** DNS names and addresses it is made for. */
  readonly names: string;
}

export interface Encrypted {
  readonly socket: TLSSocket;
  readonly protocol: string;
  /** The broker's own first, then those that signed it as far as they are known. */
  readonly chain: readonly CertificateFacts[];
}

const MAX_CHAIN = 10;

/** A failure of the encryption itself. */
export class TlsFailure extends StepFailure {}

/** Encrypts the socket and looks at what the broker shows. Throws TlsFailure, with what is wrong in words. */
export async function encrypt(
  plain: Socket,
  broker: BrokerAddress,
  security: { readonly tls?: ConnectionOptions; readonly tlsServerName?: string | boolean },
  config: TlsConfig | null,
  nowMs: number,
  register: (tell: Tell) => void,
): Promise<Encrypted> {
  const name = typeof security.tlsServerName === 'string' ? security.tlsServerName : broker.host;
  const socket = connect({
    ...security.tls,
    socket: plain,
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    // Looked at below instead: what is wrong with a certificate is told along with the certificate.
    rejectUnauthorized: false,
  });
  await new Promise<void>((resolve, reject) => {
    register((why) => reject(why instanceof Closed ? endedEarly(broker) : (why ?? endedEarly(broker))));
    socket.once('secureConnect', resolve);
    socket.once('error', (error) => reject(handshakeFailure(broker, error, showsCertificate(config))));
    socket.once('close', () => reject(endedEarly(broker)));
  });
  const chain = chainOf(socket.getPeerCertificate(true));
  // Node declares an Error and gives the code as text.
  const fault = socket.authorized ? null : String(socket.authorizationError);
  if (fault !== null && config?.verify !== false)
    throw distrust(broker, config?.serverName ?? name, fault, chain, config, nowMs);
  return { socket, protocol: socket.getProtocol() ?? 'TLS', chain };
}

export function showsCertificate(config: TlsConfig | null): boolean {
  return config !== null && (config.cert !== null || config.keyStore !== undefined);
}

/** An error that comes after the handshake: with TLS 1.3 a broker refuses our certificate only then. */
export function handshakeFailure(broker: BrokerAddress, error: Error, showsOwn: boolean): TlsFailure {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const aboutOurs = /BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED/.test(code);
  if (showsOwn && aboutOurs)
    return new TlsFailure(
      `${at(broker)} does not trust our client certificate (${code})`,
      'Put the authority of our certificate into the trust store of the broker, or set `tls: {cert: …, key: …}` to a certificate of an authority that is in it.',
    );
  if (/CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE/.test(code))
    return new TlsFailure(
      `${at(broker)} refuses the connection: it asks for a client certificate that it trusts (${code})`,
      'Set `tls: {cert: …, key: …}` to a certificate whose authority is in the trust store of the broker (ssl.client.auth=required).',
    );
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/.test(code))
    return new TlsFailure(
      `${at(broker)} speaks no version of TLS that is spoken here (${code})`,
      'Switch TLS 1.2 or 1.3 on at the broker (ssl.enabled.protocols).',
    );
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|ECONNRESET|EPIPE/.test(code)) return endedEarly(broker);
  return new TlsFailure(
    `the encrypted connection to ${at(broker)} could not be made (${code === '' ? error.message : code})`,
    'Compare TLS versions and certificates of both sides; the log of the broker says more.',
  );
}

/** What answers there does not speak TLS, or broke it off. The caller finds out what it speaks instead. */
export class NoTls extends TlsFailure {}

function endedEarly(broker: BrokerAddress): NoTls {
  return new NoTls(
    `${at(broker)} ended the encrypted connection before it began`,
    'Take `tls` out and set `protocol: plaintext` (`sasl_plaintext` with a login) if the listener is plain, or name the port of the encrypted listener.',
  );
}

function distrust(
  broker: BrokerAddress,
  name: string,
  fault: string,
  chain: readonly CertificateFacts[],
  config: TlsConfig | null,
  nowMs: number,
): TlsFailure {
  const own = chain[0];
  const shown = own === undefined ? 'no certificate' : `the certificate ${certificateText(own)}`;
  const told = (cause: string, remedy: string): TlsFailure =>
    new TlsFailure(`${at(broker)} shows ${shown}: ${cause} (${fault})`, remedy);
  if (fault === 'CERT_HAS_EXPIRED') {
    const old = [...chain, ...authorities(config)].find(({ untilMs }) => untilMs < nowMs);
    if (old === undefined || old === own)
      return told('it has expired', 'Renew the certificate of the broker (its key store), or set the clock here.');
    return told(
      `the authority ${certificateText(old)} has expired`,
      'Renew the authority, sign the brokers anew, and set `tls: {ca: …}` to the new one.',
    );
  }
  if (fault === 'CERT_NOT_YET_VALID')
    return told(
      `it is not valid yet, by the clock here, which says ${isoTime(nowMs)}`,
      'Set the clock of this machine by NTP, or wait.',
    );
  if (fault === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return told(
      `it is not made for ${name} but for ${own?.names ?? 'nothing'}`,
      `Put ${name} into the certificate (subjectAltName), dial a name that is in it, or set \`tls: {server_name: …}\`.`,
    );
  if (fault === 'DEPTH_ZERO_SELF_SIGNED_CERT')
    return told(
      'it is self-signed',
      'Set `tls: {ca: …}` to this certificate itself, or have it signed by an authority.',
    );
  return told(
    `nobody who is trusted here has signed it; its issuer is ${chain.at(-1)?.issuer ?? 'unknown'}`,
    config?.ca === null || config === null
      ? "Set `tls: {ca: …}` to the authority that signed it: the system's authorities do not know it."
      : 'Set `tls: {ca: …}` to the authority that signed it; the one given there is another.',
  );
}

/** Our own trust anchors and client certificate, as far as they can be read. */
export function ownCertificates(
  config: TlsConfig | null,
): { readonly what: string; readonly facts: CertificateFacts }[] {
  const client = config?.cert ? parsed(config.cert.current()).slice(0, 1) : [];
  return [
    ...client.map((facts) => ({ what: 'our client certificate', facts })),
    ...authorities(config).map((facts) => ({ what: 'the authority in `tls.ca`', facts })),
  ];
}

function authorities(config: TlsConfig | null): CertificateFacts[] {
  return config?.ca ? parsed(config.ca.current()) : [];
}

/** What cannot be read is told when it is put to use. */
function parsed(text: string): CertificateFacts[] {
  const certificates = readCertificates(text);
  if (isFlaw(certificates)) return [];
  return certificates.map(({ subject, issuer, validFromDate, validToDate, subjectAltName }) => ({
    subject: subject.replaceAll('\n', ', '),
    issuer: issuer.replaceAll('\n', ', '),
    fromMs: validFromDate.getTime(),
    untilMs: validToDate.getTime(),
    names: subjectAltName ?? 'no name',
  }));
}

function chainOf(certificate: PeerCertificate): CertificateFacts[] {
  const chain: CertificateFacts[] = [];
  let current: PeerCertificate | undefined = certificate;
  while (current?.subject !== undefined && chain.length < MAX_CHAIN) {
    chain.push({
      subject: nameText(current.subject),
      issuer: nameText(current.issuer),
      fromMs: Date.parse(current.valid_from),
      untilMs: Date.parse(current.valid_to),
      names: (current.subjectaltname ?? 'no name').slice(0, 300),
    });
    const next: PeerCertificate | undefined = (current as Partial<{ issuerCertificate: PeerCertificate }>)
      .issuerCertificate;
    current = next === current ? undefined : next;
  }
  return chain;
}

export function certificateText({ subject, issuer, untilMs }: CertificateFacts): string {
  return `${subject}, issued by ${issuer}, valid until ${dateText(untilMs)}`;
}

export function dateText(epochMs: number): string {
  return Number.isFinite(epochMs) ? isoTime(epochMs).slice(0, 10) : 'an unknown day';
}

/** `CN=a, O=b`; what a stranger writes there is kept short and free of control characters. */
function nameText(name: object): string {
  const parts = Object.entries(name).map(([key, value]) => `${key}=${String(value)}`);
  return parts
    .join(', ')
    .replaceAll(/\p{Cc}/gu, '?')
    .slice(0, 200);
}
