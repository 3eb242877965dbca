/** What a token says of itself, read without checking it: that is the broker's part. */

export interface Claims {
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly subject: string | null;
  /** Epoch milliseconds. */
  readonly issuedAtMs: number | null;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
}

/** Characters that a bearer token may have (RFC 6750); anything else would end the field it is sent in. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

export function isTokenText(text: string): boolean {
  return TOKEN.test(text);
}

/** Null when it is no JSON Web Token: an opaque one says nothing. */
export function claimsOf(token: string): Claims | null {
  const parts = token.split('.');
  if (parts.length !== 3) return null;
  const claims = parsed(parts[1]!);
  if (claims === null) return null;
  const text = (name: string): string | null => {
    const value = claims[name];
    if (typeof value === 'string') return tidy(value);
    return Array.isArray(value) ? tidy(value.filter((one) => typeof one === 'string').join(', ')) : null;
  };
  const time = (name: string): number | null => {
    const value = claims[name];
    return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : null;
  };
  return {
    issuer: text('iss'),
    audience: text('aud'),
    subject: text('sub'),
    issuedAtMs: time('iat'),
    notBeforeMs: time('nbf'),
    expiresAtMs: time('exp'),
  };
}

function parsed(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Text from elsewhere, fit for a message: one line, not endless. */
export function tidy(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
