/** Certificates and private keys from PEM as people have it: with and without armour lines, in every encoding. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { derValues, largestNumber } from './der.ts';
import { armourBlocks, bareDer, bodyOf, foreignFormat, isFlaw, type Block, type Flaw } from './pem-text.ts';

export { isFlaw, type Flaw } from './pem-text.ts';

/** More would take minutes to derive a key from a password. */
const MAX_ITERATIONS = 10_000_000;
const keyTypes = ['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448'];

/** One certificate or several, in their order. Other blocks between them are passed over, private keys are refused. */
export function readCertificates(text: string): readonly X509Certificate[] | Flaw {
  const ders = derOf(text, 'certificate');
  if (isFlaw(ders)) return ders;
  const certificates: X509Certificate[] = [];
  for (const der of ders) {
    try {
      certificates.push(new X509Certificate(der));
    } catch {
      const which = ders.length === 1 ? 'the certificate' : `certificate ${certificates.length + 1} of ${ders.length}`;
      return {
        reason: `is damaged: ${which} cannot be read.`,
        remedy: 'Copy the file anew, whole. `openssl x509 -in FILE -noout -text` shows whether it is sound.',
      };
    }
  }
  return certificates;
}

/** PKCS#8, PKCS#1 or SEC1, encrypted or not. */
export function readPrivateKey(text: string, password: string | null): KeyObject | Flaw {
  const blocks = armourBlocks(text);
  if (isFlaw(blocks)) return blocks;
  if (blocks.length === 0) return bareKey(text, password);
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [block] = keys;
  if (block === undefined) return noKey(blocks);
  if (keys.length > 1) return { reason: 'holds several private keys.', remedy: 'Keep the one of the certificate.' };
  if (block.label === 'OPENSSH PRIVATE KEY') {
    return { reason: 'is a key of SSH.', remedy: 'Give the key of the certificate, which is another.' };
  }
  return armouredKey(block, password);
}

/**
 * The certificate of the key first, the others after it in their order. `certificates` is not empty.
 */
export function chainOf(certificates: readonly X509Certificate[], key: KeyObject): readonly X509Certificate[] | Flaw {
  const own = certificates.find((one) => one.checkPrivateKey(key));
  if (own !== undefined) return [own, ...certificates.filter((one) => one !== own)];
  return {
    reason: 'does not belong to the certificate in `cert`.',
    remedy: 'Give the private key that the certificate was made for.',
  };
}

function derOf(text: string, what: string): readonly Buffer[] | Flaw {
  const blocks = armourBlocks(text);
  if (isFlaw(blocks)) return blocks;
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    return { reason: 'holds a private key.', remedy: 'Give certificates alone; the private key goes under `key`.' };
  }
  const wanted = blocks.filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label));
  if (wanted.length > 0) {
    const bodies = wanted.map(bodyOf);
    const wrong = bodies.find(isFlaw);
    return wrong ?? (bodies as Buffer[]);
  }
  if (blocks.length > 0) {
    return { reason: `is a ${blocks[0]!.label.toLowerCase()} and no ${what}.`, remedy: `Give the ${what} as PEM.` };
  }
  const der = bareDer(text);
  const values = der === null ? null : derValues(der);
  if (values === null) return foreignFormat(text, what);
  if (isKeyStore(values)) return foreignFormat('PKCS12', what);
  return values.map(({ whole }) => whole);
}

function noKey(blocks: readonly Block[]): Flaw {
  const [first] = blocks;
  return {
    reason: `is a ${first!.label.toLowerCase()} and no private key.`,
    remedy: 'Give the private key as PEM: it begins with -----BEGIN PRIVATE KEY----- or the like.',
  };
}

function armouredKey(block: Block, password: string | null): KeyObject | Flaw {
  const { label, headers } = block;
  const body = bodyOf(block);
  if (isFlaw(body)) return body;
  if (headers !== null) {
    if (password === null) return missingPassword();
    const lines = body.toString('base64').match(/.{1,64}/g) ?? [];
    const info = `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${headers}\n\n`;
    const pem = `-----BEGIN ${label}-----\n${info}${lines.join('\n')}\n-----END ${label}-----\n`;
    return opened(() => createPrivateKey({ key: pem, passphrase: password }), true);
  }
  if (label === 'ENCRYPTED PRIVATE KEY') return encryptedKey(body, password);
  const type = label === 'RSA PRIVATE KEY' ? 'pkcs1' : label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
  return opened(() => createPrivateKey({ key: body, format: 'der', type }), false);
}

function bareKey(text: string, password: string | null): KeyObject | Flaw {
  const der = bareDer(text);
  const values = der === null ? null : derValues(der);
  const [outer] = values ?? [];
  if (der === null || values === null || outer === undefined) return foreignFormat(text, 'private key');
  if (isKeyStore(values)) return foreignFormat('PKCS12', 'private key');
  // An encrypted PKCS#8 key begins with what it is encrypted by, all others with a version.
  if (derValues(outer.content)?.[0]?.tag === 0x30) return encryptedKey(der, password);
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    const key = opened(() => createPrivateKey({ key: der, format: 'der', type }), false);
    if (!isFlaw(key)) return key;
  }
  return damaged();
}

function encryptedKey(der: Buffer, password: string | null): KeyObject | Flaw {
  if (password === null) return missingPassword();
  const [outer] = derValues(der) ?? [];
  const [algorithm] = (outer && derValues(outer.content)) ?? [];
  if (algorithm === undefined) return damaged();
  if (largestNumber(algorithm) > MAX_ITERATIONS) {
    return {
      reason: 'is encrypted in a way that takes too long to open.',
      remedy: 'Encrypt it anew: openssl pkcs8 -topk8 -in old.key -out new.key',
    };
  }
  return opened(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs8', passphrase: password }), true);
}

function opened(open: () => KeyObject, encrypted: boolean): KeyObject | Flaw {
  let key: KeyObject;
  try {
    key = open();
  } catch {
    return encrypted ? wrongPassword() : damaged();
  }
  const type = key.asymmetricKeyType ?? 'unknown';
  if (keyTypes.includes(type)) return key;
  return { reason: `is a key of type ${type}, which TLS does not use.`, remedy: 'Use an RSA or EC key.' };
}

/** PKCS#12 begins with its version, 3, and a sequence; keys begin with version 0 or 1. */
function isKeyStore(values: NonNullable<ReturnType<typeof derValues>>): boolean {
  const [version, content] = derValues(values[0]?.content ?? Buffer.alloc(0)) ?? [];
  return version?.tag === 0x02 && version.content.length === 1 && version.content[0] === 3 && content?.tag === 0x30;
}

function missingPassword(): Flaw {
  return { reason: 'is encrypted, and `key_password` is missing.', remedy: "Add `key_password: '${KEY_PASSWORD}'`." };
}

function wrongPassword(): Flaw {
  return {
    reason: 'cannot be opened: `key_password` is not its password, or it is encrypted in a way of old.',
    remedy: 'Check the password; `openssl pkcs8 -topk8 -in old.key -out new.key` encrypts it in a way of today.',
  };
}

function damaged(): Flaw {
  return {
    reason: 'is damaged: the private key cannot be read.',
    remedy: 'Copy the file anew, whole. `openssl pkey -in FILE -noout` shows whether it is sound.',
  };
}
