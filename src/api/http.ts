/** The one port: collector first, everything else to the API; closed in order. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { HeadraceError } from '../model/index.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly settings: ServerOptions;
  readonly maxConnections: number;
  readonly clock: Clock;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class HttpFront {
  readonly #server: Server;
  readonly #options: HttpOptions;
  #handler: Handler = (_request, response) => void response.writeHead(503, { 'retry-after': '1' }).end();
  #active = 0;
  #idle: (() => void) | null = null;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#server = createServer(options.settings, (request, response) => {
      this.#active++;
      response.once('close', () => {
        if (--this.#active === 0) this.#idle?.();
      });
      this.#handler(request, response);
    });
    this.#server.maxConnections = options.maxConnections;
  }

  /** Answers the address a client on this machine uses, e.g. `http://127.0.0.1:8080`. Throws HeadraceError `conflict`. */
  listen(): Promise<string> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(host, port, error)));
      this.#server.listen({ host, port }, () => resolve(this.#address()));
    });
  }

  /** Until then every request is answered 503. */
  serve(handler: Handler): void {
    this.#handler = handler;
  }

  /** Resolves when no request is under way, or after `limitMs`; then ends every connection. */
  async close(limitMs: number): Promise<void> {
    this.#server.close();
    if (this.#active > 0) {
      const waited = new AbortController();
      const idle = new Promise<void>((resolve) => (this.#idle = resolve));
      await Promise.race([idle, this.#options.clock.sleep(limitMs, waited.signal)]);
      waited.abort();
    }
    this.#server.closeAllConnections();
  }

  #address(): string {
    const { port } = this.#server.address() as AddressInfo;
    const { host } = this.#options;
    // All addresses: this machine's own is one of them.
    const reachable = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host;
    return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
  }
}

function listenError(host: string, port: number, error: NodeJS.ErrnoException): HeadraceError {
  const [message, remedy] =
    error.code === 'EADDRINUSE'
      ? [`Port ${port} is taken by another program.`, 'Name another with --port or PORT; 0 takes a free one.']
      : error.code === 'EACCES'
        ? [`This user may not listen on port ${port}.`, 'Name one above 1023 with --port or PORT.']
        : [`It cannot listen on ${host}, port ${port}: ${error.message}.`, 'Name another address with --host.'];
  return new HeadraceError('conflict', message, { remedy, cause: error });
}
