/** One connection to one broker: dialled, authenticated, its API versions known. Wraps the client's own connection. */
import {
  Connection,
  apiVersionsV1,
  apiVersionsV3,
  findErrorBy,
  type ConnectionOptions,
  type Reader,
  type Writer,
} from '@platformatic/kafka';
import { isIP } from 'node:net';
import { systemClock } from '../../base/clock.ts';
import type { BrokerAddress } from '../../model/index.ts';
import { guardFrames } from './frame-guard.ts';
import { watchSession } from './session.ts';

export interface ConnectionSettings {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly security: Security;
  /** Requests under way on one connection; 5 when absent. */
  readonly maxInFlight?: number;
  /** Answers that claim to be longer end the connection; absent: they are trusted. */
  readonly maxFrameBytes?: number;
}

/** TLS and SASL of a destination, as `security/` makes them. */
export interface Security {
  /**
   * What one connection to one broker takes, asked for at every dial, so that what was rotated meanwhile counts.
   * Throws HeadraceError when a certificate, a key or a token cannot be had.
   */
  forBroker(address: BrokerAddress): Promise<Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'>>;
}

/** The client's module of one version of one API, e.g. `metadataV12`. */
export interface ApiModule<Args extends unknown[], Response> {
  readonly api: ((
    connection: Connection,
    ...args: [...Args, (error: Error | null, response: Response) => void]
  ) => void) & {
    key: number;
    version: number;
  };
}

interface VersionsResponse {
  readonly apiKeys: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
}
type VersionsApi = ApiModule<[name: string, version: string], VersionsResponse>;

/** Requests under way on one connection; the broker takes them one after the other. */
const MAX_IN_FLIGHT = 5;

export class BrokerConnection {
  readonly address: BrokerAddress;
  readonly #connection: Connection;
  #versions = new Map<number, { min: number; max: number }>();
  #closed = false;
  /** What ended the connection, where it said so. */
  #failure: Error | null = null;
  #sessionLifetimeMs: number | null = null;
  #unanswered = 0;
  #onIdle: (() => void)[] = [];

