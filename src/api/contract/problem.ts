/** Errors as the API answers them (RFC 9457, `application/problem+json`), and back. */
import { HeadraceError, errorCodes, type ErrorCode } from '../../model/index.ts';

export interface ProblemDocument {
  readonly type: 'about:blank';
  /** What the code means. */
  readonly title: string;
  readonly status: number;
  /** What happened, for people. */
  readonly detail: string;
  readonly code: ErrorCode;
  /** The field at fault, where there is one. */
  readonly path?: string;
  readonly remedy?: string;
}

const statuses: Partial<Record<ErrorCode, number>> = {
  unauthorized: 401,
  not_found: 404,
  conflict: 409,
  too_many_rejected: 409,
  not_yet: 501,
  state_failed: 503,
  internal: 500,
  draining: 503,
  overloaded: 429,
  authentication_failed: 502,
  cluster_not_authorized: 502,
  kafka_unreachable: 502,
  kafka_unavailable: 502,
  kafka_unsupported: 502,
  kafka_unexpected: 502,
  tls_failed: 502,
  topic_missing: 404,
  topic_not_created: 502,
  topic_not_authorized: 502,
  source_failed: 502,
};

export function problemOf(error: HeadraceError): ProblemDocument {
  const { code, message, path, remedy } = error;
  return {
    type: 'about:blank',
    title: errorCodes[code].meaning,
    status: statuses[code] ?? 400,
    detail: message,
    code,
    ...(path === undefined ? {} : { path }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** Null when the value is no problem document. */
export function errorOf(value: unknown): HeadraceError | null {
  if (typeof value !== 'object' || value === null) return null;
  const { code, detail, path, remedy } = value as Partial<Record<keyof ProblemDocument, unknown>>;
  if (typeof code !== 'string' || typeof detail !== 'string') return null;
  // A newer server may know codes that this program does not.
  const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'internal';
  return new HeadraceError(known, detail, {
    ...(typeof path === 'string' ? { path } : {}),
    ...(typeof remedy === 'string' ? { remedy } : {}),
  });
}
