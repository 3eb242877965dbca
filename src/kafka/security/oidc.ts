/** Tokens by OAuth 2 client credentials: one request for all connections of a destination, a new token before the old one ends. */
import { isFlaw, readCertificates } from '../../base/pem.ts';
import type { Secret } from '../../base/secret.ts';
import { isoTime, type Clock } from '../../base/clock.ts';
import { HeadraceError, type OauthToken } from '../../model/index.ts';
import type { MechanismContext } from './mechanism.ts';
import { claimsOf, isTokenText } from './oauthbearer-claims.ts';
import { CLOCK_TOLERANCE_MS, apart } from './oauthbearer-exchange.ts';
import { brokenRequest, refusedRequest, shownUrl, unusableAnswer } from './oidc-failures.ts';
import { pinnedFetch, type FetchOptions, type PinnedFetch } from './oidc-fetch.ts';

export type OidcConfig = Extract<OauthToken, { kind: 'oidc' }>;

export interface OidcToken {
  readonly value: string;
  /** The token server's clock ahead of ours; null when it does not tell the time. */
  readonly aheadMs: number | null;
}

interface Held extends OidcToken {
  readonly renewAtMs: number;
  readonly endAtMs: number;
}

/** How long one request may take, names and TLS included: less than the doctor has for a login, so that it can name it. */
const REQUEST_TIMEOUT_MS = 3_000;
/** Part of its life after which a token is replaced: connections get one that lasts a while. */
const RENEW_AFTER = 0.75;
/** With less of its life left it is no longer given out, when no other can be had. */
const USE_UNTIL = 0.95;

export class OidcTokens {
  readonly #config: OidcConfig;
  readonly #context: MechanismContext;
  readonly #resolve: PinnedFetch['resolve'];
  #held: Held | null = null;
  #asking: Promise<Held> | null = null;
  /** Servers take the client's secret in a header or in the form; which, is found out. */
  #inForm = false;

  constructor(config: OidcConfig, context: MechanismContext, resolve?: PinnedFetch['resolve']) {
    this.#config = config;
    this.#context = context;
    this.#resolve = resolve;
  }

