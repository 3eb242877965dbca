/** Who may use the API: whoever has its token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Secret } from '../base/secret.ts';

/** Compared as digests: neither the time nor the length of the answer tells anything of the token (S31). */
export function isAuthorized(headers: IncomingHttpHeaders, token: Secret): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token.reveal()));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
