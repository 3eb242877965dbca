/** An OpenID Connect server as a process of its own: client credentials, tokens signed with RS256, a JWKS endpoint, faults on demand. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface OidcSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  /** How long tokens live. */
  readonly lifeSeconds: number;
  /** Where it takes the secret: in the header, in the form, or either. */
  readonly secretIn: 'header' | 'form' | 'either';
  /** Its clock, ahead of the real one. */
  readonly clockAheadMs: number;
  readonly fault:
    | null
    | 'refuse'
    | 'invalid_scope'
    | 'broken'
    | 'busy'
    | 'hang'
    | 'garbage'
    | 'page'
    | 'no token'
    | 'odd token'
    | 'redirect'
    | 'missing'
    | 'expired'
    | 'wrong key';
  /** Where it redirects to. */
  readonly redirectTo: string;
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

export type ToServer = { readonly id: number; readonly settings: Partial<OidcSettings> };
export type FromServer =
  { readonly port: number } | { readonly id: number; readonly tokens: number; readonly asked: number };

const USUAL: OidcSettings = {
  clientId: 'headrace',
  clientSecret: 'a secret',
  issuer: 'https://login.test/',
  audience: 'kafka',
  subject: 'headrace-service',
  lifeSeconds: 3600,
  secretIn: 'either',
  clockAheadMs: 0,
  fault: null,
  redirectTo: 'https://elsewhere.test/token?secret=1',
  tls: null,
};

if (process.send !== undefined) serve();

function serve(): void {
  let settings = USUAL;
  const counts = { asked: 0, tokens: 0 };
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const wrong = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url').slice(0, 16);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.sendDate = false;
    response.setHeader('date', new Date(Date.now() + settings.clockAheadMs).toUTCString());
    if (request.url === '/jwks') return json(response, 200, { keys: [{ ...jwk, kid }] });
    if (request.url !== '/token') return json(response, 404, { error: 'not_found' });
    counts.asked++;
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    if (faulty(request, response, settings, form)) return undefined;
    const refused = refusal(request, form, settings);
    if (refused !== null) return json(response, refused.error === 'invalid_client' ? 401 : 400, refused);
    counts.tokens++;
    const { privateKey } = settings.fault === 'wrong key' ? wrong : keys;
    const lifeSeconds = settings.fault === 'expired' ? -60 : settings.lifeSeconds;
    const nowSeconds = (Date.now() + settings.clockAheadMs) / 1000;
    const { issuer: iss, audience: aud, subject: sub } = settings;
    const scope = form.get('scope') ?? 'kafka';
    const claims = { iss, aud, sub, iat: nowSeconds, exp: nowSeconds + lifeSeconds, jti: randomUUID(), scope };
    const encoded = [{ alg: 'RS256', typ: 'at+jwt', kid }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const signed = encoded.join('.');
    const token = `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    const expires = settings.fault === 'expired' ? {} : { expires_in: lifeSeconds };
    return json(response, 200, { access_token: token, token_type: 'Bearer', ...expires, scope });
  };
  let server = createHttp((request, response) => void answer(request, response));
  const listen = (): void => {
    server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
  };
  process.on('message', ({ id, settings: given }: ToServer) => {
    settings = { ...settings, ...given };
    if (given.tls) {
      server.close();
      server = createHttps(given.tls, (request, response) => void answer(request, response));
      listen();
    }
    tell({ id, ...counts });
  });
  process.on('disconnect', () => process.exit(0));
  listen();
}

function tell(message: FromServer): void {
  process.send!(message);
}

function faulty(
  request: IncomingMessage,
  response: ServerResponse,
  { fault, redirectTo }: OidcSettings,
  form: URLSearchParams,
): boolean {
  switch (fault) {
    case 'refuse': {
      // Some servers repeat what they were sent.
      const description = `unknown client, secret was ${form.get('client_secret') ?? inHeader(request)[1]}`;
      json(response, 401, { error: 'invalid_client', error_description: description });
      return true;
    }
    case 'invalid_scope':
      json(response, 400, { error: 'invalid_scope', error_description: 'no such scope' });
      return true;
    case 'broken':
      json(response, 500, { error: 'server_error' });
      return true;
    case 'busy':
      response.writeHead(429, { 'retry-after': '1' }).end();
      return true;
    case 'hang':
      return true;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token": "abc"');
      return true;
    case 'page':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please log in</h1>');
      return true;
    case 'no token':
      json(response, 200, { token_type: 'Bearer', expires_in: 60 });
      return true;
    case 'odd token':
      json(response, 200, { access_token: 'two words\u0001auth=x', token_type: 'Bearer', expires_in: 60 });
      return true;
    case 'redirect':
      response.writeHead(302, { location: redirectTo }).end();
      return true;
    case 'missing':
      response.writeHead(404).end('not here');
      return true;
    case 'expired':
    case 'wrong key':
    case null:
      return false;
  }
}

function refusal(request: IncomingMessage, form: URLSearchParams, settings: OidcSettings): { error: string } | null {
  if (request.method !== 'POST' || form.get('grant_type') !== 'client_credentials')
    return { error: 'unsupported_grant_type' };
  const [id, secret] = inHeader(request);
  const byHeader = id === settings.clientId && secret === settings.clientSecret;
  const byForm = form.get('client_id') === settings.clientId && form.get('client_secret') === settings.clientSecret;
  const known = { header: byHeader, form: byForm, either: byHeader || byForm }[settings.secretIn];
  return known ? null : { error: 'invalid_client' };
}

/** Client and secret, as the standard has them in the header. */
function inHeader(request: IncomingMessage): string[] {
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1];
  return basic === undefined ? [] : Buffer.from(basic, 'base64').toString().split(':').map(decodeForm);
}

function decodeForm(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