  /** Throws HeadraceError when there is none: `token_unavailable` passes by itself, `authentication_failed` does not. */
  async get(): Promise<OidcToken> {
    const held = this.#held;
    const nowMs = this.#context.clock.monotonic();
    if (held !== null && nowMs < held.renewAtMs) return held;
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    try {
      return await this.#asking;
    } catch (error) {
      // The token server may be away for a while without anyone noticing.
      if (held !== null && this.#held === held && this.#context.clock.monotonic() < held.endAtMs) return held;
      throw error;
    }
  }

  /** The broker refused it: the next one is asked for. */
  drop(token: OidcToken): void {
    if (this.#held?.value === token.value) this.#held = null;
  }

  async #ask(): Promise<Held> {
    const startMs = this.#context.clock.monotonic();
    let answer = await this.#request(this.#inForm);
    if (answer.status === 401 || (answer.status === 400 && answer.error === 'invalid_client')) {
      const other = await this.#request(!this.#inForm);
      if (other.status === 200) this.#inForm = !this.#inForm;
      // Of two refusals the first one counts: it is the way that the standard asks for.
      if (other.status === 200 || this.#inForm) answer = other;
    }
    if (answer.status !== 200) throw refusedRequest(this.#about(), answer);
    this.#held = this.#checked(answer, startMs);
    return this.#held;
  }

  async #request(inForm: boolean): Promise<Answer> {
    const { clock } = this.#context;
    const controller = new AbortController();
    const stop = clock.after(REQUEST_TIMEOUT_MS, () => controller.abort(new Timeout()), { unref: true });
    try {
      return await requestToken(this.#config, inForm, {
        signal: controller.signal,
        clock,
        pinned: {
          ca: this.#authorities(),
          ...(this.#resolve === undefined ? {} : { resolve: this.#resolve }),
        },
      });
    } catch (error) {
      if (error instanceof HeadraceError) throw error;
      throw brokenRequest(this.#about(), controller.signal.aborted ? controller.signal.reason : error);
    } finally {
      stop();
    }
  }

  #authorities(): readonly string[] | null {
    const { ca } = this.#config;
    if (ca === null) return null;
    const read = readCertificates(ca.current());
    if (!isFlaw(read)) return read.map(String);
    const options = { path: `${this.#about().path}.ca`, remedy: read.remedy };
    throw new HeadraceError(
      'config_invalid',
      `The authority of the token server ${read.reason.replace(/\.$/, '')}.`,
      options,
    );
  }

  #checked({ token, problem, expiresInSeconds, aheadMs }: Answer, startMs: number): Held {
    if (token === null || !isTokenText(token))
      throw unusableAnswer(this.#about(), problem ?? 'its access_token has characters that no token may have');
    const claims = claimsOf(token);
    const nowMs = this.#context.clock.now();
    // Both by the clock of the server, as far as it tells: ours may be wrong.
    const serverMs = nowMs + (aheadMs ?? 0);
    const untilMs = claims?.expiresAtMs ?? null;
    const lifeMs = Math.min(
      expiresInSeconds === null ? Infinity : expiresInSeconds * 1000,
      (untilMs ?? Infinity) - serverMs,
    );
    if (lifeMs <= 0) throw this.#expired(untilMs, serverMs, aheadMs);
    // A token that does not say how long it lives is asked for anew at each login.
    const knownMs = Number.isFinite(lifeMs) ? lifeMs : 0;
    return {
      value: token,
      aheadMs,
      renewAtMs: startMs + knownMs * RENEW_AFTER,
      endAtMs: startMs + knownMs * USE_UNTIL,
    };
  }

  #expired(untilMs: number | null, serverMs: number, aheadMs: number | null): HeadraceError {
    const times =
      untilMs === null ? '' : `: it ended at ${isoTime(untilMs)}, and the server's clock is at ${isoTime(serverMs)}`;
    const skewed = aheadMs !== null && Math.abs(aheadMs) > CLOCK_TOLERANCE_MS;
    const skew = skewed ? ` (the server's clock is ${apart(aheadMs)} the one here)` : '';
    return new HeadraceError(
      'token_unavailable',
      `The token endpoint ${shownUrl(this.#config.tokenUrl)} gave a token that has already expired${times}${skew}.`,
      {
        path: this.#about().path,
        remedy: skewed
          ? 'Set the clocks of the token server and of this machine by NTP.'
          : 'Raise the lifetime of access tokens at the token server, and set its clock by NTP.',
      },
    );
  }

  #about(): { config: OidcConfig; path: string } {
    return { config: this.#config, path: `destinations.${this.#context.destination}.sasl.oidc` };
  }
}

/** What a token endpoint answered, read as far as it could be. */
export interface Answer {
  readonly status: number;
  readonly token: string | null;
  /** Why there is no token though the status is 200. */
  readonly problem: string | null;
  readonly expiresInSeconds: number | null;
  readonly error: string | null;
  readonly description: string | null;
  readonly location: string | null;
  readonly aheadMs: number | null;
}

export class Timeout extends Error {
  constructor() {
    super(`no answer within ${REQUEST_TIMEOUT_MS / 1000} s`);
    this.name = 'Timeout';
  }
}

interface Surroundings {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly pinned: PinnedFetch;
}

async function requestToken(
  config: OidcConfig,
  inForm: boolean,
  { signal, clock, pinned }: Surroundings,
): Promise<Answer> {
  const oauth = await import('oauth4webapi');
  const secret = (config.clientSecret satisfies Secret).current();
  const server = { issuer: new URL(config.tokenUrl).origin, token_endpoint: config.tokenUrl };
  const client = { client_id: config.clientId };
  let startMs = clock.now();
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    inForm ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret),
    new URLSearchParams({
      ...(config.scope === null ? {} : { scope: config.scope }),
      ...(config.audience === null ? {} : { audience: config.audience }),
    }),
    {
      signal,
      [oauth.allowInsecureRequests]: true,
      [oauth.customFetch]: (url, { method, headers, body }) => {
        startMs = clock.now();
        return pinnedFetch(url, { method, headers, body: String(body), signal } satisfies FetchOptions, pinned);
      },
    },
  );
  const aheadMs = aheadOf(response, startMs, clock.now());
  const empty = {
    token: null,
    problem: null,
    expiresInSeconds: null,
    error: null,
    description: null,
    location: response.headers.get('location'),
    aheadMs,
  };
  if (response.status !== 200) return { ...empty, status: response.status, ...(await errorIn(response)) };
  try {
    const { access_token: token, expires_in: expires } = await oauth.processClientCredentialsResponse(
      server,
      client,
      response,
    );
    return { ...empty, status: 200, token, expiresInSeconds: expires ?? null };
  } catch (error) {
    // The library's errors hold the whole answer, which may hold a token: only their words go on.
    return { ...empty, status: 200, problem: error instanceof Error ? wordsOf(error) : 'it cannot be read' };
  }
}

function wordsOf(error: Error): string {
  if (/JSON|content-type/i.test(error.message)) return 'it is not JSON';
  if (/access_token/.test(error.message)) return 'it has no access_token';
  if (/token_type/.test(error.message)) return 'its token_type is not Bearer';
  if (/expires_in/.test(error.message)) return 'its expires_in is no number of seconds that lie ahead';
  return 'it is no answer of a token endpoint';
}

async function errorIn(response: Response): Promise<Pick<Answer, 'error' | 'description'>> {
  try {
    const { error, error_description: description } = (await response.json()) as Record<string, unknown>;
    const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
    return { error: text(error), description: text(description) };
  } catch {
    return { error: null, description: null };
  }
}

/** By the header Date, which has whole seconds; null without it, or when the answer took too long to tell. */
function aheadOf(response: Response, startMs: number, endMs: number): number | null {
  const toldMs = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(toldMs)) return null;
  const aheadMs = toldMs + 500 - (startMs + endMs) / 2;
  return Math.abs(aheadMs) <= 1000 + (endMs - startMs) / 2 ? 0 : aheadMs;
}
