/** TLS at the dial against real TLS servers: which name is asked for, which versions are spoken, what counts after a rotation. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, createSecureContext, createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { issue, YEAR_MS, type Certificate } from '../../../test/support/certificates.ts';
import { Secret } from '../../base/secret.ts';
import { HeadraceError, type TlsConfig } from '../../model/index.ts';
import { createEncryption } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-tls-'));
after(() => rmSync(folder, { recursive: true }));

const root = issue({ commonName: 'root', authority: true });
const served = issue({ commonName: 'broker', issuer: root, altNames: ['localhost', '127.0.0.1'] });
const routed = issue({ commonName: 'routed', issuer: root, altNames: ['kafka.example.com'] });

const nothing: TlsConfig = { ca: null, cert: null, key: null, keyPassword: null, verify: true, serverName: null };
const ofRoot: TlsConfig = { ...nothing, ca: new Secret(root.pem) };

interface Seen {
  readonly name: string | false | null | undefined;
  readonly version: string | null;
  readonly client: string | undefined;
}

/** Serves one connection; answers what was seen of it, or throws what the client met. */
async function meet(
  config: TlsConfig | ReturnType<typeof createEncryption>,
  host: string,
  server: TlsOptions = {},
): Promise<Seen> {
  const listener = createServer({ cert: served.pem, key: served.key, ...server });
  const arrived = once(listener, 'secureConnection');
  arrived.catch(() => undefined);
  listener.on('tlsClientError', () => undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const encryption = typeof config === 'function' ? config : createEncryption(config, 'main');
  const { tls, tlsServerName } = encryption({ host, port });
  // As the client dials: by address.
  const socket = connect(port, '127.0.0.1', {
    ...tls,
    ...(tlsServerName === undefined ? {} : { servername: tlsServerName as string }),
  });
  try {
    await once(socket, 'secureConnect');
    const [theirs] = (await arrived) as [TLSSocket];
    const subject = theirs.getPeerCertificate().subject as { CN?: string } | undefined;
    return {
      name: (theirs as TLSSocket & { servername?: string | false }).servername,
      version: socket.getProtocol(),
      client: subject?.CN,
    };
  } finally {
    socket.destroy();
    listener.close();
  }
}

test('P24: host names are asked for by name, addresses are not', async () => {
  assert.equal((await meet(ofRoot, 'localhost')).name, 'localhost');
  assert.equal((await meet(ofRoot, 'localhost.')).name, 'localhost');
  assert.equal((await meet(ofRoot, '127.0.0.1')).name, false);
});

test('P24: a router that goes by the name alone is reached', async () => {
  const sni: TlsOptions = {
    SNICallback: (name, give) => {
      if (name === 'kafka.example.com') give(null, createSecureContext({ cert: routed.pem, key: routed.key }));
      else give(new Error('no such broker'));
    },
  };
  assert.equal(
    (await meet({ ...ofRoot, serverName: 'kafka.example.com' }, '127.0.0.1', sni)).name,
    'kafka.example.com',
  );
  await assert.rejects(meet(ofRoot, 'localhost', sni));
});

test('an address may stand for the name, and is verified without being asked for', async () => {
  assert.equal((await meet({ ...ofRoot, serverName: '127.0.0.1' }, '127.0.0.1')).name, false);
  await assert.rejects(meet({ ...ofRoot, serverName: '127.0.0.2' }, '127.0.0.1'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

test('nothing older than TLS 1.2 is spoken', async () => {
  assert.equal((await meet(ofRoot, 'localhost', { maxVersion: 'TLSv1.2' })).version, 'TLSv1.2');
  await assert.rejects(
    meet(ofRoot, 'localhost', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  );
});

const expired = issue({
  commonName: 'expired',
  issuer: root,
  altNames: ['localhost'],
  notBefore: new Date(Date.now() - 2 * YEAR_MS),
  notAfter: new Date(Date.now() - YEAR_MS),
});
const refused: Readonly<Record<string, [config: TlsConfig, server: Certificate, code: string]>> = {
  'an unknown authority': [nothing, served, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  'a certificate of its own': [
    nothing,
    issue({ commonName: 'self', altNames: ['localhost'] }),
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ],
  'an expired certificate': [ofRoot, expired, 'CERT_HAS_EXPIRED'],
  'another name': [ofRoot, routed, 'ERR_TLS_CERT_ALTNAME_INVALID'],
};

for (const [name, [config, { pem, key }, code]] of Object.entries(refused)) {
  test(`S21: ${name} is refused, and taken when nothing is verified`, async () => {
    await assert.rejects(meet(config, 'localhost', { cert: pem, key }), { code });
    await meet({ ...config, verify: false }, 'localhost', { cert: pem, key });
  });
}

test('with `chain` another name is taken and another authority is not', async () => {
  await meet({ ...ofRoot, verify: 'chain' }, 'localhost', { cert: routed.pem, key: routed.key });
  await assert.rejects(meet({ ...nothing, verify: 'chain' }, 'localhost'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
});

test('certificate and key are those of now, and while they do not fit together those of before', async () => {
  const one = issue({ commonName: 'one', issuer: root });
  const two = issue({ commonName: 'two', issuer: root });
  let now = { cert: one.pem, key: one.key };
  const config: TlsConfig = {
    ...ofRoot,
    cert: new Secret(one.pem, () => now.cert),
    key: new Secret(one.key, () => now.key),
  };
  const encryption = createEncryption(config, 'main');
  const asking: TlsOptions = { requestCert: true, ca: root.pem };
  assert.equal((await meet(encryption, 'localhost', asking)).client, 'one');
  now = { cert: two.pem, key: one.key };
  assert.equal((await meet(encryption, 'localhost', asking)).client, 'one');
  now = { cert: two.pem, key: 'half of a k' };
  assert.equal((await meet(encryption, 'localhost', asking)).client, 'one');
  now = { cert: two.pem, key: two.key };
  assert.equal((await meet(encryption, 'localhost', asking)).client, 'two');
});

test('what was never usable is told with its field and without its value', () => {
  const pair = { cert: new Secret(served.pem), key: new Secret(root.key) };
  assert.throws(
    () => createEncryption({ ...nothing, ...pair }, 'main')({ host: 'a', port: 1 }),
    (error) =>
      error instanceof HeadraceError && error.code === 'tls_failed' && /`tls.key` does not belong/.test(error.message),
  );
  assert.throws(
    () =>
      createEncryption(
        { ...nothing, keyStore: { path: join(folder, 'none.p12'), password: null } },
        'main',
      )({ host: 'a', port: 1 }),
    /none\.p12 cannot be read \(ENOENT\)/,
  );
});
