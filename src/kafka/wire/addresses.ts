/** From the name of a broker to what is dialled: which of its addresses, and how long each may take. */
import { lookup, lookupService } from 'node:dns/promises';
import { isIP } from 'node:net';
import { refusedAddress } from '../../base/address-guard.ts';
import { HeadraceError, type BrokerAddress, type ClientDnsLookup } from '../../model/index.ts';

/** Names to addresses and back: the system's, or a test's. */
export interface Resolver {
  /** All addresses of a name, in the order in which they are to be tried. Throws when there is none. */
  addressesOf(host: string): Promise<readonly string[]>;
  /** The canonical name of an address. Throws when there is none. */
  nameOf(address: string): Promise<string>;
}

export const systemResolver: Resolver = {
  addressesOf: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  nameOf: async (address) => (await lookupService(address, 0)).hostname,
};

/** One place to dial. `broker` is who it is for TLS and SASL; `host` is the address. */
export interface DialTarget {
  readonly broker: BrokerAddress;
  readonly host: string;
}

/**
 * The addresses of one broker that are to be tried, in order. S19: what a cluster advertises is not trusted; a metadata
 * service or a link-local address gets no bytes, and no password. Throws the resolver's error, or HeadraceError.
 */
export async function targetsOf(
  broker: BrokerAddress,
  lookups: ClientDnsLookup,
  resolver: Resolver,
): Promise<DialTarget[]> {
  const hosts = isIP(broker.host) === 0 ? await resolver.addressesOf(broker.host) : [broker.host];
  for (const host of hosts) refuse(broker, host);
  const chosen = lookups === 'default' ? hosts.slice(0, 1) : hosts;
  return chosen.map((host) => ({ broker, host }));
}

function refuse({ host }: BrokerAddress, address: string): void {
  const why = refusedAddress(address);
  if (why === null) return;
  const what = host === address ? host : `${host} (${address})`;
  throw new HeadraceError('kafka_unreachable', `the broker's address ${what} must not be connected to: it is ${why}`, {
    remedy: 'Name the address of the broker itself, in `brokers` and in advertised.listeners of the brokers.',
  });
}

/**
 * The bootstrap brokers as they are to be named: with `resolve_canonical_bootstrap_servers_only` one for each address,
 * under its canonical name, which certificates and tickets are made for. An address without such a name keeps its own.
 */
export async function bootstrapBrokers(
  brokers: readonly BrokerAddress[],
  lookups: ClientDnsLookup,
  resolver: Resolver,
): Promise<readonly BrokerAddress[]> {
  if (lookups !== 'resolve_canonical_bootstrap_servers_only') return brokers;
  const named = await Promise.all(
    brokers.map(async ({ host, port }) => {
      const addresses = await resolver.addressesOf(host).catch(() => [host]);
      const names = await Promise.all(addresses.map((address) => resolver.nameOf(address).catch(() => address)));
      return names.map((name) => ({ host: name, port }));
    }),
  );
  const seen = new Set<string>();
  return named.flat().filter(({ host, port }) => {
    const known = seen.has(`${host}:${port}`);
    seen.add(`${host}:${port}`);
    return !known;
  });
}

/**
 * How long setting up a connection to each broker may take: doubled with each failure in a row up to the maximum, a fifth
 * more or less at random so that clients do not come back together (KIP-601).
 */
export class SetupTimeouts {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  readonly #failures = new Map<string, number>();

  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  nextMs(broker: BrokerAddress): number {
    const failures = this.#failures.get(keyOf(broker)) ?? 0;
    if (failures === 0) return this.#firstMs;
    const fullMs = Math.min(this.#firstMs * 2 ** Math.min(failures, 20), this.#maxMs);
    return Math.round(fullMs * (0.8 + 0.4 * this.#random()));
  }

  failed(broker: BrokerAddress): void {
    this.#failures.set(keyOf(broker), (this.#failures.get(keyOf(broker)) ?? 0) + 1);
  }

  connected(broker: BrokerAddress): void {
    this.#failures.delete(keyOf(broker));
  }
}

function keyOf({ host, port }: BrokerAddress): string {
  return `${host}:${port}`;
}
