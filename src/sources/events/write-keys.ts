/** Write keys: which source a request speaks for. */
import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
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

/**
 * The write key in a request's head: the user of Basic authorization (with or without the colon), else the `writeKey`
 * header, else, where the route allows it, `writeKey` of the query. null: it may still stand in the body.
 */
export function keyOfHead(headers: IncomingHttpHeaders, url: string, keyInQuery: boolean): string | null {
  const authorization = headers.authorization;
  if (authorization !== undefined && basic.test(authorization)) {
    const credentials = Buffer.from(authorization.slice(6), 'base64').toString();
    const colon = credentials.indexOf(':');
    const user = colon < 0 ? credentials : credentials.slice(0, colon);
    if (user !== '') return user;
  }
  const header = headers['writekey'];
  if (typeof header === 'string' && header !== '') return header;
  if (!keyInQuery) return null;
  const queryStart = url.indexOf('?');
  return queryStart < 0 ? null : new URLSearchParams(url.slice(queryStart)).get('writeKey') || null;
}

const basic = /^basic /i;
