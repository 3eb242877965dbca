/** Every way the collector says no, in one place: each its own clear answer (Promise 10). */
import type { Refusal } from './answers.ts';
import { maxDepth } from './depth.ts';
import type { EventFault } from './event.ts';

/**
 * The vendors' SDKs drop events for good on any 4xx but 429, and wait as told on 429: so what is only not possible
 * now is 429 with Retry-After, and a 4xx is said only of what can never succeed.
 */
export const refusals = {
  wrongMethod: {
    status: 405,
    code: 'not_found',
    message: 'This address takes POST only.',
    remedy: 'Post the event as JSON.',
  },
  noKey: {
    status: 401,
    code: 'write_key_unknown',
    message: 'The request has no write key.',
    field: 'writeKey',
    remedy: 'Send the write key of an events source as the user of Basic authorization, or as writeKey in the body.',
  },
  unknownKey: {
    status: 401,
    code: 'write_key_unknown',
    message: 'The write key is not known.',
    field: 'writeKey',
    remedy: 'Use the write_key of an events source.',
  },
  disabled: {
    status: 429,
    code: 'source_disabled',
    message: 'The source of this write key is disabled.',
    remedy: 'Enable the source, or try again later.',
    retryAfterSeconds: 60,
  },
  draining: {
    status: 503,
    code: 'draining',
    message: 'Headrace is shutting down.',
    remedy: 'Send it again in a moment.',
    retryAfterSeconds: 5,
  },
  tooManyWaiting: {
    status: 429,
    code: 'overloaded',
    message: 'Too much is waiting for Kafka already.',
    remedy: 'Send it again after the time given.',
    retryAfterSeconds: 2,
  },
  tooManyUploads: {
    status: 429,
    code: 'overloaded',
    message: 'Too many unfinished uploads at once, and this was the oldest.',
    remedy: 'Send it again after the time given, faster or in smaller batches.',
    retryAfterSeconds: 2,
  },
  fault: {
    status: 500,
    code: 'internal',
    message: 'A fault of Headrace itself; the event may or may not have been taken.',
    remedy: 'Send it again; if it stays so, look at the log.',
  },
  unknownEncoding: {
    status: 400,
    code: 'json_invalid',
    message: 'The Content-Encoding is not known.',
    field: 'Content-Encoding',
    remedy: 'Send the body plain, or packed once with gzip, deflate, br or zstd.',
  },
  wrongEncoding: (encoding: string): Refusal => ({
    status: 400,
    code: 'json_invalid',
    message: `The body cannot be unpacked as ${encoding}.`,
    field: 'Content-Encoding',
    remedy: 'Send the body as its Content-Encoding says.',
  }),
  batchTooLarge: (maxBytes: number): Refusal => ({
    status: 400,
    code: 'event_too_large',
    message: `The batch is larger than ${maxBytes} bytes.`,
    field: 'batch',
    remedy: 'Send several smaller batches.',
  }),
  unavailable: (reason: string, retryAfterSeconds: number): Refusal => ({
    status: 429,
    code: 'overloaded',
    message: reason,
    remedy: 'Send it again after the time given.',
    retryAfterSeconds: Math.max(1, Math.ceil(retryAfterSeconds)),
  }),
  notUtf8: {
    code: 'json_invalid',
    message: 'The body is not UTF-8.',
    field: null,
    remedy: 'Send JSON in UTF-8.',
  },
  tooDeep: {
    code: 'json_invalid',
    message: `The body is nested far more than ${maxDepth} levels deep.`,
    field: null,
    remedy: 'Send flatter properties, or the deep part as text.',
  },
  tooManyEvents: (count: number, most: number): EventFault => ({
    code: 'event_too_large',
    message: `The batch has ${count} events, more than ${most}.`,
    field: 'batch',
    remedy: 'Send several smaller batches.',
  }),
  /** Says where, but nothing of what stands there: the body may hold what is nobody else's business. */
  notJson: (body: Buffer, error: SyntaxError): EventFault => {
    const position = /at position (\d+)/.exec(error.message)?.[1];
    const where = position === undefined ? '' : ` (at character ${Number(position) + 1})`;
    return {
      code: 'json_invalid',
      message: body.length === 0 ? 'The body is empty.' : `The body is not JSON${where}.`,
      field: null,
      remedy: 'Send one JSON object.',
    };
  },
} as const satisfies Record<string, Refusal | EventFault | ((...values: never[]) => Refusal | EventFault)>;
