/** Encryption and login as written: every form that is taken, and what is said about the others. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { issue, keyEncodings, withoutArmour, YEAR_MS } from '../../test/support/certificates.ts';
import type { DestinationConfig, JsonObject, Problem } from '../model/index.ts';
import { createConfigReader, type Checked } from './reader.ts';
import { createSealer } from './seal.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-security-'));
after(() => rmSync(folder, { recursive: true }));
const variables: Record<string, string> = {};
const reader = createConfigReader({
  references: { variable: (name) => variables[name], variableNames: () => Object.keys(variables) },
  sealer: createSealer({ dataFolder: folder, secretKey: null }),
});

function check(body: JsonObject): Checked {
  return reader.check([{ kind: 'destination', name: 'main', body: { brokers: 'kafka', ...body } }]);
}

function destination(body: JsonObject): DestinationConfig {
  const { configuration, problems } = check(body);
  assert.deepEqual(problems, []);
  return configuration.destinations.get('main')!;
}

function problem(body: JsonObject): Problem {
  const { problems } = check(body);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return problems[0]!;
}

const plain = { mechanism: 'plain', username: 'u', password: 'p' };

test('the protocol follows from tls and sasl, and never leaves encryption away for a login', () => {
  assert.equal(destination({}).protocol, 'plaintext');
  assert.equal(destination({ tls: {} }).protocol, 'ssl');
  assert.equal(destination({ tls: true }).protocol, 'ssl');
  const secure = destination({ sasl: plain });
  assert.equal(secure.protocol, 'sasl_ssl');
  assert.deepEqual([secure.tls?.verify, secure.tls?.ca], [true, null]);
});

test('a login without encryption is taken with a warning', () => {
  const { warnings } = check({ protocol: 'SASL_PLAINTEXT', sasl: plain });
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['destinations.main.protocol'],
  );
  assert.match(warnings[0]!.reason, /unencrypted/);
});

for (const name of ['SCRAM-SHA-512', 'scram_sha_512', 'Scram Sha 512', 'SHA512', 'scram-sha-512']) {
  test(`takes the mechanism ${name}`, () => {
    assert.equal(destination({ sasl: { ...plain, mechanism: name } }).sasl?.mechanism, 'scram-sha-512');
  });
}

test('takes every shape of oauthbearer', () => {
  const from = (fields: JsonObject): unknown => {
    const { sasl } = destination({ sasl: { mechanism: 'OATHBEARER', ...fields } });
    return sasl?.mechanism === 'oauthbearer' ? sasl.from : null;
  };
  assert.deepEqual(from({ token_file: '/run/token', extensions: { logicalCluster: 'lkc-1' } }), {
    kind: 'token_file',
    path: '/run/token',
    extensions: { logicalCluster: 'lkc-1' },
  });
  assert.deepEqual(from({ unsecured: { principal: 'app', scope: 'a b', life_seconds: 5 } }), {
    kind: 'unsecured',
    principal: 'app',
    scope: ['a', 'b'],
    lifeSeconds: 5,
    extensions: {},
  });
  const oidc = from({ oidc: { token_url: 'https://id/token', client_id: 'c', client_secret: 's', scope: 'kafka' } });
  assert.deepEqual(JSON.parse(JSON.stringify(oidc)), {
    kind: 'oidc',
    tokenUrl: 'https://id/token',
    clientId: 'c',
    clientSecret: '******',
    scope: 'kafka',
    audience: null,
    extensions: {},
    ca: null,
  });
});

test('takes AWS MSK IAM with nothing, with keys and with a role', () => {
  assert.deepEqual(destination({ sasl: { mechanism: 'AWS_MSK_IAM' } }).sasl, {
    mechanism: 'aws-msk-iam',
    keys: null,
    roleArn: null,
    region: null,
  });
  const { sasl } = destination({
    sasl: {
      mechanism: 'aws-msk-iam',
      access_key_id: 'AKIA',
      secret_access_key: 's',
      role_arn: 'arn:aws:iam::123456789012:role/kafka',
    },
  });
  assert.equal(sasl?.mechanism === 'aws-msk-iam' ? sasl.keys?.secretAccessKey.reveal() : null, 's');
});

const root = issue({ commonName: 'root', authority: true });
const client = issue({ commonName: 'client', issuer: root });
const pair = { cert: client.pem, key: client.key };

test('takes authority and client certificate in every form', () => {
  for (const [encoding, key] of Object.entries(keyEncodings(client.keys, 'word'))) {
    const password: JsonObject = encoding.includes('encrypted') ? { key_password: 'word' } : {};
    const { warnings } = check({ tls: { ca: withoutArmour(root.pem), cert: client.pem, key, ...password } });
    assert.deepEqual(warnings, [], encoding);
  }
});

const contradictions: Readonly<Record<string, [tls: JsonObject, path: string, reason: RegExp]>> = {
  'a certificate without its key': [{ cert: client.pem }, 'key', /missing beside `cert`/],
  'a key without its certificate': [{ key: client.key }, 'cert', /missing beside `key`/],
  'a password without a key': [{ key_password: 'x' }, 'key', /missing beside `key_password`/],
  'a key of another certificate': [{ ...pair, key: root.key }, 'key', /does not belong/],
  'an encrypted key without its password': [
    { ...pair, key: keyEncodings(client.keys, 'word')['PKCS#8, encrypted']! },
    'key',
    /`key_password` is missing/,
  ],
  'a key as the certificate': [{ cert: client.key, key: client.key }, 'cert', /private key/],
  'a path as the authority': [{ ca: '/etc/ca.pem' }, 'ca', /is a path/],
  'a key store beside a certificate': [{ ...pair, key_store: '/a.p12' }, 'key_store', /contradicts `cert`/],
  'a key store that is not there': [{ key_store: join(folder, 'none.p12') }, 'key_store', /ENOENT/],
  'verify in other words': [{ verify: 'maybe' }, 'verify', /true, chain or false/],
};

for (const [name, [tls, field, reason]] of Object.entries(contradictions)) {
  test(`refuses ${name}`, () => {
    const found = problem({ tls });
    assert.equal(found.path, `destinations.main.tls.${field}`);
    assert.match(found.reason, reason);
    assert.ok(found.remedy.length > 5);
  });
}

test('warns of certificates that have ended, end soon or have not begun', () => {
  const day = 86_400_000;
  const dated = (from: number, to: number): string[] => {
    const now = Date.now();
    const dates = { notBefore: new Date(now + from), notAfter: new Date(now + to) };
    const one = issue({ commonName: 'dated', issuer: root, ...dates });
    const authority = issue({ commonName: 'dated root', authority: true, ...dates });
    return check({ tls: { cert: one.pem, key: one.key, ca: authority.pem } }).warnings.map(({ reason }) => reason);
  };
  assert.match(
    dated(-2 * YEAR_MS, -YEAR_MS).join('\n'),
    /authority that ended on .*refused[^]*ended on .*brokers refuse it/,
  );
  assert.match(dated(-day, 10 * day).join('\n'), /^ends on/);
  assert.match(dated(day, YEAR_MS).join('\n'), /not valid before/);
  assert.deepEqual(dated(-day, YEAR_MS), []);
});

test('warns when brokers are not verified', () => {
  const named = check({ tls: { verify: 'chain', server_name: 'kafka' } }).warnings[0]!;
  assert.match(named.remedy, /^Take it out: `server_name`/);
  assert.match(check({ tls: { verify: 'true' } }).problems[0]!.remedy, /without quotes/);
  for (const verify of [false, 'chain'])
    assert.deepEqual(
      check({ tls: { verify } }).warnings.map(({ path }) => path),
      ['destinations.main.tls.verify'],
    );
});

test('what a reference gives is read again for a new connection, and kept while it cannot be', () => {
  const path = join(folder, 'password');
  writeFileSync(path, 'first\n');
  variables['USER_NAME'] = 'one';
  const { sasl } = destination({
    sasl: { mechanism: 'plain', username: '${USER_NAME}', password: `\${file:${path}}` },
  });
  assert.ok(sasl?.mechanism === 'plain');
  assert.deepEqual([sasl.username.current(), sasl.password.current()], ['one', 'first']);
  writeFileSync(path, 'second');
  variables['USER_NAME'] = 'two';
  assert.deepEqual([sasl.username.current(), sasl.password.current()], ['two', 'second']);
  writeFileSync(path, '');
  assert.equal(sasl.password.current(), 'second', 'an empty file is one that is being written');
  rmSync(path);
  assert.equal(sasl.password.current(), 'second');
});

const secretFields: readonly [body: JsonObject, secrets: readonly string[]][] = [
  [{ sasl: { mechanism: 'plain', username: 'user', password: 'secret-1' } }, ['secret-1']],
  [{ sasl: { mechanism: '${MECHANISM}', username: 'user', password: 'secret-1', client_secret: 1 } }, ['secret-1']],
  [{ sasl: { mechanism: 'oauthbearer', token: 'secret-2' } }, ['secret-2']],
  [{ sasl: { mechanism: 'oauthbearer', oidc: { client_id: 'c', client_secret: 'secret-3' } } }, ['secret-3']],
  [
    {
      sasl: {
        mechanism: 'aws-msk-iam',
        access_key_id: 'AKIA',
        secret_access_key: 'secret-4',
        session_token: 'secret-5',
      },
    },
    ['secret-4', 'secret-5'],
  ],
  [
    { tls: { key: 'secret-6', key_password: 'secret-7', key_store_password: 'secret-8' } },
    ['secret-6', 'secret-7', 'secret-8'],
  ],
];

test('secrets are sealed, and nothing else is', () => {
  for (const [body, secrets] of secretFields) {
    const sealed = JSON.stringify(reader.seal({ kind: 'destination', name: 'main', body }));
    for (const one of secrets) assert.ok(!sealed.includes(one), `${one} in ${sealed}`);
    assert.equal(sealed.match(/@sealed/g)?.length, secrets.length);
  }
});
