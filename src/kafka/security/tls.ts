/** TLS of a destination: authorities, client certificate and the broker's name, as they are at each dial. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { ConnectionOptions } from '@platformatic/kafka';
import { chainOf, isFlaw, readCertificates, readPrivateKey, type Flaw } from '../../base/pem.ts';
import { HeadraceError, type BrokerAddress, type TlsConfig } from '../../model/index.ts';

type TlsOptions = Pick<ConnectionOptions, 'tls' | 'tlsServerName'>;

/**
 * Reads nothing yet. The answer throws HeadraceError when there is nothing to connect with: certificate and key are
 * unusable and have never been usable.
 */
export function createEncryption(config: TlsConfig, destination: string): (address: BrokerAddress) => TlsOptions {
  const context = contextOf(config, destination);
  return (address) => {
    const name = config.serverName ?? address.host;
    // Node verifies the name that it asks for, else the address that it dials.
    const asked = nameToAskFor(name);
    return {
      tls: {
        secureContext: context(),
        rejectUnauthorized: config.verify !== false,
        ...identityCheck(config, asked === undefined ? config.serverName : null),
      },
      ...(asked === undefined ? {} : { tlsServerName: asked }),
    };
  };
}

/** P24: routers choose the broker by this name; an address is none (RFC 6066), and a dot at the end is no part of it. */
function nameToAskFor(name: string): string | undefined {
  return isIP(name.replace(/%.*/, '')) === 0 ? name.replace(/\.$/, '') : undefined;
}

function identityCheck(config: TlsConfig, verifiedAddress: string | null): NonNullable<TlsOptions['tls']> {
  if (config.verify === 'chain') return { checkServerIdentity: () => undefined };
  if (verifiedAddress === null) return {};
  return { checkServerIdentity: (_host, certificate) => checkServerIdentity(verifiedAddress, certificate) };
}

/**
 * Made anew when certificates, key or password have changed. Certificate and key are two files, replaced one after the
 * other: what does not fit together for a moment does not count, and what did before goes on.
 */
function contextOf(config: TlsConfig, destination: string): () => SecureContext {
  let made: { readonly from: string; readonly context: SecureContext } | null = null;
  return () => {
    const materials = read(config, destination, made !== null);
    if (materials === null) return made!.context;
    const from = JSON.stringify(materials);
    if (made?.from === from) return made.context;
    const context = secureContext(materials);
    if (!isFlaw(context)) made = { from, context };
    else if (made === null) throw unusable(destination, context);
    return made.context;
  };
}

interface Materials {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly password: string | null;
  readonly store: { readonly base64: string; readonly password: string | null } | null;
}

/** Null: the key store cannot be read now, and was read before. */
function read(
  { ca, cert, key, keyPassword, keyStore }: TlsConfig,
  destination: string,
  before: boolean,
): Materials | null {
  let store: Materials['store'] = null;
  if (keyStore !== null && keyStore !== undefined) {
    try {
      store = {
        base64: readFileSync(keyStore.path).toString('base64'),
        password: keyStore.password?.current() ?? null,
      };
    } catch (error) {
      if (before) return null;
      const { code } = error as NodeJS.ErrnoException;
      throw unusable(destination, {
        reason: `the key store ${keyStore.path} cannot be read (${code ?? 'it is no file'}).`,
        remedy: 'Check that the file exists and that this user may read it.',
      });
    }
  }
  const now = (secret: TlsConfig['ca']): string | null => secret?.current() ?? null;
  return { ca: now(ca), cert: now(cert), key: now(key), password: now(keyPassword), store };
}

function secureContext({ ca, cert, key, password, store }: Materials): SecureContext | Flaw {
  const authorities = ca === null ? systemAuthorities() : pemOf(ca, '`tls.ca`');
  if (isFlaw(authorities)) return authorities;
  const own = store === null ? certificateAndKey(cert, key, password) : pfx(store);
  if (isFlaw(own)) return own;
  try {
    return createSecureContext({ ca: [...authorities], ...own, minVersion: 'TLSv1.2' });
  } catch {
    const what = store === null ? '`tls.cert` and `tls.key` do' : 'the key store does';
    return { reason: `${what} not make a usable certificate.`, remedy: 'Check them with openssl, and the password.' };
  }
}

type Own = Parameters<typeof createSecureContext>[0];

function pfx({ base64, password }: NonNullable<Materials['store']>): Own {
  return { pfx: Buffer.from(base64, 'base64'), ...(password === null ? {} : { passphrase: password }) };
}

function certificateAndKey(cert: string | null, key: string | null, password: string | null): Own | Flaw {
  if (cert === null || key === null) return {};
  const certificates = readCertificates(cert);
  if (isFlaw(certificates)) return about('`tls.cert`', certificates);
  const privateKey = readPrivateKey(key, password);
  if (isFlaw(privateKey)) return about('`tls.key`', privateKey);
  const chain = chainOf(certificates, privateKey);
  if (isFlaw(chain)) return about('`tls.key`', chain);
  return {
    cert: chain.map(String).join('\n'),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  };
}

function pemOf(text: string, name: string): readonly string[] | Flaw {
  const certificates = readCertificates(text);
  return isFlaw(certificates) ? about(name, certificates) : certificates.map(String);
}

/** Those of Mozilla that Node brings, those of NODE_EXTRA_CA_CERTS, and those that this machine trusts. */
function systemAuthorities(): readonly string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}

function about(name: string, { reason, remedy }: Flaw): Flaw {
  return { reason: `${name} ${reason}`, remedy };
}

function unusable(destination: string, { reason, remedy }: Flaw): HeadraceError {
  return new HeadraceError('tls_failed', `No encrypted connection of ${destination}: ${reason}`, {
    path: `destinations.${destination}.tls`,
    remedy,
  });
}