  private constructor(address: BrokerAddress, connection: Connection) {
    this.address = address;
    this.#connection = connection;
    connection.on('close', () => (this.#closed = true));
    // Every failure also reaches the callback of the request it broke; without a listener it would end the process.
    connection.on('error', (error) => {
      this.#closed = true;
      this.#failure ??= error;
    });
  }

  /**
   * `host` is the address to dial where it is not the broker's name. Throws the client's error when it cannot connect or
   * authenticate, within the connect timeout.
   */
  static async open(
    address: BrokerAddress,
    settings: ConnectionSettings,
    host: string = address.host,
  ): Promise<BrokerConnection> {
    // A copy: the client writes into the options it is given.
    const security = await settings.security.forBroker(address);
    let sessionLifetimeMs: number | null = null;
    const sasl = security.sasl && watchSession(security.sasl, (lifetimeMs) => (sessionLifetimeMs = lifetimeMs));
    const connection = new Connection(settings.clientId, {
      connectTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.requestTimeoutMs,
      maxInflights: settings.maxInFlight ?? MAX_IN_FLIGHT,
      ...security,
      ...(sasl === undefined ? {} : { sasl }),
      // What is dialled is an address; certificates are made for the name.
      ...(security.tls === undefined || isIP(address.host) !== 0 || typeof security.tlsServerName === 'string'
        ? {}
        : { tlsServerName: address.host }),
    });
    const opened = new BrokerConnection(address, connection);
    try {
      await connection.connect(host, address.port);
      if (settings.maxFrameBytes !== undefined) guardFrames(connection.socket, settings.maxFrameBytes);
      await opened.#readVersions(settings.connectTimeoutMs);
      opened.#sessionLifetimeMs = sessionLifetimeMs;
      return opened;
    } catch (error) {
      await opened.close();
      // A broker refuses a client certificate only after the handshake: the request then fails for a connection that
      // was closed, and why it was is told beside it.
      throw opened.#failure ?? error;
    }
  }

  get usable(): boolean {
    return !this.#closed && this.#connection.isConnected();
  }

  /** How long the login counts, as the broker told at it; null: without end, or there is none. */
  get sessionLifetimeMs(): number | null {
    return this.#sessionLifetimeMs;
  }

  /** Resolves when nothing that was asked is unanswered. */
  whenIdle(): Promise<void> {
    if (this.#unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** The local address the broker was dialled from (for allow-lists). */
  get localAddress(): string | undefined {
    return this.#connection.socket?.localAddress;
  }

  /** The newest version both sides speak, or null. */
  version(apiKey: number, ours: { min: number; max: number }): number | null {
    const theirs = this.#versions.get(apiKey);
    if (theirs === undefined) return null;
    const version = Math.min(theirs.max, ours.max);
    return version >= Math.max(theirs.min, ours.min) ? version : null;
  }

  /** The range of an API as the broker told it. */
  range(apiKey: number): { min: number; max: number } | null {
    return this.#versions.get(apiKey) ?? null;
  }

  /** A request with our own payload and parser. */
  request<Response>(
    apiKey: number,
    version: number,
    payload: Writer,
    parse: (reader: Reader) => Response,
    flexible: boolean,
  ): Promise<Response> {
    return this.#ask((resolve, reject) => {
      this.#connection.send(
        apiKey,
        version,
        () => payload,
        (_correlationId, _apiKey, _apiVersion, reader) => parse(reader),
        flexible,
        flexible,
        (error: Error | null, response: unknown) => (error ? reject(error) : resolve(response as Response)),
      );
    });
  }

  /** A request by one of the client's own API modules; chosen by version from `modules` (newest first). */
  call<Args extends unknown[], Response>(
    modules: readonly ApiModule<Args, Response>[],
    ...args: Args
  ): Promise<Response> {
    const chosen = modules.find(({ api }) => this.version(api.key, { min: api.version, max: api.version }) !== null);
    if (chosen === undefined) {
      return Promise.reject(new UnsupportedApi(modules[0]!.api.key, this.range(modules[0]!.api.key)));
    }
    return this.#ask((resolve, reject) => {
      chosen.api(this.#connection, ...args, (error, response) =>
        error ? reject(error) : resolve(response as Response),
      );
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection.close().catch(() => undefined);
  }

  #ask<Response>(
    send: (resolve: (response: Response) => void, reject: (error: Error) => void) => void,
  ): Promise<Response> {
    this.#unanswered++;
    return new Promise(send).finally(() => {
      this.#unanswered--;
      if (this.#unanswered === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    });
  }

  /** A frozen broker takes the connection and says nothing: that may not last as long as a request may. */
  async #readVersions(timeoutMs: number): Promise<void> {
    const silent = Object.assign(new Error('the broker said nothing in time'), { code: 'ETIMEDOUT' });
    const cancel = systemClock.after(timeoutMs, () => this.#connection.socket.destroy(silent));
    try {
      await this.#askVersions();
    } finally {
      cancel();
    }
  }

  async #askVersions(): Promise<void> {
    const name = 'headrace';
    const response: VersionsResponse = await this.#raw(apiVersionsV3 as VersionsApi, name, '1').catch(
      (error: Error) => {
        // Brokers before 2.4 answer version 3 with an error and stay connected.
        if (findErrorBy(error, 'apiId', 'UNSUPPORTED_VERSION') === null) throw error;
        return this.#raw(apiVersionsV1 as VersionsApi, name, '1');
      },
    );
    this.#versions = new Map(response.apiKeys.map((one) => [one.apiKey, { min: one.minVersion, max: one.maxVersion }]));
  }

  #raw<Args extends unknown[], Response>(module: ApiModule<Args, Response>, ...args: Args): Promise<Response> {
    return new Promise((resolve, reject) => {
      module.api(this.#connection, ...args, (error, response) =>
        error ? reject(error) : resolve(response as Response),
      );
    });
  }
}

/** The broker does not speak any version of an API that is needed. */
export class UnsupportedApi extends Error {
  readonly apiKey: number;
  readonly range: { min: number; max: number } | null;

  constructor(apiKey: number, range: { min: number; max: number } | null) {
    super(
      `The broker offers no usable version of API ${apiKey}${range ? ` (it offers ${range.min} to ${range.max})` : ''}.`,
    );
    this.name = 'UnsupportedApi';
    this.apiKey = apiKey;
    this.range = range;
  }
}
