/** What `tls` gives, checked when it is saved: certificates and keys that can be read, fit together and are in date. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import { chainOf, isFlaw, readCertificates, readPrivateKey, type Flaw } from '../base/pem.ts';
import type { Secret } from '../base/secret.ts';
import type { At } from './report.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;

/** Tells at `tls.ca` and warns of authorities that are out of date. */
export function checkAuthorities(ca: Secret, at: At): void {
  const certificates = certificatesAt(ca, at);
  if (certificates === undefined) return;
  const ended = certificates.filter(({ validToDate }) => validToDate.getTime() < systemClock.now());
  for (const one of ended) {
    const all = ended.length === certificates.length ? '; brokers that it signed are refused' : '';
    at.warning(
      `has an authority that ended on ${day(one)} (${nameOf(one)})${all}.`,
      'Get the new one, and take it out.',
    );
  }
}

/** Tells at `tls.cert`, `tls.key` and `tls.key_password`; `at` is `tls`. */
export function checkPair(cert: Secret, key: Secret, password: Secret | null, at: At): void {
  const certificates = certificatesAt(cert, at.child('cert'));
  const privateKey = readPrivateKey(key.reveal(), password?.reveal() ?? null);
  if (isFlaw(privateKey)) return tell(privateKey, at.child('key'));
  if (certificates === undefined) return;
  const chain = chainOf(certificates, privateKey);
  if (isFlaw(chain)) return tell(chain, at.child('key'));
  if (password !== null && opensWithout(key)) {
    at.child('key_password').warning('is not needed: `key` is not encrypted.', 'Take it out.');
  }
  warnOfDates(chain[0]!, at.child('cert'));
}

/** Tells at `tls.key_store`; `at` is `tls`. */
export function checkKeyStore(path: string, password: Secret | null, at: At): void {
  const place = at.child('key_store');
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    place.problem(
      `cannot be read (${code ?? 'it is no file'}).`,
      'Check that the file exists and that this user may read it.',
      'config_unresolved',
    );
    return;
  }
  const flaw = keyStoreFlaw(bytes, password?.reveal() ?? null);
  if (flaw !== null) tell(flaw, place);
}

function keyStoreFlaw(bytes: Buffer, password: string | null): Flaw | null {
  if (bytes.subarray(0, 4).toString('hex') === 'feedfeed') {
    return {
      reason: 'is a Java key store (JKS); PKCS#12 or PEM can be read.',
      remedy:
        'Make PKCS#12 of it: keytool -importkeystore -srckeystore STORE.jks -destkeystore STORE.p12 -deststoretype PKCS12',
    };
  }
  try {
    createSecureContext({ pfx: bytes, ...(password === null ? {} : { passphrase: password }) });
    return null;
  } catch (error) {
    const { message } = error as Error;
    if (/mac verify/i.test(message)) {
      return { reason: 'does not open with `key_store_password`.', remedy: 'Give the password of the key store.' };
    }
    if (/unsupported/i.test(message)) {
      return {
        reason: 'is encrypted in a way of old that can no longer be read.',
        remedy:
          'Make it anew: openssl pkcs12 -legacy -in STORE.p12 -nodes -out ALL.pem, then openssl pkcs12 -export -in ALL.pem -out NEW.p12',
      };
    }
    return {
      reason: 'is no PKCS#12 key store with a private key and its certificate.',
      remedy: 'Check it: openssl pkcs12 -info -in STORE.p12. PEM goes under `cert` and `key`.',
    };
  }
}

function certificatesAt(pem: Secret, at: At): readonly X509Certificate[] | undefined {
  const certificates = readCertificates(pem.reveal());
  if (!isFlaw(certificates)) return certificates;
  tell(certificates, at);
  return undefined;
}

function opensWithout(key: Secret): boolean {
  const opened: KeyObject | Flaw = readPrivateKey(key.reveal(), null);
  return !isFlaw(opened);
}

/** Warnings and no problems: a certificate may be renewed in its file while Headrace runs. */
function warnOfDates(certificate: X509Certificate, at: At): void {
  const now = systemClock.now();
  const end = certificate.validToDate.getTime();
  if (end < now) at.warning(`ended on ${day(certificate)}; brokers refuse it.`, 'Renew the certificate.');
  else if (end < now + SOON_MS) at.warning(`ends on ${day(certificate)}.`, 'Renew the certificate before that day.');
  if (certificate.validFromDate.getTime() > now) {
    const start = certificate.validFromDate.toISOString().slice(0, 10);
    at.warning(`is not valid before ${start}; brokers refuse it.`, 'Check the clock of this machine, or wait.');
  }
}

function day({ validToDate }: X509Certificate): string {
  return validToDate.toISOString().slice(0, 10);
}

function nameOf({ subject }: X509Certificate): string {
  return (subject ?? '').replaceAll('\n', ', ').slice(0, 200);
}

function tell({ reason, remedy }: Flaw, at: At): void {
  at.problem(reason, remedy);
}
