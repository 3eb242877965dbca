/** One real broker with a listener for each way to connect: TLS of every kind, logins of every kind. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { RunningKafka } from '../../src/local/kafka.ts';
import type { ListenerOptions } from '../../src/local/properties.ts';
import { issue, YEAR_MS, type Certificate } from './certificates.ts';
import { ownKafka } from './kafka.ts';
import { oracle } from './oracle.ts';

export interface User {
  readonly username: string;
  readonly password: string;
}

export interface SecureKafka {
  readonly kafka: RunningKafka;
  /** `127.0.0.1:port` of a listener, by its name. */
  bootstrapOf(listener: SecureListener): string;
  readonly certificates: Certificates;
  /** Known to PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 alike; `foreign` to PLAIN alone, for SCRAM takes only ASCII names in Kafka. */
  readonly users: typeof users;
  /** PEM of the authorities whose clients MUTUAL takes; read when the broker starts. */
  readonly trustFile: string;
  /** Gives a user of SCRAM another password. */
  setScramPassword(username: string, password: string): Promise<void>;
}

export interface Certificates {
  /** Signs the brokers of all listeners but CHAIN. */
  readonly authority: Certificate;
  /** Brokers trust clients that it signed. */
  readonly clientAuthority: Certificate;
  /** Nobody trusts it. */
  readonly stranger: Certificate;
  readonly clientRsa: Certificate;
  readonly clientEc: Certificate;
  /** Signed by an authority between it and `clientAuthority`. */
  readonly clientChained: Certificate;
  /** Signed by `stranger`. */
  readonly clientOfStranger: Certificate;
}

/**
 * SSL: names localhost and 127.0.0.1. MUTUAL: asks for a client certificate. SASL and SASLSSL: PLAIN and both SCRAM.
 * REAUTH: as SASL, and a login counts for two seconds. EXPIRED, OTHERNAME: certificates with that fault. CHAIN: an EC
 * certificate by way of an authority in between.
 */
export type SecureListener = 'SSL' | 'MUTUAL' | 'SASL' | 'SASLSSL' | 'REAUTH' | 'EXPIRED' | 'OTHERNAME' | 'CHAIN';

export const users = {
  app: { username: 'app', password: 'app-secret' },
  odd: { username: 'a,b=c,d=', password: 'p,=w ö"€\\' },
  foreign: { username: 'ü,ß=Ж', password: 'пароль' },
  rotating: { username: 'rotating', password: 'rotating-1' },
} as const satisfies Record<string, User>;

export interface SecureOptions {
  readonly listeners?: readonly ListenerOptions[];
  readonly properties?: Readonly<Record<string, string>>;
}

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The broker belongs to the caller and ends with the file's tests. `options`: further listeners, and broker properties. */
export async function secureKafka(options: SecureOptions = {}): Promise<SecureKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-secure-'));
  folders.push(folder);
  const { certificates, stores } = makeCertificates(folder);
  const kafka = await ownKafka({
    listeners: [...listeners(stores), ...(options.listeners ?? [])],
    properties: options.properties ?? {},
  });
  const admin = oracle(kafka.bootstrap);
  for (const { username, password } of [users.app, users.odd, users.rotating])
    await admin.setScramPassword(username, password);
  return {
    kafka,
    bootstrapOf: (listener) => kafka.bootstrapOf(listener),
    certificates,
    trustFile: stores.trust['ssl.truststore.location']!,
    users,
    setScramPassword: (username, password) => admin.setScramPassword(username, password),
  };
}

/** Broker properties of a listener that shows this certificate, with files in the folder. */
export function keyStore(folder: string, file: string, certificate: Certificate): Record<string, string> {
  const path = join(folder, `${file}.pem`);
  writeFileSync(path, certificate.chain + certificate.key);
  return { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': path };
}

type Stores = Readonly<Record<'server' | 'expired' | 'otherName' | 'chained' | 'trust', Record<string, string>>>;

function makeCertificates(folder: string): { certificates: Certificates; stores: Stores } {
  const altNames = ['localhost', '127.0.0.1'];
  const [authority, clientAuthority, stranger] = ['servers', 'clients', 'strangers'].map((commonName) =>
    issue({ commonName: `authority of ${commonName}`, authority: true }),
  ) as [Certificate, Certificate, Certificate];
  const between = issue({ commonName: 'authority between', authority: true, issuer: authority, keyType: 'ec' });
  const clientBetween = issue({ commonName: 'client authority between', authority: true, issuer: clientAuthority });
  const trust = join(folder, 'trust.pem');
  writeFileSync(trust, clientAuthority.pem);
  const [start, end] = [new Date(Date.now() - 2 * YEAR_MS), new Date(Date.now() - YEAR_MS)];
  const server = (commonName: string, given: Partial<Parameters<typeof issue>[0]> = {}): Record<string, string> =>
    keyStore(folder, commonName, issue({ commonName, altNames, issuer: authority, ...given }));
  return {
    certificates: {
      authority,
      clientAuthority,
      stranger,
      clientRsa: issue({ commonName: 'client', issuer: clientAuthority }),
      clientEc: issue({ commonName: 'client-ec', issuer: clientAuthority, keyType: 'ec' }),
      clientChained: issue({ commonName: 'client-chained', issuer: clientBetween }),
      clientOfStranger: issue({ commonName: 'client', issuer: stranger }),
    },
    stores: {
      server: server('server'),
      expired: server('expired', { notBefore: start, notAfter: end }),
      otherName: server('other-name', { altNames: ['kafka.example.com'] }),
      chained: server('chained', { issuer: between, keyType: 'ec' }),
      trust: { 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': trust },
    },
  };
}

function listeners({ server, expired, otherName, chained, trust }: Stores): ListenerOptions[] {
  const login = passwordMechanisms();
  const counts = Object.fromEntries(
    ['plain', 'scram-sha-256', 'scram-sha-512'].map((name) => [`${name}.connections.max.reauth.ms`, '2000']),
  );
  const of = (
    name: SecureListener,
    protocol: ListenerOptions['protocol'],
    properties: Record<string, string>,
  ): ListenerOptions => ({ name, protocol, properties });
  return [
    of('SSL', 'SSL', server),
    of('MUTUAL', 'SSL', { ...server, ...trust, 'ssl.client.auth': 'required' }),
    of('SASL', 'SASL_PLAINTEXT', login),
    of('SASLSSL', 'SASL_SSL', { ...server, ...login }),
    of('REAUTH', 'SASL_PLAINTEXT', { ...login, ...counts }),
    of('EXPIRED', 'SSL', expired),
    of('OTHERNAME', 'SSL', otherName),
    of('CHAIN', 'SSL', chained),
  ];
}

/** What a listener needs for PLAIN and SCRAM with `users`. */
export function passwordMechanisms(): Record<string, string> {
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const options = Object.values(users).map(
    ({ username, password }) => `"user_${javaText(username)}"="${javaText(password)}"`,
  );
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${options.join(' ')};`,
    'scram-sha-256.sasl.jaas.config': scram,
    'scram-sha-512.sasl.jaas.config': scram,
  };
}

function javaText(text: string): string {
  return text.replaceAll(/["\\]/g, (character) => `\\${character}`);
}
