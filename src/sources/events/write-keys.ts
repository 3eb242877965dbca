/** Write keys: which source a request speaks for. */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { randomHex } from '../../base/random.ts';
import type { EventsSourceConfig } from '../../model/index.ts';

/**
 * Finds a source by its write key. Keys are compared as salted SHA-256 digests: how long a look-up takes says
 * nothing about how much of a guessed key is right (S31). Build a new one when the configuration changes.
 */
export class WriteKeys {
  /** The largest limits of all sources: what may be read before a key in the body is known. */
  readonly maxEventBytes: number;
  readonly maxBatchBytes: number;
  readonly maxBatchEvents: number;
  readonly #salt = randomHex(16);
  readonly #sources = new Map<string, EventsSourceConfig>();

  constructor(sources: Iterable<EventsSourceConfig>) {
    let maxEventBytes = 0;
    let maxBatchBytes = 0;
    let maxBatchEvents = 0;
    for (const source of sources) {
      this.#sources.set(this.#digest(source.writeKey.reveal()), source);
      maxEventBytes = Math.max(maxEventBytes, source.maxEventBytes);
      maxBatchBytes = Math.max(maxBatchBytes, source.maxBatchBytes);
      maxBatchEvents = Math.max(maxBatchEvents, source.maxBatchEvents);
    }
    this.maxEventBytes = maxEventBytes;
    this.maxBatchBytes = maxBatchBytes;
    this.maxBatchEvents = maxBatchEvents;
  }

  /** The source of this key, enabled or not; undefined when no source has it. */
  find(key: string): EventsSourceConfig | undefined {
    return this.#sources.get(this.#digest(key));
  }

  #digest(key: string): string {
    return hash('sha256', this.#salt + key, 'binary');
  }
}

/** What a request's head says of its source. */
export type HeadSource =
  | { readonly state: 'found'; readonly source: EventsSourceConfig }
  | { readonly state: 'unknown' }
  /** No key: it may still stand in the body. */
  | { readonly state: 'unsaid' };

/**
 * The source that a request's head names: by the user of Basic authorization (with or without the colon), else by the
 * `writeKey` header, else, where the route allows it, by `writeKey` of the query. A connection that has shown a key
 * which is known and shows the same again is believed at once, without a digest. (Behind a proxy a connection carries
 * the requests of many: that comparison, too, takes the same time whatever is right in a guess.)
 */
export function sourceOfHead(keys: WriteKeys, request: IncomingMessage, keyInQuery: boolean): HeadSource {
  const { authorization } = request.headers;
  const shown = lastShown.get(request.socket);
  if (shown !== undefined && shown.keys === keys && isSame(shown.authorization, authorization)) return shown.found;
  const user = authorization === undefined ? null : userOf(authorization);
  const key = user ?? keyBeside(request, keyInQuery);
  if (key === null) return UNSAID;
  const source = keys.find(key);
  if (source === undefined) return UNKNOWN;
  const found = { state: 'found', source } as const;
  if (user !== null) lastShown.set(request.socket, { authorization: authorization!, keys, found });
  return found;
}

const UNSAID: HeadSource = { state: 'unsaid' };
const UNKNOWN: HeadSource = { state: 'unknown' };

interface Shown {
  /** Basic authorization: it alone names the source. */
  readonly authorization: string;
  readonly keys: WriteKeys;
  readonly found: HeadSource;
}

const lastShown = new WeakMap<Socket, Shown>();

/** Looks at every character, whatever the first difference. */
function isSame(known: string, guess: string | undefined): boolean {
  if (guess === undefined || guess.length !== known.length) return false;
  let difference = 0;
  for (let index = 0; index < known.length; index++) difference |= known.charCodeAt(index) ^ guess.charCodeAt(index);
  return difference === 0;
}

const basic = /^basic /i;

function userOf(authorization: string): string | null {
  if (!basic.test(authorization)) return null;
  const credentials = Buffer.from(authorization.slice(6), 'base64').toString();
  const colon = credentials.indexOf(':');
  return (colon < 0 ? credentials : credentials.slice(0, colon)) || null;
}

function keyBeside(request: IncomingMessage, keyInQuery: boolean): string | null {
  const header = request.headers['writekey'];
  if (typeof header === 'string' && header !== '') return header;
  const url = request.url ?? '';
  const queryStart = url.indexOf('?');
  if (!keyInQuery || queryStart < 0) return null;
  return new URLSearchParams(url.slice(queryStart)).get('writeKey') || null;
}
