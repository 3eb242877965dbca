/** What a token endpoint may do wrong, in words: cause and remedy, without anything that is secret. */
import { HeadraceError, type ErrorCode } from '../../model/index.ts';
import { tidy } from './oauthbearer-claims.ts';
import type { Answer, OidcConfig } from './oidc.ts';
import { AddressRefused } from './oidc-fetch.ts';

interface About {
  readonly config: OidcConfig;
  readonly path: string;
}

/** Without user, password and query. */
export function shownUrl(url: string): string {
  try {
    const { origin, pathname } = new URL(url);
    return `${origin}${pathname}`;
  } catch {
    return 'of the configuration';
  }
}

/** No answer came. */
export function brokenRequest(about: About, thrown: unknown): HeadraceError {
  const url = shownUrl(about.config.tokenUrl);
  if (thrown instanceof AddressRefused)
    return failure(
      about,
      'authentication_failed',
      `The token endpoint ${url} is not asked: ${thrown.message}`,
      'Write the address of the token server as `token_url`; metadata services and link-local addresses are never asked.',
    );
  const { code, message } = systemError(thrown);
  const [cause, remedy] = network(code, about.config) ?? [
    tidy(message).replace(/\.$/, ''),
    'Check `token_url`, and that this machine can reach the token server.',
  ];
  return failure(about, 'token_unavailable', `The token endpoint ${url} cannot be reached: ${cause}`, remedy);
}

function systemError(thrown: unknown): { code: string; message: string } {
  let error = thrown;
  if (error instanceof AggregateError && error.errors.length > 0) error = error.errors.at(-1);
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  if (error.cause instanceof Error && (error as NodeJS.ErrnoException).code === undefined) error = error.cause;
  const { code, message, name } = error as NodeJS.ErrnoException;
  return { code: code ?? '', message: message === '' ? (code ?? name) : message };
}

function network(code: string, { ca }: OidcConfig): [cause: string, remedy: string] | null {
  switch (code) {
    case 'ENOTFOUND':
      return ['its host name is unknown', 'Correct the host in `token_url`, or the name server of this machine.'];
    case 'EAI_AGAIN':
      return ['the name server does not answer', 'Check the name server of this machine; it is tried again.'];
    case 'ECONNREFUSED':
      return ['the connection is refused', 'Check the port in `token_url`, and that the token server runs.'];
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return [
        `its certificate is not signed by ${ca === null ? 'an authority that this machine knows' : 'the authority in `ca`'}`,
        'Give the certificate of the authority that signed it as `ca` under `oidc`.',
      ];
    case 'CERT_HAS_EXPIRED':
      return [
        'its certificate has expired',
        'Renew the certificate of the token server, or set the clock here by NTP.',
      ];
    case 'CERT_NOT_YET_VALID':
      return ['its certificate is not valid yet', 'Set the clocks of this machine and of the token server by NTP.'];
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return ['its certificate is for another host name', 'Write the host in `token_url` as the certificate has it.'];
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'EPROTO':
      return [
        'it does not speak TLS',
        'Write `http:` in `token_url` if it is meant to be plain, or the port that speaks TLS.',
      ];
    default:
      return null;
  }
}

/** It answered with another status than 200. */
export function refusedRequest(about: About, answer: Answer): HeadraceError {
  const { config } = about;
  const url = shownUrl(config.tokenUrl);
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const to = answer.location === null ? '' : ` to ${shownUrl(new URL(answer.location, config.tokenUrl).href)}`;
    return failure(
      about,
      'authentication_failed',
      `The token endpoint ${url} answered with a redirect${to} (${status}), which is not followed`,
      'Write the final address as `token_url`.',
    );
  }
  const said = [answer.error, answer.description].filter((text) => text !== null).map((text) => shown(text, config));
  const quoted = said.length === 0 ? `${status}` : `${status}: ${said.join(', ')}`;
  const [code, what, remedy] = refusals(answer);
  return failure(about, code, `The token endpoint ${url} ${what} (${quoted})`, remedy);
}

function refusals({ status, error }: Answer): [code: ErrorCode, what: string, remedy: string] {
  if (error === 'invalid_scope')
    return ['authentication_failed', 'does not know the scope', 'Correct `scope`, or allow it for the client.'];
  if (error === 'invalid_target' || error === 'invalid_audience')
    return ['authentication_failed', 'does not know the audience', 'Correct `audience`, or allow it for the client.'];
  if (error === 'unauthorized_client' || error === 'unsupported_grant_type')
    return [
      'authentication_failed',
      'does not let the client log in by its own credentials',
      'Switch the grant "client credentials" on for the client at the token server.',
    ];
  if (status === 401 || error === 'invalid_client')
    return [
      'authentication_failed',
      'refused the client',
      'Check `client_id` and `client_secret`: the secret may have been replaced or have expired.',
    ];
  if (status === 403)
    return ['authentication_failed', 'forbids it', 'Allow the client to ask for tokens, from this machine too.'];
  if (status === 404 || status === 405 || status === 410)
    return [
      'authentication_failed',
      'is no token endpoint',
      'Write the `token_endpoint` that the server names in /.well-known/openid-configuration.',
    ];
  if (status === 429)
    return ['token_unavailable', 'is asked too often', 'Nothing to do: it is tried again; or raise the limit.'];
  if (status >= 500)
    return ['token_unavailable', 'has a fault of its own', 'Look into the log of the token server; it is tried again.'];
  return ['authentication_failed', 'refused the request', 'Check `client_id`, `scope` and `audience`.'];
}

/** It answered 200 with something that is no token. */
export function unusableAnswer(about: About, why: string): HeadraceError {
  return failure(
    about,
    'token_unavailable',
    `The token endpoint ${shownUrl(about.config.tokenUrl)} answered, but ${why}`,
    'Check `token_url`: a proxy or a login page may answer in its place.',
  );
}

/** A server may repeat what it was sent. Promise 8. */
function shown(text: string, { clientId, clientSecret }: OidcConfig): string {
  const secret = clientSecret.reveal();
  const forms = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`${clientId}:${secret}`).toString('base64'),
  ];
  let safe = text;
  if (secret !== '') for (const form of forms) safe = safe.replaceAll(form, '******');
  return tidy(safe).replace(/\.$/, '');
}

function failure({ path }: About, code: ErrorCode, message: string, remedy: string): HeadraceError {
  return new HeadraceError(code, `${message}.`, { path, remedy });
}
