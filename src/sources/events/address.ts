/** The sender's address, as far as it can be believed. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Says from which address a request came; null where the connection is gone already. */
export type AddressOf = (request: IncomingMessage) => string | null;

/**
 * Without trusted proxies the address of the connection, whatever headers say. With them (addresses or CIDR ranges):
 * the last address of `X-Forwarded-For` that is not a trusted proxy's, where the connection itself is from one.
 * Throws RangeError for a proxy that is no address or range.
 */
export function createAddressOf(trustedProxies: readonly string[]): AddressOf {
  if (trustedProxies.length === 0) return (request) => plainAddress(request.socket.remoteAddress);
  const trusted = new BlockList();
  for (const proxy of trustedProxies) addProxy(trusted, proxy);
  return (request) => {
    let address = plainAddress(request.socket.remoteAddress);
    const forwarded = request.headers['x-forwarded-for'];
    if (typeof forwarded !== 'string') return address;
    const hops = forwarded.split(',');
    while (address !== null && hops.length > 0 && isTrusted(trusted, address)) {
      const hop = plainAddress(hops.pop()!.trim());
      if (hop === null || isIP(hop) === 0) return address;
      address = hop;
    }
    return address;
  };
}

function addProxy(trusted: BlockList, proxy: string): void {
  const [address = '', prefix] = proxy.split('/');
  const version = isIP(address);
  const bits = prefix === undefined ? null : Number(prefix);
  const isPrefix = bits === null || (/^\d+$/.test(prefix!) && bits <= (version === 4 ? 32 : 128));
  if (version === 0 || !isPrefix)
    throw new RangeError(`${JSON.stringify(proxy)} is neither an IP address nor a range such as 10.0.0.0/8`);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (bits === null) trusted.addAddress(address, family);
  else trusted.addSubnet(address, bits, family);
}

function isTrusted(trusted: BlockList, address: string): boolean {
  return trusted.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}

/** IPv4 in its own form also where the socket speaks IPv6. */
function plainAddress(address: string | undefined): string | null {
  if (address === undefined) return null;
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
