/** The collector's answers: status, headers and body. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../../model/index.ts';
import type { RejectedEvent } from './batch.ts';

/** An answer other than success. */
export interface Refusal {
  readonly status: 400 | 401 | 405 | 429 | 500 | 503;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string | null;
  readonly remedy: string;
  readonly retryAfterSeconds?: number;
}

const json = 'application/json';
const succeeded = '{"success":true}';
const succeededHeaders = ['Content-Type', json, 'Content-Length', String(succeeded.length)];
const batchSucceeded = '{"success":true,"rejected":[]}';
const batchSucceededHeaders = ['Content-Type', json, 'Content-Length', String(batchSucceeded.length)];

/** The event is safe. `newMessageId`: the id it was given where it had none, told in the header `X-Message-Id`. */
export function answerSingle(request: IncomingMessage, response: ServerResponse, newMessageId: string | null): void {
  const headers = newMessageId === null ? succeededHeaders : [...succeededHeaders, 'X-Message-Id', newMessageId];
  send(request, response, 200, headers, succeeded);
}

/** Every event of the batch that is not among the rejected is safe. */
export function answerBatch(
  request: IncomingMessage,
  response: ServerResponse,
  rejected: readonly RejectedEvent[],
): void {
  if (rejected.length === 0) return send(request, response, 200, batchSucceededHeaders, batchSucceeded);
  const body = JSON.stringify({ success: true, rejected });
  send(request, response, 200, ['Content-Type', json, 'Content-Length', String(Buffer.byteLength(body))], body);
}

export function answerRefusal(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { status, code, message, field, remedy, retryAfterSeconds } = refusal;
  const body = JSON.stringify({ success: false, code, message, ...(field == null ? {} : { field }), remedy });
  const headers = ['Content-Type', json, 'Content-Length', String(Buffer.byteLength(body))];
  if (retryAfterSeconds !== undefined) headers.push('Retry-After', String(retryAfterSeconds));
  if (status === 503) headers.push('Connection', 'close');
  if (status === 405) headers.push('Allow', 'POST, OPTIONS');
  send(request, response, status, headers, body);
}

/** Lets a page on another site post. Cached for a day: else each event would cost two requests. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  const headers = [
    'Access-Control-Allow-Methods',
    'POST, OPTIONS',
    'Access-Control-Allow-Headers',
    'authorization, content-type, content-encoding, anonymousid, sentat, writekey',
    'Access-Control-Max-Age',
    '86400',
  ];
  send(request, response, 204, headers, '');
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: readonly string[],
  body: string,
): void {
  if (response.destroyed) return; // the client went away; its events are safe or withdrawn all the same
  const { origin } = request.headers;
  response.writeHead(status, (origin === undefined ? headers : [...headers, ...corsHeaders(origin)]) as string[]);
  response.end(body);
}

// The origin itself, not `*`: browsers send their cookies' permission along, and then take no `*`.
function corsHeaders(origin: string): string[] {
  return ['Access-Control-Allow-Origin', origin, 'Access-Control-Allow-Credentials', 'true', 'Vary', 'Origin'];
}
