/** Tokens by client credentials against a real server process: caching, renewal, refusals in words, nothing secret in them. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { systemClock, type Clock } from '../../base/clock.ts';
import { Secret } from '../../base/secret.ts';
import { HeadraceError, type OauthToken } from '../../model/index.ts';
import { issue } from '../../../test/support/certificates.ts';
import { oidcLogin, startOidc, type OidcServer } from '../../../test/support/oidc.ts';
import type { OidcSettings } from '../../../test/support/oidc-server.ts';
import { OidcTokens, type OidcConfig } from './oidc.ts';
import type { PinnedFetch } from './oidc-fetch.ts';

const CANARY = 'canary secret+/%';
const server = await startOidc({ clientSecret: CANARY });

type Given = Partial<Extract<OauthToken, { kind: 'oidc' }>>;

function tokensOf(given: Given = {}, clock: Clock = systemClock, resolve?: PinnedFetch['resolve']): OidcTokens {
  const login = oidcLogin({ tokenUrl: server.tokenUrl, clientSecret: new Secret(CANARY), ...given });
  return new OidcTokens(login.from as OidcConfig, { clock, destination: 'main' }, resolve);
}

/** A clock that a test moves; timers are real. */
function movable(): Clock & { move(ms: number): void } {
  let ahead = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    move: (ms) => (ahead += ms),
  };
}

