/** X.509 certificates made in the test: authorities, servers, clients, chains, with any dates and names. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

export interface CertificateOptions {
  readonly commonName: string;
  /** DNS names and IP addresses of a server. */
  readonly altNames?: readonly string[];
  /** Signs it; left out: it signs itself. */
  readonly issuer?: Certificate;
  /** It may sign others. */
  readonly authority?: boolean;
  readonly keyType?: 'rsa' | 'ec';
  /** From an hour ago to ten years ahead unless given. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** The pair to certify, e.g. to renew a certificate; a new one unless given. */
  readonly keys?: KeyPair;
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface Certificate {
  readonly commonName: string;
  /** PEM of itself. */
  readonly pem: string;
  /** Its own PEM and those of the authorities between it and the root, in this order. */
  readonly chain: string;
  /** PKCS#8 PEM of its private key. */
  readonly key: string;
  readonly keys: KeyPair;
  readonly issuer: Certificate | null;
}

const HOUR_MS = 3_600_000;
export const YEAR_MS = 365 * 24 * HOUR_MS;

export function issue(options: CertificateOptions): Certificate {
  const { commonName, issuer = null, keyType = 'rsa' } = options;
  const keys = options.keys ?? newKeys(keyType);
  const signer = issuer?.keys.privateKey ?? keys.privateKey;
  const algorithm = signatureAlgorithm(signer);
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name(issuer?.commonName ?? commonName),
    sequence(
      time(options.notBefore ?? new Date(Date.now() - HOUR_MS)),
      time(options.notAfter ?? new Date(Date.now() + 10 * YEAR_MS)),
    ),
    name(commonName),
    keys.publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(...extensions(options))),
  );
  const signature = sign('sha256', body, signer);
  const der = sequence(body, algorithm, bitString(signature));
  const pem = armour('CERTIFICATE', der);
  const between = issuer === null || issuer.issuer === null ? '' : issuer.chain;
  return {
    commonName,
    pem,
    chain: pem + between,
    key: keys.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    keys,
    issuer,
  };
}

/** The private key in every encoding that its kind has, as PEM; those that are encrypted with the password. */
export function keyEncodings(keys: KeyPair, password: string): Readonly<Record<string, string>> {
  const { privateKey } = keys;
  const own = privateKey.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1';
  const pem = (type: 'pkcs8' | 'sec1' | 'pkcs1', cipher?: string): string =>
    privateKey.export({
      format: 'pem',
      type: type as 'pkcs8',
      ...(cipher === undefined ? {} : { cipher, passphrase: password }),
    }) as string;
  return {
    'PKCS#8': pem('pkcs8'),
    [own === 'sec1' ? 'SEC1' : 'PKCS#1']: pem(own),
    'PKCS#8, encrypted': pem('pkcs8', 'aes-256-cbc'),
    [`${own === 'sec1' ? 'SEC1' : 'PKCS#1'}, encrypted`]: pem(own, 'aes-128-cbc'),
    [`${own === 'sec1' ? 'SEC1' : 'PKCS#1'}, encrypted by 3DES`]: pem(own, 'des-ede3-cbc'),
  };
}

/** The base64 between the armour lines alone. */
export function withoutArmour(pem: string): string {
  return pem.replaceAll(/-----[^-]+-----\n?/g, '');
}

export function newKeys(type: 'rsa' | 'ec'): KeyPair {
  return type === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

function extensions({ authority = false, altNames = [] }: CertificateOptions): Buffer[] {
  const constraints = extension('551d13', sequence(...(authority ? [Buffer.from([0x01, 0x01, 0xff])] : [])));
  const usage = extension('551d0f', Buffer.from(authority ? [0x03, 0x02, 0x01, 0x06] : [0x03, 0x02, 0x05, 0xa0]));
  const names = altNames.map((one) => (isIP(one) === 0 ? tagged(0x82, Buffer.from(one)) : tagged(0x87, ipBytes(one))));
  return [constraints, usage, ...(names.length === 0 ? [] : [extension('551d11', sequence(...names))])];
}

function ipBytes(address: string): Buffer {
  if (address === '::1') return Buffer.from('00000000000000000000000000000001', 'hex');
  return Buffer.from(address.split('.').map(Number));
}

function extension(oid: string, value: Buffer): Buffer {
  return sequence(tagged(0x06, Buffer.from(oid, 'hex')), tagged(0x04, value));
}

/** sha256WithRSAEncryption or ecdsa-with-SHA256. */
function signatureAlgorithm(key: KeyObject): Buffer {
  if (key.asymmetricKeyType === 'ec') return sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  return sequence(tagged(0x06, Buffer.from('2a864886f70d01010b', 'hex')), Buffer.from([0x05, 0x00]));
}

function name(commonName: string): Buffer {
  const attribute = sequence(tagged(0x06, Buffer.from('550403', 'hex')), tagged(0x0c, Buffer.from(commonName)));
  return sequence(tagged(0x31, attribute));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes =
    length < 0x100 ? [length] : length < 0x1_0000 ? [length >> 8, length] : [length >> 16, length >> 8, length];
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function armour(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
