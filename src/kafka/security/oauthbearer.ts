/** OAUTHBEARER: logging in with a token that is made here, given, read from a file, or asked for by client credentials. */
import { readFile } from 'node:fs/promises';
import { isoTime } from '../../base/clock.ts';
import { HeadraceError, type OauthLogin, type OauthToken } from '../../model/index.ts';
import type { Mechanism, MechanismContext } from './mechanism.ts';
import { claimsOf, isTokenText } from './oauthbearer-claims.ts';
import { bearerLogin, extensionProblem, type Bearer } from './oauthbearer-exchange.ts';
import { OidcTokens, type OidcConfig } from './oidc.ts';
import { shownUrl } from './oidc-failures.ts';

type Source = () => Promise<Bearer>;
type ConfigOf<Kind> = Extract<OauthToken, { kind: Kind }>;

export const oauthBearer: Mechanism<OauthLogin> = ({ from }, context) => {
  const source = sourceOf(from, context);
  return async () => {
    const problem = extensionProblem(from.extensions);
    if (problem !== null)
      throw new HeadraceError('config_invalid', `Of the login, ${problem}.`, {
        path: `destinations.${context.destination}.sasl`,
        remedy: 'Write extensions as brokers take them, e.g. `logicalCluster: lkc-abc12`.',
      });
    return bearerLogin(await source(), context.destination, context.clock);
  };
};

const LISTENER =
  'Compare issuer and audience with sasl.oauthbearer.expected.issuer and sasl.oauthbearer.expected.audience of the listener, and see that the brokers can read its JWKS endpoint.';

function sourceOf(from: OauthToken, context: MechanismContext): Source {
  switch (from.kind) {
    case 'unsecured':
      return () => Promise.resolve(unsecured(from, context));
    case 'token':
      return () => Promise.resolve(given(from, context));
    case 'token_file':
      return () => fromFile(from, context);
    case 'oidc':
      return fromServer(from, context);
  }
}

/** A token that nobody signed: for development, as Kafka itself calls it. */
function unsecured(
  { principal, scope, lifeSeconds, extensions }: ConfigOf<'unsecured'>,
  { clock }: MechanismContext,
): Bearer {
  const nowSeconds = clock.now() / 1000;
  const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = {
    sub: principal,
    iat: nowSeconds,
    exp: nowSeconds + lifeSeconds,
    ...(scope.length === 0 ? {} : { scope }),
  };
  return {
    token: `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
    extensions,
    what: `the unsecured token of ${JSON.stringify(principal)}`,
    remedy:
      'Only a listener with the unsecured validator takes such tokens (OAuthBearerUnsecuredValidatorCallbackHandler); give another its token by `token_file` or `oidc`.',
  };
}

function given({ token, extensions }: ConfigOf<'token'>, context: MechanismContext): Bearer {
  const text = usable(
    token.current().trim(),
    context,
    'token',
    'Give another token, or use `token_file` or `oidc`, which are renewed.',
  );
  return { token: text, extensions, what: 'the token in `sasl.token`', remedy: LISTENER };
}

async function fromFile({ path, extensions }: ConfigOf<'token_file'>, context: MechanismContext): Promise<Bearer> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new HeadraceError(
      'token_unavailable',
      `The token file ${path} cannot be read: ${error.code ?? 'unknown error'}.`,
      {
        path: `destinations.${context.destination}.sasl.token_file`,
        remedy: 'See that the file is there and that this user may read it; it is read at each login.',
      },
    );
  });
  const token = usable(text.trim(), context, 'token_file', 'See that whatever writes the file renews it in time.');
  return { token, extensions, what: `the token in ${path}`, remedy: LISTENER };
}

function fromServer(config: OidcConfig, context: MechanismContext): Source {
  const tokens = new OidcTokens(config, context);
  return async () => {
    const token = await tokens.get();
    return {
      token: token.value,
      extensions: config.extensions,
      what: `the token of client ${config.clientId} from ${shownUrl(config.tokenUrl)}`,
      remedy: LISTENER,
      aheadMs: token.aheadMs,
      refused: () => tokens.drop(token),
    };
  };
}

/** The token, when it is one and has not expired by its own word. */
function usable(
  token: string,
  { clock, destination }: MechanismContext,
  field: 'token' | 'token_file',
  remedy: string,
): string {
  const path = `destinations.${destination}.sasl.${field}`;
  if (!isTokenText(token)) {
    const why = token === '' ? 'is empty' : 'is no token: it has characters that no token may have';
    throw new HeadraceError('authentication_failed', `What \`${field}\` gives ${why}.`, {
      path,
      remedy: 'Give the token alone, without "Bearer", quotes or line breaks.',
    });
  }
  const expiresAtMs = claimsOf(token)?.expiresAtMs ?? null;
  if (expiresAtMs !== null && expiresAtMs <= clock.now())
    throw new HeadraceError(
      field === 'token' ? 'authentication_failed' : 'token_unavailable',
      `What \`${field}\` gives expired at ${isoTime(expiresAtMs)}; the clock here is at ${isoTime(clock.now())}.`,
      { path, remedy },
    );
  return token;
}
