/** Secrets at rest: sealed with AES-256-GCM, bound to the field they stand in (S1). */
import { createCipheriv, createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes, randomHex } from '../base/random.ts';
import type { Secret } from '../base/secret.ts';
import { HeadraceError } from '../model/index.ts';

export interface Sealer {
  /** `record` names the field, e.g. `sources.website.write_key`: what is sealed opens nowhere else. */
  seal(text: string, record: string): string;
  /** Throws HeadraceError `config_unresolved` when it was sealed with another key, for another field, or was changed. */
  open(sealed: string, record: string): string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const MIN_KEY_CHARACTERS = 16;

/**
 * Seals with the key of HEADRACE_SECRET_KEY, else with that of `<data>/secret.key`, which is made (random, mode 0600) when
 * the first secret is sealed. The key is looked for at first use.
 */
export function createSealer(options: { dataFolder: string; secretKey: Secret | null }): Sealer {
  const file = join(options.dataFolder, 'secret.key');
  let key: Buffer | null = null;
  const fromEnvironment = (): Buffer | null => (options.secretKey === null ? null : keyFromText(options.secretKey));
  const existing = (): Buffer | null => (key ??= fromEnvironment() ?? keyFromFile(file));
  const needed = (): Buffer => existing() ?? (key = makeKeyFile(options.dataFolder, file));
  return {
    seal: (text, record) => seal(needed(), text, record),
    open: (sealed, record) => open(existing(), sealed, record),
  };
}

function seal(key: Buffer, text: string, record: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(record));
  const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return ['v1', keyId(key), nonce.toString('base64url'), bytes.toString('base64url')].join('.');
}

function open(key: Buffer | null, sealed: string, record: string): string {
  const [version, id, nonce, bytes] = sealed.split('.');
  if (version !== 'v1' || id === undefined || nonce === undefined || bytes === undefined) throw damaged(record);
  if (key === null || id !== keyId(key)) throw otherKey(record, key === null);
  const whole = Buffer.from(bytes, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(record));
    decipher.setAuthTag(whole.subarray(-TAG_BYTES));
    return decipher.update(whole.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw damaged(record);
  }
}

/** Names a key without telling anything of it. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('headrace key id').update(key).digest('hex').slice(0, 8);
}

/** 32 bytes as hexadecimal or base64 are the key itself; any other text of some length is stretched to one. */
function keyFromText(secret: Secret): Buffer {
  const text = secret.reveal();
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64');
  if (text.length >= MIN_KEY_CHARACTERS) return scryptSync(text, 'headrace secret key', KEY_BYTES);
  throw new HeadraceError('config_invalid', `HEADRACE_SECRET_KEY is shorter than ${MIN_KEY_CHARACTERS} characters.`, {
    path: 'HEADRACE_SECRET_KEY',
    remedy: 'Make one with: openssl rand -base64 32',
  });
}

function keyFromFile(file: string): Buffer | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(file, error);
  }
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES) return key;
  throw unusable(file, new Error('it holds no key of 32 bytes in base64'));
}

/** Made whole under another name first, so that two processes that both make it end with the same key. */
function makeKeyFile(dataFolder: string, file: string): Buffer {
  const draft = `${file}.${randomHex(6)}`;
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    chmodSync(draft, 0o600);
    try {
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  } catch (error) {
    throw unusable(file, error);
  } finally {
    rmSync(draft, { force: true });
  }
  return keyFromFile(file)!;
}

function unusable(file: string, error: unknown): HeadraceError {
  return new HeadraceError('state_failed', `The key file ${file} cannot be used: ${(error as Error).message}`, {
    remedy: 'Restore it from a backup, mend its permissions, or set HEADRACE_SECRET_KEY.',
    cause: error,
  });
}

function otherKey(record: string, none: boolean): HeadraceError {
  const which = none ? 'and there is no key' : 'with another key than the present one';
  return new HeadraceError('config_unresolved', `was sealed, ${which}.`, {
    path: record,
    remedy: 'Bring back the HEADRACE_SECRET_KEY or secret.key that it was sealed with, or apply the secret again.',
  });
}

function damaged(record: string): HeadraceError {
  return new HeadraceError('config_unresolved', 'cannot be opened: it was changed, or sealed for another field.', {
    path: record,
    remedy: 'Apply the secret again.',
  });
}
