/** One HTTP request to a token endpoint: to an address that was checked and stays the same, without redirects, in bounded time and size. */
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { refusedAddress } from '../../base/address-guard.ts';

export interface FetchOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface PinnedFetch {
  /** PEM of each authority; null: the system's. */
  readonly ca: readonly string[] | null;
  /** All addresses of a name; the system's resolver unless given. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** An answer of a token endpoint is one or two KB. */
const MOST_BYTES = 256 * 1024;

/** The name leads to an address that nothing may connect to. */
export class AddressRefused extends Error {
  constructor(host: string, address: string, why: string) {
    super(host === address ? `${address} is ${why}` : `${host} leads to ${address}, which is ${why}`);
    this.name = 'AddressRefused';
  }
}

/** Rejects with AddressRefused, the system's or TLS's own error, or the signal's reason. */
export async function pinnedFetch(
  url: string,
  options: FetchOptions,
  { ca, resolve = all }: PinnedFetch,
): Promise<Response> {
  const { signal } = options;
  const target = new URL(url);
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = isIP(host) === 0 ? await untilAborted(resolve(host), signal) : [host];
  // One refused address among them is enough: which one is dialled is not ours to choose.
  for (const address of addresses) {
    const why = refusedAddress(address);
    if (why !== null) throw new AddressRefused(host, address, why);
  }
  const response = await send(target, options, ca, pinnedTo(addresses));
  const body = await bodyOf(response);
  const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as [string, string]);
  const status = response.statusCode ?? 0;
  const bodyless = status === 204 || status === 304;
  return new Response(bodyless ? null : body, { status: status < 200 || status > 599 ? 502 : status, headers });
}

function send(
  target: URL,
  options: FetchOptions,
  ca: readonly string[] | null,
  lookupPinned: LookupFunction,
): Promise<IncomingMessage> {
  const { method, headers, body, signal } = options;
  return new Promise((resolve, reject) => {
    const secure = target.protocol === 'https:';
    const request = (secure ? httpsRequest : httpRequest)(
      target,
      {
        method,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal,
        lookup: lookupPinned,
        // A connection of its own: nothing of an earlier configuration is used again.
        agent: false,
        ...(secure ? { ca: [...(ca ?? systemAuthorities())] } : {}),
      },
      resolve,
    );
    request.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    request.end(body);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) {
      response.destroy();
      throw new Error(`the answer is longer than ${MOST_BYTES / 1024} KB`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What Node brings, and what this machine trusts beside it. */
function systemAuthorities(): readonly string[] {
  return [...getCACertificates('default'), ...getCACertificates('system')];
}

function pinnedTo(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all: wantsAll }, callback) => {
    if (wantsAll) callback(null, entries);
    else callback(null, entries[0]!.address, entries[0]!.family);
  };
}

async function all(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** A name server that does not answer must not hold us; what it says later is nobody's. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => reject(signal.reason as Error);
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
