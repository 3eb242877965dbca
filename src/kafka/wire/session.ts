/** How long a login counts. A broker may say so at the login (`connections.max.reauth.ms`, or the end of a token). */
import {
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
  type SASLCustomAuthenticator,
  type SASLOptions,
} from '@platformatic/kafka';

/**
 * The login as given, except that its session's length is told to us and kept from the client. The client would log in
 * again on the same connection while requests go on being sent, between the two halves of the login: the broker then
 * takes them for a broken login and ends the connection. A connection is replaced instead, before its session ends.
 * `tell`: milliseconds, or null where the session has no end.
 */
export function watchSession(sasl: SASLOptions, tell: (lifetimeMs: number | null) => void): SASLOptions {
  const logIn = sasl.authenticate ?? ownLogin(sasl);
  return {
    ...sasl,
    authenticate(mechanism, connection, api, username, password, token, callback) {
      logIn(mechanism, connection, api, username, password, token, (error, response) => {
        if (error || response === undefined) return callback(error ?? new Error('the broker did not answer the login'));
        // Absent before version 1 of the answer.
        const lifetimeMs = Number((response as Partial<typeof response>).sessionLifetimeMs ?? 0);
        tell(lifetimeMs > 0 ? lifetimeMs : null);
        callback(null, { ...response, sessionLifetimeMs: 0n });
      });
    },
  };
}

/** What the client does when nothing is written in its place. */
function ownLogin({ oauthBearerExtensions }: SASLOptions): SASLCustomAuthenticator {
  return (mechanism, connection, api, username, password, token, callback) => {
    if (mechanism === 'PLAIN') saslPlain.authenticate(api, connection, username!, password!, callback);
    else if (mechanism === 'OAUTHBEARER')
      saslOAuthBearer.authenticate(api, connection, token!, oauthBearerExtensions ?? {}, callback);
    else {
      const algorithm = mechanism.slice('SCRAM-'.length) as saslScramSha.ScramAlgorithm;
      saslScramSha.authenticate(api, connection, algorithm, username!, password!, saslScramSha.defaultCrypto, callback);
    }
  };
}
