/** Addresses that no server of a customer has, and that hand out a machine's own credentials: never connected to. */
import { BlockList, isIP, isIPv6 } from 'node:net';

type Rule = readonly [prefix: string, bits: number, what: string];

const LINK_LOCAL = 'link-local, where clouds keep the metadata and credentials of a machine';
const METADATA = 'a metadata service, which hands out the credentials of a machine';
const NO_HOST = 'no address of a single server';

const rules: readonly Rule[] = [
  ['169.254.0.0', 16, LINK_LOCAL],
  ['fe80::', 10, LINK_LOCAL],
  ['fd00:ec2::', 32, METADATA],
  ['100.100.100.200', 32, METADATA],
  ['168.63.129.16', 32, METADATA],
  ['192.0.0.192', 32, METADATA],
  ['224.0.0.0', 3, NO_HOST],
  ['0.0.0.0', 8, NO_HOST],
  ['ff00::', 8, NO_HOST],
  ['::', 128, NO_HOST],
];

/** Each IPv4 rule also in the IPv6 forms that carry an IPv4 address: mapped, translated (NAT64) and 6to4. */
const lists = rules.map(([prefix, bits, what]) => {
  const list = new BlockList();
  if (isIPv6(prefix)) list.addSubnet(prefix, bits, 'ipv6');
  else {
    list.addSubnet(prefix, bits, 'ipv4');
    const [high, low] = halves(prefix);
    list.addSubnet(`::ffff:${high}:${low}`, 96 + bits, 'ipv6');
    list.addSubnet(`64:ff9b::${high}:${low}`, 96 + bits, 'ipv6');
    list.addSubnet(`2002:${high}:${low}::`, 16 + bits, 'ipv6');
  }
  return { list, what };
});

/** Why nothing may connect to the address, or null when it may. Private and loopback addresses may. */
export function refusedAddress(address: string): string | null {
  const plain = address.replace(/%.*$/, '');
  const family = isIP(plain);
  if (family === 0) return 'not an IP address';
  return lists.find(({ list }) => list.check(plain, family === 6 ? 'ipv6' : 'ipv4'))?.what ?? null;
}

function halves(ipv4: string): [string, string] {
  const [a, b, c, d] = ipv4.split('.').map(Number) as [number, number, number, number];
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}
