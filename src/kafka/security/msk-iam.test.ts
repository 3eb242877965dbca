/** Tokens of AWS MSK IAM: checked byte for byte by an independent verifier; roles by a scripted STS; regions; refusals in words. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../../base/clock.ts';
import { Secret } from '../../base/secret.ts';
import { HeadraceError, type IamLogin } from '../../model/index.ts';
import { verifyIamToken } from '../../../test/support/iam-token.ts';
import { awsMskIam } from './msk-iam.ts';
import { regionOf } from './msk-iam-region.ts';

const ID = 'AKIDEXAMPLE';
const KEY = 'canary+of/IAM+secret';
const SESSION = 'canary/session+token==';
const ROLE = 'arn:aws:iam::123456789012:role/kafka';

const sts = { asked: 0, form: new URLSearchParams(), key: '', answer: lends(3600) };
const stsServer = createServer((request, response) => {
  sts.asked++;
  sts.key = /Credential=(\w+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
  void request.toArray().then((chunks: Buffer[]) => {
    sts.form = new URLSearchParams(Buffer.concat(chunks).toString());
    response.writeHead(sts.answer.status, { 'content-type': 'text/xml' }).end(sts.answer.body);
  });
});
await new Promise<void>((resolve) => stsServer.listen(0, '127.0.0.1', resolve));
after(() => stsServer.close());
Object.assign(process.env, {
  AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(stsServer.address() as AddressInfo).port}`,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/nonexistent/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
});
for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'])
  delete process.env[name];

function lends(seconds: number): { status: number; body: string } {
  const expiration = new Date(Date.now() + seconds * 1000).toISOString();
  return {
    status: 200,
    body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIALENT</AccessKeyId><SecretAccessKey>lent-secret</SecretAccessKey><SessionToken>lent-session</SessionToken>
<Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  };
}

function refuses(status: number, code: string, message: string): { status: number; body: string } {
  return {
    status,
    body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code>
<Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
  };
}

function login(given: Partial<IamLogin> = {}): ReturnType<typeof awsMskIam> {
  const keys = { accessKeyId: new Secret(ID), secretAccessKey: new Secret(KEY), sessionToken: null };
  const config: IamLogin = { mechanism: 'aws-msk-iam', keys, roleArn: null, region: null, ...given };
  return awsMskIam(config, { clock: systemClock, destination: 'main' });
}

const BROKER = { host: 'b-1.shop.a1b2c3.c4.kafka.eu-west-1.amazonaws.com', port: 9098 };

/** What goes over the wire: the token in the first message of OAUTHBEARER. */
async function tokenOf(made: ReturnType<typeof awsMskIam>, address = BROKER): Promise<string> {
  const options = await made(address);
  assert.equal(options.mechanism, 'OAUTHBEARER');
  const bytes = await new Promise<Buffer>((resolve) => {
    const api = (_connection: unknown, first: Buffer): void => resolve(first);
    options.authenticate!('OAUTHBEARER', {} as never, api as never, undefined, undefined, undefined, () => {});
  });
  const found = /^n,,\x01auth=Bearer ([^\x01]+)\x01\x01$/.exec(bytes.toString()); // oxlint-disable-line no-control-regex
  assert.ok(found);
  assert.ok(!inspect(options, { depth: 5 }).includes(found[1]!), 'the token is in the options of the client');
  return found[1]!;
}

async function failureOf(made: ReturnType<typeof awsMskIam>, address = BROKER): Promise<HeadraceError> {
  const error = await made(address).then(
    () => assert.fail('a token came'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeadraceError, inspect(error));
  const everything = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [KEY, SESSION, 'lent-secret', 'lent-session'])
    assert.ok(!everything.includes(secret), `a secret is in ${everything}`);
  assert.ok((error.remedy ?? '') !== '');
  return error;
}

test('static keys sign what MSK takes', async () => {
  const nowMs = Date.now();
  verifyIamToken(await tokenOf(login()), { region: 'eu-west-1', accessKeyId: ID, secretAccessKey: KEY, nowMs });
});

test('keys with a session token, and the region as configured', async () => {
  const keys = { accessKeyId: new Secret(ID), secretAccessKey: new Secret(KEY), sessionToken: new Secret(SESSION) };
  const token = await tokenOf(login({ keys, region: 'us-gov-west-1' }), { host: '127.0.0.1', port: 1 });
  const expected = { region: 'us-gov-west-1', accessKeyId: ID, secretAccessKey: KEY, sessionToken: SESSION };
  verifyIamToken(token, { ...expected, nowMs: Date.now() });
});

test('the verifier refuses a token that was changed', async () => {
  const expected = { region: 'eu-west-1', accessKeyId: ID, secretAccessKey: KEY, nowMs: Date.now() };
  const url = Buffer.from(await tokenOf(login()), 'base64url').toString();
  for (const [from, to] of [
    ['Action=kafka-cluster%3AConnect', 'Action=kafka-cluster%3AAlter'],
    ['X-Amz-Expires=900', 'X-Amz-Expires=901'],
    [ID, 'AKIDOTHER'],
    [/Signature=\w\w/, 'Signature=00'],
  ] as const)
    assert.throws(() => verifyIamToken(Buffer.from(url.replace(from, to)).toString('base64url'), expected));
});

