/** Certificates and keys in every form that people paste. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { issue, keyEncodings, withoutArmour } from '../../test/support/certificates.ts';
import { chainOf, isFlaw, readCertificates, readPrivateKey, type Flaw } from './pem.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-pem-'));
after(() => rmSync(folder, { recursive: true }));

const root = issue({ commonName: 'root', authority: true });
const between = issue({ commonName: 'between', authority: true, issuer: root, keyType: 'ec' });
const rsa = issue({ commonName: 'rsa', issuer: between });
const ec = issue({ commonName: 'ec', issuer: between, keyType: 'ec' });

const forms: Readonly<Record<string, (pem: string) => string>> = {
  'as it is': (pem) => pem,
  'without armour lines': withoutArmour,
  'with CRLF': (pem) => pem.replaceAll('\n', '\r\n'),
  'on one line': (pem) => pem.replaceAll('\n', ' '),
  'with line ends written out': (pem) => pem.replaceAll('\n', '\\n'),
  'with text around': (pem) => `subject=CN=x\n\n${pem}\ntrailing words\n`,
};

for (const [form, change] of Object.entries(forms)) {
  test(`reads certificates ${form}`, () => {
    if (form === 'with text around' || form === 'as it is') {
      const chain = readCertificates(change(rsa.chain));
      assert.ok(!isFlaw(chain));
      assert.deepEqual(
        chain.map(({ subject }) => subject),
        ['CN=rsa', 'CN=between'],
      );
    }
    const certificates = readCertificates(change(rsa.chain));
    assert.ok(!isFlaw(certificates), JSON.stringify(certificates));
    assert.equal(certificates.length, 2);
  });

  for (const { commonName, keys } of [rsa, ec]) {
    for (const [encoding, pem] of Object.entries(keyEncodings(keys, 'word'))) {
      // What an encrypted key of old is encrypted by stands in its headers, which go with the armour.
      if (form === 'without armour lines' && /(?:PKCS#1|SEC1), enc/.test(encoding)) continue;
      test(`reads the ${commonName} key in ${encoding} ${form}`, () => {
        const key = readPrivateKey(change(pem), 'word');
        assert.ok(!isFlaw(key), JSON.stringify(key));
        assert.ok(key.equals(keys.privateKey));
      });
    }
  }
}

test('the certificate of the key comes first, wherever it stands', () => {
  const certificates = readCertificates(between.pem + rsa.pem);
  assert.ok(!isFlaw(certificates));
  const chain = chainOf(certificates, rsa.keys.privateKey);
  assert.ok(!isFlaw(chain));
  assert.deepEqual(
    chain.map(({ subject }) => subject),
    ['CN=rsa', 'CN=between'],
  );
});

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

writeFileSync(join(folder, 'cert.pem'), rsa.pem);
writeFileSync(join(folder, 'key.pem'), rsa.key);
openssl('pkcs12', '-export', '-in', 'cert.pem', '-inkey', 'key.pem', '-out', 'store.p12', '-passout', 'pass:word');
openssl('x509', '-in', 'cert.pem', '-outform', 'der', '-out', 'cert.der');
execFileSync(
  'keytool',
  [
    '-importkeystore',
    '-srckeystore',
    'store.p12',
    '-srcstorepass',
    'word',
    '-destkeystore',
    'store.jks',
    '-deststoretype',
    'jks',
    '-deststorepass',
    'changeit',
    '-destkeypass',
    'changeit',
  ],
  { cwd: folder, stdio: 'pipe' },
);
const bytes = (name: string): Buffer => readFileSync(join(folder, name));

const encrypted = keyEncodings(ec.keys, 'word')['PKCS#8, encrypted']!;
// PBES1 with salt 00 and 2^31-1 rounds, around one byte.
const slow = Buffer.from(
  '3019' + '3014' + '06092a864886f70d01050a' + '3007' + '040100' + '02047fffffff' + '040100',
  'hex',
);

const wrongCertificates: Readonly<Record<string, [text: string, reason: RegExp, remedy: RegExp]>> = {
  'a private key': [rsa.key, /holds a private key/, /under `key`/],
  'certificate and key in one': [rsa.pem + rsa.key, /holds a private key/, /under `key`/],
  'a cut-off certificate': [rsa.pem.slice(0, 500), /cut off/, /whole/],
  'a certificate with a letter too few': [rsa.pem.replace(/\n(.)/, '\n'), /damaged/, /openssl x509/],
  'no base64': [rsa.pem.replace('\nMII', '\n!!!'), /no base64/, /whole/],
  'a public key': ['-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----', /is a public key/, /PEM/],
  'a Java key store': [bytes('store.jks').toString('utf8'), /Java key store/, /keytool -importkeystore.*-nokeys/],
  'a Java key store in base64': [bytes('store.jks').toString('base64'), /Java key store/, /keytool/],
  'PKCS#12': [bytes('store.p12').toString('utf8'), /PKCS#12/, /openssl pkcs12.*-nokeys/],
  'PKCS#12 in base64': [bytes('store.p12').toString('base64'), /PKCS#12/, /openssl pkcs12/],
  DER: [bytes('cert.der').toString('utf8'), /binary/, /-inform der/],
  'a path': ['/etc/kafka/ca.pem', /is a path/, /\$\{file:/],
  'a file name': ['ca.crt', /is a path/, /\$\{file:/],
  words: ['hello there', /no certificate as PEM/, /BEGIN/],
};

for (const [name, [text, reason, remedy]] of Object.entries(wrongCertificates)) {
  test(`says what is wrong with ${name} for a certificate`, () => check(readCertificates(text), reason, remedy));
}

const wrongKeys: Readonly<Record<string, [text: string, password: string | null, reason: RegExp, remedy: RegExp]>> = {
  'a certificate': [rsa.pem, null, /is a certificate and no private key/, /BEGIN PRIVATE KEY/],
  'an encrypted key without its password': [encrypted, null, /`key_password` is missing/, /KEY_PASSWORD/],
  'an encrypted key with another password': [encrypted, 'other', /cannot be opened/, /Check the password/],
  'an encrypted key of old without its password': [
    keyEncodings(rsa.keys, 'word')['PKCS#1, encrypted']!,
    null,
    /`key_password` is missing/,
    /./,
  ],
  'an encrypted key of old with another password': [
    keyEncodings(rsa.keys, 'word')['PKCS#1, encrypted']!,
    'x',
    /cannot be opened/,
    /./,
  ],
  'a key of SSH': [
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----',
    null,
    /SSH/,
    /certificate/,
  ],
  'two keys': [rsa.key + ec.key, null, /several/, /Keep/],
  'a Java key store': [
    bytes('store.jks').toString('utf8'),
    null,
    /Java key store/,
    /keytool -importkeystore.*-nocerts/,
  ],
  'PKCS#12': [bytes('store.p12').toString('base64'), 'word', /PKCS#12/, /-nocerts/],
  'a damaged key': [rsa.key.replace(/\n(.)/, '\n'), null, /damaged/, /openssl pkey/],
};

for (const [name, [text, password, reason, remedy]] of Object.entries(wrongKeys)) {
  test(`says what is wrong with ${name} for a key`, () => check(readPrivateKey(text, password), reason, remedy));
}

test('says that a key belongs to another certificate', () => {
  const certificates = readCertificates(rsa.pem);
  assert.ok(!isFlaw(certificates));
  check(chainOf(certificates, ec.keys.privateKey), /does not belong/, /made for/);
});

test('does not open a key whose password would take minutes', () => {
  slow[1] = slow.length - 2;
  slow[3] = slow.length - 4 - 3;
  slow[16] = slow.length - 17 - 3;
  check(readPrivateKey(slow.toString('base64'), 'word'), /takes too long/, /openssl pkcs8/);
});

function check(answer: unknown, reason: RegExp, remedy: RegExp): void {
  assert.ok(isFlaw(answer), 'it was taken');
  const { reason: said, remedy: then }: Flaw = answer;
  assert.match(said, reason);
  assert.match(then, remedy);
}
