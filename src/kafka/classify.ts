/** Every client and broker error → retry, park, reject or stop, by the tables. The only place that decides. */
import { TimeoutError } from '@platformatic/kafka';
import { HeadraceError, type ErrorCode } from '../model/index.ts';
import { clientErrors, type ClientErrorRow } from './client-errors.ts';
import { kafkaErrors, unknownError, type Action, type ErrorRow } from './error-table.ts';
import { UnsupportedApi } from './wire/connection.ts';

export type { Action };

export interface Verdict {
  readonly action: Action;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly remedy: string;
  /** The metadata we acted on may be old: ask again first. */
  readonly stale: boolean;
  /** The broker no longer knows our producer: take a new identity, then send the same batch under it. */
  readonly identityLost: boolean;
}

/** Codes of our own errors (a token that cannot be had, say) that pass by themselves. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'kafka_unreachable',
  'kafka_unavailable',
  'token_unavailable',
  'overloaded',
]);

/** An error code that a broker answered for a partition or a request. */
export function classifyCode(errorCode: number, detail: string | null): Verdict {
  const row = kafkaErrors.get(errorCode);
  return row === undefined ? verdict(unknownError, `error ${errorCode}`, detail) : verdict(row, row.name, detail);
}

/** Anything thrown on the way: no connection, a timeout, a refused login, an answer that makes no sense. */
export function classifyError(thrown: unknown): Verdict {
  if (isOneForEachBroker(thrown)) {
    // A broker that refuses us tells more than another one that is away.
    const verdicts = thrown.errors.map(classifyError);
    return verdicts.find(({ action }) => action === 'stop') ?? verdicts.at(-1)!;
  }
  const chain = [...causes(thrown)];
  for (const error of chain) {
    if (error instanceof UnsupportedApi)
      return verdict(
        { ...kafkaErrors.get(35)!, reason: error.message.replace(/\.$/, '') },
        'UNSUPPORTED_VERSION',
        null,
      );
    if (error instanceof HeadraceError) return ofOurOwn(error);
    const code = (error as { apiCode?: unknown }).apiCode;
    if (typeof code === 'number') return withoutRejection(classifyCode(code, serverText(error)));
  }
  // A reset, a timeout, a refused connection: the request may or may not have been carried out.
  const row = clientRow(chain);
  const cause = reasonOf(thrown);
  return { ...verdict(row, '', null), reason: row.codes.includes('*') ? cause : `${row.reason}: ${cause}` };
}

/** A cause a person understands, out of an error and its causes. Never the request it belongs to. */
export function reasonOf(error: unknown): string {
  let deepest = error;
  for (let depth = 0; depth < 8; depth++) {
    const next = deeper(deepest);
    if (next === undefined) break;
    deepest = next;
  }
  if (!(deepest instanceof Error)) return String(deepest);
  return deepest.message === '' ? ((deepest as NodeJS.ErrnoException).code ?? deepest.name) : deepest.message;
}

function deeper(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.at(-1);
  return error instanceof Error && error.cause !== undefined ? error.cause : undefined;
}

/** Only the answer for a batch says anything about its messages: elsewhere such a code makes no sense. */
function withoutRejection(one: Verdict): Verdict {
  return one.action === 'reject' ? { ...one, action: 'stop', code: 'kafka_unexpected' } : one;
}

/** Several brokers were tried, and each failed in its way. The errors that the client gathers have a code. */
function isOneForEachBroker(thrown: unknown): thrown is AggregateError {
  return thrown instanceof AggregateError && !('code' in thrown) && thrown.errors.length > 0;
}

/** The error and what caused it, deepest first: what broke a login tells more than that the login broke. */
function* causes(thrown: unknown, depth = 0): Generator<Error> {
  if (depth > 8 || typeof thrown !== 'object' || thrown === null) return;
  if (thrown instanceof AggregateError) for (const error of thrown.errors) yield* causes(error, depth + 1);
  if (!(thrown instanceof Error)) return;
  if (thrown.cause !== undefined) yield* causes(thrown.cause, depth + 1);
  yield thrown;
}

function clientRow(chain: readonly Error[]): ClientErrorRow {
  const rows = chain.map(rowOf).filter((row) => row !== undefined);
  return rows.find((row) => !row.codes.includes('*')) ?? clientErrors.at(-1)!;
}

function rowOf(error: Error): ClientErrorRow | undefined {
  // The client gives its timeouts the code of a broken connection.
  const code = error instanceof TimeoutError ? 'PLT_KFK_TIMEOUT' : (error as NodeJS.ErrnoException).code;
  if (code === undefined) return undefined;
  return clientErrors.find(({ codes }) => codes.some((known) => fits(known, String(code))));
}

function fits(known: string, code: string): boolean {
  return known.endsWith('*') ? code.startsWith(known.slice(0, -1)) : known === code;
}

function ofOurOwn({ code, message, remedy }: HeadraceError): Verdict {
  const action = PASSING.has(code) ? 'retry' : 'stop';
  const reason = message.replace(/\.$/, '');
  return {
    action,
    code,
    reason,
    remedy: remedy ?? 'Correct the destination.',
    stale: action === 'retry',
    identityLost: false,
  };
}

function serverText(error: object): string | null {
  const text = (error as { serverErrorMessage?: unknown }).serverErrorMessage;
  return typeof text === 'string' ? text : null;
}

function verdict(
  { action, code, reason, remedy, stale, identityLost }: ErrorRow,
  name: string,
  detail: string | null,
): Verdict {
  const text = detail === null || detail === '' ? `${reason} (${name})` : `${reason} (${name}: ${detail})`;
  return { action, code, reason: text, remedy, stale: stale === true, identityLost: identityLost === true };
}