test('a rotated key counts at the next login', async () => {
  let now = KEY;
  const secretAccessKey = new Secret(KEY, () => now);
  const made = login({ keys: { accessKeyId: new Secret(ID), secretAccessKey, sessionToken: null } });
  await tokenOf(made);
  now = 'another-key';
  const expected = { region: 'eu-west-1', accessKeyId: ID, secretAccessKey: now, nowMs: Date.now() };
  verifyIamToken(await tokenOf(made), expected);
});

const lent = {
  region: 'eu-west-1',
  accessKeyId: 'ASIALENT',
  secretAccessKey: 'lent-secret',
  sessionToken: 'lent-session',
};

test('a role is taken on with the keys given, once for all connections', async () => {
  sts.answer = lends(3600);
  const before = sts.asked;
  const made = login({ roleArn: ROLE });
  const tokens = await Promise.all([tokenOf(made), tokenOf(made), tokenOf(made)]);
  for (const token of tokens) verifyIamToken(token, { ...lent, nowMs: Date.now() });
  assert.equal(sts.asked - before, 1);
  assert.equal(sts.key, ID);
  assert.equal(sts.form.get('Action'), 'AssumeRole');
  assert.equal(sts.form.get('RoleArn'), ROLE);
  assert.equal(sts.form.get('RoleSessionName'), 'headrace');
});

test('what is lent is renewed before it ends', async () => {
  sts.answer = lends(120);
  const before = sts.asked;
  const made = login({ roleArn: ROLE });
  verifyIamToken(await tokenOf(made), { ...lent, nowMs: Date.now() });
  await tokenOf(made);
  assert.equal(sts.asked - before, 2);
});

test('the default chain of AWS: environment, also to take on a role', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'env-secret' });
  const expected = { region: 'eu-west-1', accessKeyId: 'AKIDENV', secretAccessKey: 'env-secret', nowMs: Date.now() };
  verifyIamToken(await tokenOf(login({ keys: null })), expected);
  sts.answer = lends(3600);
  verifyIamToken(await tokenOf(login({ keys: null, roleArn: ROLE })), { ...lent, nowMs: Date.now() });
  assert.equal(sts.key, 'AKIDENV');
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_SECRET_ACCESS_KEY'];
});

test('told in words: no credentials anywhere', async () => {
  const error = await failureOf(login({ keys: null }));
  assert.equal(error.code, 'token_unavailable');
  assert.match(error.message, /neither environment, profile, container nor instance has any/);
  assert.match(error.remedy!, /access_key_id/);
});

const refusals: readonly [code: string, message: string, told: RegExp, remedy: RegExp][] = [
  [
    'AccessDenied',
    'User x may not perform: sts:AssumeRole',
    /role .*kafka cannot be taken on: AWS denies it/,
    /trust policy/,
  ],
  ['InvalidClientTokenId', 'The security token is invalid', /does not know the keys/, /secret_access_key/],
  [
    'SignatureDoesNotMatch',
    'Signature expired: 20261121T100000Z is now earlier than 20261121T120000Z',
    /the clock here, at \d{4}-.*Z, is not that of AWS/,
    /NTP/,
  ],
  ['ExpiredTokenException', `The token ${KEY} is expired`, /lent keys have expired/, /role_arn/],
];
for (const [code, message, told, remedy] of refusals)
  test(`told in words: STS answers ${code}`, async () => {
    sts.answer = refuses(403, code, message);
    const error = await failureOf(login({ roleArn: ROLE }));
    assert.match(error.message, told);
    assert.match(error.remedy!, remedy);
  });

test('a refusal is not kept: the next login asks again', async () => {
  sts.answer = refuses(403, 'AccessDenied', 'no');
  const made = login({ roleArn: ROLE });
  await failureOf(made);
  sts.answer = lends(3600);
  verifyIamToken(await tokenOf(made), { ...lent, nowMs: Date.now() });
});

test('the region is in the names that MSK gives', async () => {
  const names = {
    'b-1.shop.a1b2c3.c4.kafka.eu-west-1.amazonaws.com': 'eu-west-1',
    'b-3-public.shop.a1b2c3.c4.kafka.us-east-2.amazonaws.com': 'us-east-2',
    'b-2.iam.shop.a1b2c3.c4.kafka.ap-southeast-2.amazonaws.com': 'ap-southeast-2',
    'boot-abc123.c1.kafka-serverless.eu-north-1.amazonaws.com': 'eu-north-1',
    'B-1.Shop.A1.C1.Kafka.US-GOV-WEST-1.amazonaws.com': 'us-gov-west-1',
    'b-1.shop.a1.c1.kafka.cn-north-1.amazonaws.com.cn': 'cn-north-1',
    'kafka.example.com': null,
    '10.0.0.7': null,
    'b-1.kafka.eu-west-1.amazonaws.com.evil.example': null,
  };
  for (const [name, region] of Object.entries(names)) assert.equal(regionOf(name), region, name);
  const error = await failureOf(login(), { host: 'kafka.internal', port: 9098 });
  assert.equal(error.code, 'config_invalid');
  assert.equal(error.path, 'destinations.main.sasl.region');
  assert.match(error.message, /cannot be told from the broker's name kafka\.internal/);
  assert.match(error.remedy!, /region: eu-west-1/);
});
