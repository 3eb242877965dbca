/** OAUTHBEARER at a real broker that verifies tokens by JWKS: every kind end to end, refusals in words, tokens that live seconds. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { checkDestination, listTopics } from '../../src/kafka/index.ts';
import { fastStartFlags } from '../../src/local/java.ts';
import type { ListenerOptions } from '../../src/local/properties.ts';
import { HeadraceError, type DestinationConfig, type OauthLogin, type OauthToken } from '../../src/model/index.ts';
import { issue } from '../support/certificates.ts';
import { deliveryTo, destinationAt, intake, message, Outcomes } from '../support/delivery.ts';
import { newTopic, ownKafka } from '../support/kafka.ts';
import { oidcLogin, startOidc } from '../support/oidc.ts';
import { oracle } from '../support/oracle.ts';
import { flowAndJudge, scenario, type FlowPlan } from '../support/scenario.ts';
import { keyStore } from '../support/secure-kafka.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'headrace-oauth-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SECRET = 'canary-of-oidc';
const server = await startOidc({ clientSecret: SECRET });
const authority = issue({ commonName: 'authority of brokers', authority: true });
const broker = issue({ commonName: 'broker', altNames: ['localhost', '127.0.0.1'], issuer: authority });

const login = {
  'sasl.enabled.mechanisms': 'OAUTHBEARER',
  'oauthbearer.sasl.jaas.config': 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
};
const verified = {
  ...login,
  'oauthbearer.sasl.server.callback.handler.class':
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
  'sasl.oauthbearer.jwks.endpoint.url': server.jwksUrl,
  'sasl.oauthbearer.expected.audience': 'kafka',
  'sasl.oauthbearer.expected.issuer': 'https://login.test/',
};
const listeners: readonly ListenerOptions[] = [
  { name: 'UNSECURED', protocol: 'SASL_PLAINTEXT', properties: login },
  { name: 'OIDC', protocol: 'SASL_PLAINTEXT', properties: verified },
  { name: 'OIDCSSL', protocol: 'SASL_SSL', properties: { ...verified, ...keyStore(folder, 'broker', broker) } },
  // However long a token lives, a login counts for three seconds.
  {
    name: 'REAUTH',
    protocol: 'SASL_PLAINTEXT',
    properties: { ...verified, 'oauthbearer.connections.max.reauth.ms': '3000' },
  },
];
const kafka = await ownKafka({
  listeners,
  jvm: [...fastStartFlags, `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${server.jwksUrl}`],
});

const oidc = (given: Partial<Extract<OauthToken, { kind: 'oidc' }>> = {}): OauthLogin =>
  oidcLogin({ tokenUrl: server.tokenUrl, clientSecret: new Secret(SECRET), ...given });
const kindOf = (from: OauthToken): OauthLogin => ({ mechanism: 'oauthbearer', from });
const unsecured = (given: Partial<Extract<OauthToken, { kind: 'unsecured' }>> = {}): OauthLogin =>
  kindOf({ kind: 'unsecured', principal: 'app', scope: ['kafka'], lifeSeconds: 3600, extensions: {}, ...given });

/** A token of the server, as somebody would paste it. */
async function newToken(): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'headrace', client_secret: SECRET });
  const response = await fetch(server.tokenUrl, { method: 'POST', body });
  return ((await response.json()) as { access_token: string }).access_token;
}

async function usual(): Promise<void> {
  await server.set({
    fault: null,
    lifeSeconds: 3600,
    clockAheadMs: 0,
    audience: 'kafka',
    issuer: 'https://login.test/',
  });
}

