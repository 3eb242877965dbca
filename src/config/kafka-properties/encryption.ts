/** `ssl.*`: certificates inline and by file, key stores, and what is verified. */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { Pasted, Property } from './pasted.ts';

const MAX_FILE_BYTES = 1024 * 1024;
type Part = 'certificates' | 'all';

export function putEncryption(pasted: Pasted): void {
  for (const name of ['ssl.truststore.location', 'ssl.ca.location']) {
    const property = pasted.get(name);
    // `probe`: librdkafka looks for the system's own.
    if (property !== undefined && property.text !== 'probe' && !isEmpty(property))
      putFile(['tls', 'ca'], property, 'certificates', pasted);
  }
  putIfGiven('ssl.certificate.location', ['tls', 'cert'], 'certificates', pasted);
  putIfGiven('ssl.key.location', ['tls', 'key'], 'all', pasted);
  putKeyStore(pasted);
  const keyPassword = pasted.get('ssl.key.password');
  if (keyPassword !== undefined && keyPassword.text !== '') {
    // A PKCS#12 store has one password for all that is in it.
    if (pasted.value(['tls', 'key_store']) === undefined)
      pasted.put(['tls', 'key_password'], keyPassword.text, keyPassword);
    else if (pasted.get('ssl.keystore.password')?.text !== keyPassword.text)
      pasted.put(['tls', 'key_store_password'], keyPassword.text, keyPassword);
  }
  const trustPassword = pasted.get('ssl.truststore.password');
  if (trustPassword !== undefined)
    trustPassword.at.warning('has no effect here: certificates as PEM have no password.', 'Take it out.');
  putVerification(pasted);
}

export function putIfGiven(name: string, field: readonly string[], part: Part, pasted: Pasted): void {
  const property = pasted.get(name);
  if (property !== undefined && !isEmpty(property)) putFile(field, property, part, pasted);
}

/** PEM with certificate and key, or PKCS#12: the file says which, whatever the type beside it says. */
function putKeyStore(pasted: Pasted): void {
  const property = pasted.get('ssl.keystore.location');
  const password = pasted.get('ssl.keystore.password');
  if (property === undefined) {
    password?.at.warning('has no effect without `ssl.keystore.location`.', 'Take it out.');
    return;
  }
  if (isEmpty(property)) return;
  const text = fileText(property);
  if (text === null) return;
  if (text.includes('-----BEGIN')) {
    putFile(['tls', 'cert'], property, 'certificates', pasted);
    putFile(['tls', 'key'], property, 'all', pasted);
    password?.at.warning('has no effect: the key store is PEM, whose key has `ssl.key.password`.', 'Take it out.');
    return;
  }
  pasted.put(['tls', 'key_store'], property.text, property, { reread: null });
  if (password !== undefined) pasted.put(['tls', 'key_store_password'], password.text, password);
}

/** A line that somebody left to be filled in; told. */
export function isEmpty({ text, at }: Property): boolean {
  if (text !== '') return false;
  at.warning('is empty, which counts as left out.', 'Take it out.');
  return true;
}

/** Both speak of the same: nothing verified wins. */
function putVerification(pasted: Pasted): void {
  const verification = pasted.get('enable.ssl.certificate.verification');
  const algorithm = pasted.get('ssl.endpoint.identification.algorithm');
  const off = verification !== undefined && /^(?:false|f|0|no)$/i.test(verification.text);
  if (verification !== undefined && !off && !/^(?:true|t|1|yes)$/i.test(verification.text)) {
    verification.at.problem('must be true or false.', 'Write true.');
  }
  if (off) pasted.put(['tls', 'verify'], false, verification, { reread: null });
  if (algorithm === undefined || off) return;
  if (/^(?:|none)$/i.test(algorithm.text)) pasted.put(['tls', 'verify'], 'chain', algorithm, { reread: null });
  else if (/^https$/i.test(algorithm.text)) pasted.put(['tls', 'verify'], true, algorithm, { reread: null });
  else algorithm.at.problem('must be https, or empty for none.', 'Write https.');
}

/** The text of the file as the field's value, read again for each new connection. */
function putFile(field: readonly string[], property: Property, part: Part, pasted: Pasted): void {
  const take = part === 'certificates' ? certificatesOf : (text: string): string => text;
  const text = fileText(property);
  if (text === null) return;
  pasted.put(field, take(text), property, {
    reread: () => {
      const now = readText(property.text);
      return typeof now === 'string' && now !== '' ? take(now) : null;
    },
  });
}

/** A PEM key store has the private key beside its certificates. A text without armour is left for its reader to judge. */
function certificatesOf(text: string): string {
  const begin = '-----BEGIN CERTIFICATE-----';
  const end = '-----END CERTIFICATE-----';
  const parts: string[] = [];
  for (let at = text.indexOf(begin); at >= 0;) {
    const stop = text.indexOf(end, at);
    if (stop < 0) break;
    parts.push(text.slice(at, stop + end.length));
    at = text.indexOf(begin, stop);
  }
  return parts.length === 0 ? text : parts.join('\n');
}

function fileText(property: Property): string | null {
  if (!isAbsolute(property.text)) {
    property.at.problem('must be an absolute path, and is relative.', 'Write the whole path, from the root on.');
    return null;
  }
  const text = readText(property.text);
  if (typeof text === 'string') return text;
  property.at.problem(
    `names a file that cannot be read (${text.cause}).`,
    'Check that the file exists and that this user may read it.',
    'config_unresolved',
  );
  return null;
}

function readText(path: string): string | { readonly cause: string } {
  try {
    const facts = statSync(path);
    if (!facts.isFile()) return { cause: 'it is no plain file' };
    if (facts.size > MAX_FILE_BYTES) return { cause: `it is larger than ${MAX_FILE_BYTES} bytes` };
    return readFileSync(path, 'utf8');
  } catch (error) {
    return { cause: (error as NodeJS.ErrnoException).code ?? 'it is no file' };
  }
}
