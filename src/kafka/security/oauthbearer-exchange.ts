/** The words of the SASL mechanism OAUTHBEARER (RFC 7628), and why a broker refused a token. */
import { findErrorBy, type SASLOptions } from '@platformatic/kafka';
import { isoTime, type Clock } from '../../base/clock.ts';
import { HeadraceError } from '../../model/index.ts';
import { claimsOf, tidy } from './oauthbearer-claims.ts';

export interface Bearer {
  readonly token: string;
  readonly extensions: Readonly<Record<string, string>>;
  /** Whose token it is, for messages: `the token of client x from https://…`. */
  readonly what: string;
  /** What else might be wrong with it, and what to do: said when the broker refuses it. */
  readonly remedy: string;
  /** The token's maker's clock ahead of ours in milliseconds, where it is known. */
  readonly aheadMs?: number | null;
  /** Called when the broker refuses it, so that it is not used again. */
  readonly refused?: () => void;
}

/** Clocks that differ by less do no harm. */
export const CLOCK_TOLERANCE_MS = 30_000;
const SEPARATOR = '\x01';

/** The client's options; the token itself is in none of them, as they end up in errors and logs. */
export function bearerLogin(bearer: Bearer, destination: string, clock: Clock): SASLOptions {
  const first = Buffer.from(
    `n,,${SEPARATOR}auth=Bearer ${bearer.token}${Object.entries(bearer.extensions)
      .map(([name, value]) => `${SEPARATOR}${name}=${value}`)
      .join('')}${SEPARATOR}${SEPARATOR}`,
  );
  return {
    mechanism: 'OAUTHBEARER',
    authenticate(_mechanism, connection, api, _username, _password, _token, callback) {
      const fail = (error: Error, status: string): void => {
        const said = findErrorBy(error, 'apiId', 'SASL_AUTHENTICATION_FAILED');
        if (said === null) return callback(error);
        bearer.refused?.();
        const text = (said as { serverErrorMessage?: unknown }).serverErrorMessage;
        callback(refusal(bearer, destination, clock, status || (typeof text === 'string' ? tidy(text) : '')));
      };
      ask(api, connection, first, (error, response) => {
        if (error || response === undefined) return fail(error ?? new Error('the broker did not answer the login'), '');
        if (response.authBytes.length === 0) return callback(null, response);
        // A refusal comes as a challenge with the reason; the answer to it is one byte, and only then an error (RFC 7628).
        const status = statusOf(response.authBytes);
        ask(api, connection, Buffer.from(SEPARATOR), (failure, second) => {
          if (failure) fail(failure, status);
          else if (second === undefined) callback(new Error('the broker did not answer the login'));
          else callback(refusal(bearer, destination, clock, status));
        });
      });
    },
  };
}

/** Null when brokers take it, else what is wrong: a name of letters, a value of printable characters. */
export function extensionProblem(extensions: Readonly<Record<string, string>>): string | null {
  for (const [name, value] of Object.entries(extensions)) {
    if (!/^[A-Za-z]+$/.test(name))
      return `the extension ${JSON.stringify(tidy(name))} has another character than a letter in its name`;
    if (name === 'auth') return 'the extension "auth" has the name of the token itself';
    if (!/^[\x20-\x7e\t\r\n]*$/.test(value))
      return `the extension "${name}" has a character in its value that cannot be sent`;
  }
  return null;
}

type Authenticate = Parameters<NonNullable<SASLOptions['authenticate']>>;
type Ask = (connection: Authenticate[1], bytes: Buffer, callback: Authenticate[6]) => void;

function ask(api: Authenticate[2], ...rest: Parameters<Ask>): void {
  (api as unknown as Ask)(...rest);
}

function statusOf(authBytes: Buffer): string {
  try {
    const { status } = JSON.parse(authBytes.toString()) as { status?: unknown };
    return typeof status === 'string' ? tidy(status) : '';
  } catch {
    return '';
  }
}

function refusal(bearer: Bearer, destination: string, clock: Clock, said: string): HeadraceError {
  const quoted = said === '' ? '' : ` (${said.replace(/\.$/, '')})`;
  const { cause, remedy } = diagnosis(bearer, clock);
  return new HeadraceError('authentication_failed', `The broker refused ${bearer.what}${quoted}${cause}.`, {
    path: `destinations.${destination}.sasl`,
    remedy,
  });
}

function diagnosis(bearer: Bearer, clock: Clock): { cause: string; remedy: string } {
  const claims = claimsOf(bearer.token);
  const nowMs = clock.now();
  const aheadMs = bearer.aheadMs ?? 0;
  if (Math.abs(aheadMs) > CLOCK_TOLERANCE_MS)
    return {
      cause: `; the clock of the token server is ${apart(aheadMs)} the one here, at ${isoTime(nowMs)}`,
      remedy: 'Set the clocks of this machine, of the token server and of the brokers by NTP.',
    };
  const startMs = claims?.notBeforeMs ?? claims?.issuedAtMs ?? null;
  if (startMs !== null && startMs > nowMs + CLOCK_TOLERANCE_MS)
    return {
      cause: `; it counts from ${isoTime(startMs)}, and the clock here is at ${isoTime(nowMs)}`,
      remedy: 'Set the clocks of this machine and of the token server by NTP.',
    };
  if (claims?.expiresAtMs != null && claims.expiresAtMs <= nowMs)
    return {
      cause: `; it expired at ${isoTime(claims.expiresAtMs)}, and the clock here is at ${isoTime(nowMs)}`,
      remedy: 'Give a token that has not expired; where it should not have, set the clocks by NTP.',
    };
  const facts = [
    ...(claims?.issuer ? [`issuer ${claims.issuer}`] : []),
    ...(claims?.audience ? [`audience ${claims.audience}`] : []),
    ...(claims?.expiresAtMs == null ? [] : [`valid until ${isoTime(claims.expiresAtMs)}`]),
  ];
  return { cause: facts.length === 0 ? '' : `; it has ${facts.join(', ')}`, remedy: bearer.remedy };
}

/** `5 min ahead of`, `90 s behind`. */
export function apart(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const amount = seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
  return `${amount} ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}