function tokenFile(name: string, text: string): string {
  const path = join(folder, name);
  // As whoever renews a token should: never half of one.
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

function through(
  listener: string,
  sasl: OauthLogin,
): Pick<FlowPlan, 'bootstrap' | 'through' | 'flow'> & { flow: object } {
  const protocol = listener === 'OIDCSSL' ? 'sasl_ssl' : 'sasl_plaintext';
  const tls =
    protocol === 'sasl_ssl'
      ? { ca: new Secret(authority.pem), cert: null, key: null, keyPassword: null, verify: true, serverName: null }
      : null;
  return { bootstrap: kafka.bootstrap, through: kafka.bootstrapOf(listener), flow: { login: { protocol, tls, sasl } } };
}

const kinds: Readonly<Record<string, () => Promise<{ listener: string; sasl: OauthLogin }>>> = {
  unsecured: () => Promise.resolve({ listener: 'UNSECURED', sasl: unsecured({ extensions: { traceId: '123' } }) }),
  token: async () => ({
    listener: 'OIDC',
    sasl: kindOf({ kind: 'token', token: new Secret(await newToken()), extensions: {} }),
  }),
  token_file: async () => ({
    listener: 'OIDC',
    sasl: kindOf({ kind: 'token_file', path: tokenFile('once', `${await newToken()}\n`), extensions: {} }),
  }),
  oidc: () => Promise.resolve({ listener: 'OIDC', sasl: oidc({ scope: 'produce' }) }),
  'oidc over TLS': () => Promise.resolve({ listener: 'OIDCSSL', sasl: oidc() }),
};
for (const [name, given] of Object.entries(kinds))
  test(`delivers with the login ${name}, and Java reads it back`, async (t) => {
    await usual();
    const { listener, sasl } = await given();
    const { result } = await flowAndJudge(t, scenario(t, `oauth ${name}`), {
      ...through(listener, sasl),
      messages: 300,
      keys: 20,
      partitions: [3],
    });
    assert.equal(result.delivered, 300);
  });

/** Twenty-five seconds of keyed load, during which every connection is logged in again several times. */
function longLoad(plan: { flow: object }): { messages: number; keys: number; partitions: number[]; flow: object } {
  const endMs = performance.now() + 25_000;
  const over = (): boolean => performance.now() > endMs;
  return { messages: 1_000_000, keys: 100, partitions: [3, 2], flow: { ...plan.flow, perSecond: 800, over } };
}

test('connections outlive tokens of five seconds under load: nothing lost, doubled, reordered or held', async (t) => {
  await usual();
  const before = await server.set({ lifeSeconds: 5 });
  const plan = through('OIDC', oidc());
  const { result } = await flowAndJudge(t, scenario(t, 'short tokens'), { ...plan, ...longLoad(plan) });
  const { tokens } = await server.set({});
  t.diagnostic(`${result.delivered} messages, ${tokens - before.tokens} tokens, held ${result.held.length} times`);
  assert.equal(result.delivered, result.expected.length);
  assert.ok(tokens - before.tokens >= 3, `${tokens - before.tokens} tokens`);
  assert.deepEqual(result.held, []);
});

test('a login that counts for three seconds is renewed under load, with a token asked for once', async (t) => {
  await usual();
  const before = await server.set({});
  const plan = through('REAUTH', oidc());
  const { result } = await flowAndJudge(t, scenario(t, 'short logins'), { ...plan, ...longLoad(plan) });
  assert.equal(result.delivered, result.expected.length);
  assert.equal((await server.set({})).tokens - before.tokens, 1);
  assert.deepEqual(result.held, []);
});

test('a token file that is replaced in time serves without a restart', async (t) => {
  await usual();
  await server.set({ lifeSeconds: 8 });
  const path = tokenFile('rotating', await newToken());
  let renewals = 0;
  const renewal = setInterval(() => {
    renewals++;
    void newToken().then((token) => tokenFile('rotating', token));
  }, 3_000);
  const plan = through('OIDC', kindOf({ kind: 'token_file', path, extensions: {} }));
  try {
    const { result } = await flowAndJudge(t, scenario(t, 'token file'), { ...plan, ...longLoad(plan) });
    assert.equal(result.delivered, result.expected.length);
    assert.ok(renewals > 5);
  } finally {
    clearInterval(renewal);
  }
});

function destination(listener: string, sasl: OauthLogin): DestinationConfig {
  return { ...destinationAt(kafka.bootstrapOf(listener)), protocol: 'sasl_plaintext', sasl };
}

async function refusalOf(listener: string, sasl: OauthLogin): Promise<HeadraceError> {
  const error = await listTopics(destination(listener, sasl), systemClock).then(
    () => assert.fail('it is not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeadraceError, inspect(error));
  assert.ok(!inspect(error, { depth: 20, showHidden: true }).includes(SECRET), 'the secret is shown');
  return error;
}

/** Where the token must not be shown either. */
async function refusalOfToken(listener: string, token: string): Promise<HeadraceError> {
  const error = await refusalOf(listener, kindOf({ kind: 'token', token: new Secret(token), extensions: {} }));
  const shown = inspect(error, { depth: 20, showHidden: true });
  assert.ok(!shown.includes(token) && !shown.includes(Buffer.from(token).toString('hex')), 'the token is shown');
  return error;
}

test('refused in words: a token for another audience, of another issuer, signed by another key', async () => {
  await usual();
  await server.set({ audience: 'another-service' });
  const audience = await refusalOf('OIDC', oidc());
  assert.equal(audience.code, 'authentication_failed');
  assert.match(audience.message, /refused the token of client headrace from http:\/\/127\.0\.0\.1:\d+\/token/);
  assert.match(audience.message, /audience another-service/);
  assert.match(audience.remedy!, /sasl\.oauthbearer\.expected\.audience/);
  await usual();
  await server.set({ issuer: 'https://other.test/' });
  assert.match((await refusalOf('OIDC', oidc())).message, /issuer https:\/\/other\.test\//);
  await usual();
  await server.set({ fault: 'wrong key' });
  const key = await refusalOf('OIDC', oidc());
  assert.match(key.message, /refused the token.*issuer https:\/\/login\.test\//);
  assert.match(key.remedy!, /JWKS/);
});

test('refused in words: a token server whose clock is behind', async () => {
  await usual();
  await server.set({ clockAheadMs: -3_600_000, lifeSeconds: 1800 });
  const error = await refusalOf('OIDC', oidc());
  assert.match(error.message, /the clock of the token server is 60 min behind the one here/);
  assert.match(error.remedy!, /NTP/);
});

test('the doctor fails at the login, with cause and remedy, and well within its time', async () => {
  const faults = {
    refuse: /refused the client \(401/,
    hang: /cannot be reached: no answer within 3 s/,
    'wrong key': /broker refused the token/,
    expired: /already expired/,
  } as const;
  for (const [fault, told] of Object.entries(faults)) {
    await usual();
    await server.set({ fault: fault as keyof typeof faults });
    const report = await checkDestination(destination('OIDC', oidc()), systemClock, { inProcess: true });
    const failed = report.steps.find(({ state }) => state === 'failed');
    assert.equal(failed?.step, 'sasl', inspect(report.steps));
    assert.match(failed.cause!, told);
    assert.ok((failed.remedy ?? '') !== '');
    assert.ok(!JSON.stringify(report).includes(SECRET), 'the secret is shown');
  }
  await usual();
  await server.set({ clockAheadMs: -3_600_000, lifeSeconds: 1800 });
  const skewed = await checkDestination(destination('OIDC', oidc()), systemClock, { inProcess: true });
  assert.match(skewed.steps.find(({ state }) => state === 'failed')!.cause!, /60 min behind/);
});

test('refused in words: an unsecured token where tokens are verified', async () => {
  await usual();
  const error = await refusalOf('OIDC', unsecured());
  assert.match(error.message, /refused the unsecured token of "app"/);
  assert.match(error.remedy!, /`token_file` or `oidc`/);
});

test('refused in words: a given token that expired, that is none, that the broker does not know', async () => {
  await usual();
  await server.set({ fault: 'expired' });
  const old = await newToken();
  const expired = await refusalOfToken('OIDC', old);
  assert.match(expired.message, /expired at \d{4}-\d\d-\d\dT.*; the clock here is at/);
  assert.match(expired.remedy!, /another token/);
  const none = await refusalOfToken('OIDC', 'Bearer abc');
  assert.match(none.message, /characters that no token may have/);
  assert.match((await refusalOfToken('OIDC', 'opaque-canary-token')).message, /refused the token in `sasl\.token`/);
});

test('refused in words: a token file that is not there, or empty', async () => {
  const file = (path: string): OauthLogin => kindOf({ kind: 'token_file', path, extensions: {} });
  const missing = await refusalOf('OIDC', file(join(folder, 'nowhere')));
  assert.equal(missing.code, 'token_unavailable');
  assert.match(missing.message, /nowhere cannot be read: ENOENT/);
  assert.match((await refusalOf('OIDC', file(tokenFile('empty', '\n')))).message, /is empty/);
});

test('a listener that does not offer OAUTHBEARER is named as such', async () => {
  const plain = await ownKafkaWithPlain();
  const error = await listTopics(
    { ...destinationAt(plain), protocol: 'sasl_plaintext', sasl: unsecured() },
    systemClock,
  ).catch((thrown: unknown) => thrown as HeadraceError);
  assert.ok(error instanceof HeadraceError);
  assert.equal(error.code, 'authentication_failed');
  assert.match(error.remedy!, /mechanism/i);
});

async function ownKafkaWithPlain(): Promise<string> {
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_app="secret";';
  const other = await ownKafka({
    listeners: [
      {
        name: 'PLAINONLY',
        protocol: 'SASL_PLAINTEXT',
        properties: { 'sasl.enabled.mechanisms': 'PLAIN', 'plain.sasl.jaas.config': jaas },
      },
    ],
  });
  return other.bootstrapOf('PLAINONLY');
}

test('a token server that is away holds messages and says why, and they go once it is back', async () => {
  await usual();
  await server.set({ fault: 'broken' });
  const topic = await newTopic(kafka.bootstrap, 'server-away', { partitions: 2 });
  const { login: given } = through('OIDC', oidc()).flow;
  const delivery = deliveryTo(kafka.bootstrapOf('OIDC'), {}, undefined, given);
  const outcomes = new Outcomes();
  for (let i = 0; i < 10; i++) delivery.accept(message(topic, { key: Buffer.from(`${i}`) }), outcomes, i, intake);
  await until('it is told why', () =>
    outcomes.holds.some((held) => held?.code === 'token_unavailable' && /fault of its own/.test(held.reason)),
  );
  assert.equal(outcomes.byIndex.size, 0);
  await server.set({ fault: null });
  await outcomes.all(10);
  assert.equal(outcomes.count('delivered'), 10);
  await delivery.close(0);
  assert.equal((await oracle(kafka.bootstrap).readAll(topic)).length, 10);
});
