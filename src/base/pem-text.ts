/** The text of PEM: armour lines and what is between them; and what people give in its place. */

export interface Flaw {
  /** After the field's name: `is damaged: …`. Never the text itself. */
  readonly reason: string;
  readonly remedy: string;
}

export function isFlaw(value: unknown): value is Flaw {
  return typeof value === 'object' && value !== null && 'reason' in value && 'remedy' in value;
}

export interface Block {
  /** `CERTIFICATE`, `RSA PRIVATE KEY`, … */
  readonly label: string;
  /** DEK-Info of a key that is encrypted in the way of old: cipher and salt. */
  readonly headers: string | null;
  readonly base64: string;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/**
 * What stands between armour lines; empty when there are none. Line ends of any kind, none at all, or written as `\n`
 * (as environment variables have it) make no difference.
 */
export function armourBlocks(given: string): readonly Block[] | Flaw {
  const text = given.replaceAll(/\\r|\\n/g, '\n');
  const blocks: Block[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const labelEnd = text.indexOf(DASHES, at + BEGIN.length);
    const label = labelEnd < 0 ? '' : text.slice(at + BEGIN.length, labelEnd);
    if (!/^[A-Z0-9 ]{1,60}$/.test(label)) return noEnd('a -----BEGIN line');
    const start = labelEnd + DASHES.length;
    const end = text.indexOf(`${DASHES}END ${label}${DASHES}`, start);
    if (end < 0) return noEnd(`-----BEGIN ${label}-----`);
    blocks.push(blockOf(label, text.slice(start, end)));
    at = end + 1;
  }
  return blocks;
}

export function bodyOf({ base64, label }: Block): Buffer | Flaw {
  return (
    decoded(base64) ?? {
      reason: `is damaged: what is between the lines of ${label.toLowerCase()} is no base64.`,
      remedy: 'Copy the file anew, whole.',
    }
  );
}

/** Base64 without armour lines, one value or several; null when the text is none. */
export function bareDer(text: string): Buffer | null {
  const compact = text.replaceAll(/\\r|\\n/g, '\n').trim();
  if (compact === '' || !/^[A-Za-z0-9+/=\s]+$/.test(compact)) return null;
  // Each value of several ends with padding, or with a blank line, or neither.
  const parts = compact.split(/(?<==)\s+(?=[^=\s])|(?:\r?\n){2,}/).map(decoded);
  return parts.includes(null) ? null : Buffer.concat(parts as Buffer[]);
}

/** What the text seems to be that is neither PEM nor base64, and how it becomes PEM. */
export function foreignFormat(text: string, what: string): Flaw {
  const trimmed = text.trim();
  const out = what === 'certificate' ? '-nokeys' : '-nocerts';
  if (/^\uFFFD{4}\0/.test(text) || trimmed.startsWith('/u3+7Q') || trimmed.startsWith('zs7OzgA')) {
    return {
      reason: 'is a Java key store (JKS) and no PEM.',
      remedy:
        'Make PEM of it: keytool -importkeystore -srckeystore STORE.jks -destkeystore STORE.p12 -deststoretype PKCS12, ' +
        `then openssl pkcs12 -in STORE.p12 ${out} -out FILE.pem`,
    };
  }
  if (trimmed === 'PKCS12' || isPkcs12(text)) {
    return {
      reason: 'is a PKCS#12 key store and no PEM.',
      remedy: `Make PEM of it: openssl pkcs12 -in STORE.p12 ${out} -out FILE.pem`,
    };
  }
  if (/[\0\uFFFD]/.test(text)) {
    const command = what === 'certificate' ? 'openssl x509' : 'openssl pkey';
    return {
      reason: 'is binary and no PEM.',
      remedy: `Where it is DER, make PEM of it: ${command} -inform der -in FILE -out FILE.pem`,
    };
  }
  if (/^(?:\.{0,2}\/|~\/|[A-Za-z]:\\)\S*$|^\S+\.(?:pem|crt|cer|key|jks|p12|pfx)$/i.test(trimmed.slice(0, 4096))) {
    return { reason: `is a path and no ${what}.`, remedy: `Write '\${file:/path/of/it}', which reads the file.` };
  }
  return {
    reason: `is no ${what} as PEM.`,
    remedy: 'PEM is base64 between -----BEGIN and -----END lines; the lines may be left out.',
  };
}

/** As bytes read as text: a sequence whose first value is the version, 3. */
function isPkcs12(text: string): boolean {
  return text.startsWith('0') && text.slice(0, 16).includes('\u0002\u0001\u0003');
}

function blockOf(label: string, inner: string): Block {
  const info = /^\s*Proc-Type:\s*4,\s*ENCRYPTED\s+DEK-Info:\s*([A-Za-z0-9-]{1,40},[0-9A-Fa-f]{1,64})\s/.exec(inner);
  return { label, headers: info?.[1] ?? null, base64: info === null ? inner : inner.slice(info[0].length) };
}

function decoded(base64: string): Buffer | null {
  const compact = base64.replaceAll(/\s+/g, '');
  if (compact === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return null;
  return Buffer.from(compact, 'base64');
}

function noEnd(what: string): Flaw {
  return { reason: `is cut off: ${what} has no -----END line.`, remedy: 'Copy the file anew, whole.' };
}