async function failureOf(tokens: OidcTokens): Promise<HeadraceError> {
  const error = await tokens.get().then(
    () => assert.fail('a token came'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeadraceError, inspect(error));
  const everything = inspect(error, { depth: 20, showHidden: true });
  for (const form of [CANARY, encodeURIComponent(CANARY), Buffer.from(`headrace:${CANARY}`).toString('base64')])
    assert.ok(!everything.includes(form), `the secret is in ${everything}`);
  assert.match(error.path ?? '', /^destinations\.main\.sasl\.oidc$/);
  assert.ok((error.remedy ?? '') !== '');
  return error;
}

async function usual(): Promise<OidcServer> {
  await server.set({ fault: null, lifeSeconds: 3600, clockAheadMs: 0, secretIn: 'either' });
  return server;
}

test('one request serves all who ask, until three quarters of the life of the token', async () => {
  await usual();
  const before = await server.set({ lifeSeconds: 100 });
  const clock = movable();
  const tokens = tokensOf({}, clock);
  const first = await Promise.all(Array.from({ length: 20 }, () => tokens.get()));
  assert.equal(new Set(first.map(({ value }) => value)).size, 1);
  clock.move(74_000);
  assert.equal((await tokens.get()).value, first[0]!.value);
  clock.move(2_000);
  assert.notEqual((await tokens.get()).value, first[0]!.value);
  assert.equal((await server.set({})).asked - before.asked, 2);
});

test('a server that is away goes unnoticed while the token lives', async () => {
  await usual();
  const clock = movable();
  const tokens = tokensOf({}, clock);
  const first = await tokens.get();
  await server.set({ fault: 'broken' });
  clock.move(3_000_000);
  assert.equal((await tokens.get()).value, first.value);
  clock.move(590_000);
  assert.equal((await failureOf(tokens)).code, 'token_unavailable');
});

test('a token that a broker refused is not given out again', async () => {
  await usual();
  const tokens = tokensOf();
  const first = await tokens.get();
  tokens.drop(first);
  assert.notEqual((await tokens.get()).value, first.value);
});

test('the secret goes into the header, or into the form where the server wants it there', async () => {
  await usual();
  for (const secretIn of ['header', 'form'] as const) {
    await server.set({ secretIn });
    assert.match((await tokensOf({ scope: 'a b', audience: 'kafka' }).get()).value, /^\w+[\w-]*\./);
  }
});

test('a replaced secret counts at the next request', async () => {
  await usual();
  let now = 'old';
  const tokens = tokensOf({ clientSecret: new Secret('old', () => now) });
  await failureOf(tokens);
  now = CANARY;
  assert.ok((await tokens.get()).value);
});

const faults: readonly [fault: OidcSettings['fault'], code: string, message: RegExp, remedy: RegExp][] = [
  ['refuse', 'authentication_failed', /refused the client \(401: invalid_client/, /client_id.*client_secret/],
  ['invalid_scope', 'authentication_failed', /does not know the scope \(400: invalid_scope, no such scope\)/, /scope/],
  ['broken', 'token_unavailable', /fault of its own \(500: server_error\)/, /log of the token server/],
  ['busy', 'token_unavailable', /too often \(429\)/, /tried again/],
  ['garbage', 'token_unavailable', /answered, but it is not JSON/, /token_url/],
  ['page', 'token_unavailable', /answered, but it is not JSON/, /login page/],
  ['no token', 'token_unavailable', /has no access_token/, /token_url/],
  ['odd token', 'token_unavailable', /characters that no token may have/, /token_url/],
  [
    'redirect',
    'authentication_failed',
    /redirect to https:\/\/elsewhere\.test\/token \(302\), which is not/,
    /final address/,
  ],
  ['missing', 'authentication_failed', /is no token endpoint \(404\)/, /openid-configuration/],
  ['expired', 'token_unavailable', /already expired: it ended at \d{4}-.*, and the server's clock is at/, /lifetime/],
];
for (const [fault, code, message, remedy] of faults)
  test(`told in words: ${fault}`, async () => {
    await usual();
    await server.set({ fault });
    const error = await failureOf(tokensOf());
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.remedy!, remedy);
  });

test('told in words: an expired token of a server whose clock is wrong', async () => {
  await usual();
  await server.set({ fault: 'expired', clockAheadMs: -600_000 });
  const error = await failureOf(tokensOf());
  assert.match(error.message, /the server's clock is 10 min behind the one here/);
  assert.match(error.remedy!, /NTP/);
});

test('the life of a token counts by the clock of its server', async () => {
  await usual();
  await server.set({ clockAheadMs: -7_200_000 });
  const token = await tokensOf().get();
  assert.ok(Math.abs(token.aheadMs! + 7_200_000) < 2_000, String(token.aheadMs));
});

test('told in words: nobody there, an unknown host, a server that hangs', async () => {
  await usual();
  const nobody = await failureOf(tokensOf({ tokenUrl: 'http://127.0.0.1:1/token' }));
  assert.match(nobody.message, /http:\/\/127\.0\.0\.1:1\/token cannot be reached: the connection is refused/);
  const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  const nowhere = await failureOf(
    tokensOf({ tokenUrl: 'https://login.test/token?secret=x' }, systemClock, () => Promise.reject(unknown)),
  );
  assert.match(nowhere.message, /https:\/\/login\.test\/token cannot be reached: its host name is unknown/);
  await server.set({ fault: 'hang' });
  const hasty: Clock = { ...systemClock, after: (ms, ...rest) => systemClock.after(ms / 20, ...rest) };
  const slow = await failureOf(tokensOf({}, hasty));
  assert.equal(slow.code, 'token_unavailable');
  assert.match(slow.message, /cannot be reached: no answer within 3 s/);
});

test('TLS: with its authority as `ca`, and not without', async () => {
  const authority = issue({ commonName: 'authority of logins', authority: true });
  const { pem: cert, key } = issue({ commonName: 'login', altNames: ['localhost'], issuer: authority });
  const secure = await startOidc({ clientSecret: CANARY, tls: { cert, key } });
  const given = { tokenUrl: secure.tokenUrl, ca: new Secret(authority.pem) };
  assert.ok((await tokensOf(given).get()).value);
  const bare = authority.pem.replaceAll(/-----[A-Z ]+-----|\n/g, '');
  assert.ok((await tokensOf({ ...given, ca: new Secret(bare) }).get()).value, 'without armour lines');
  await assert.rejects(tokensOf({ ...given, ca: new Secret('no PEM') }).get(), /authority of the token server/);
  const strange = await failureOf(tokensOf({ ...given, ca: null }));
  assert.match(strange.message, /not signed by an authority that this machine knows/);
  assert.match(strange.remedy!, /`ca` under `oidc`/);
  const otherName = await failureOf(
    tokensOf({ ...given, tokenUrl: secure.tokenUrl.replace('localhost', '127.0.0.1') }),
  );
  assert.match(otherName.message, /for another host name/);
  const plain = await failureOf(tokensOf({ ...given, tokenUrl: server.tokenUrl.replace('http:', 'https:') }));
  assert.match(plain.message, /does not speak TLS/);
  secure.stop();
});

const forbidden = [
  'http://169.254.169.254/token',
  'http://2852039166/token',
  'http://0xa9fea9fe/token',
  'http://[::ffff:169.254.169.254]/token',
  'http://[fe80::1]/token',
  'http://[fd00:ec2::254]/token',
  'http://100.100.100.200/token',
];
test('metadata services and link-local addresses are never asked, however they are written or named', async () => {
  for (const tokenUrl of forbidden) assert.match((await failureOf(tokensOf({ tokenUrl }))).message, /is not asked/);
  const named = tokensOf({ tokenUrl: 'http://login.test/token' }, systemClock, () =>
    Promise.resolve(['127.0.0.1', '169.254.169.254']),
  );
  assert.match((await failureOf(named)).message, /login\.test leads to 169\.254\.169\.254, which is link-local/);
});

test('a name is resolved once for a request: what was checked is what is dialled', async () => {
  await usual();
  let asked = 0;
  const rebinding = (): Promise<string[]> => Promise.resolve([asked++ === 0 ? '127.0.0.1' : '169.254.169.254']);
  const tokens = tokensOf({ tokenUrl: server.tokenUrl.replace('127.0.0.1', 'login.test') }, systemClock, rebinding);
  assert.ok((await tokens.get()).value);
  assert.equal(asked, 1);
});
