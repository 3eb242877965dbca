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

/** Why nothing may connect to the address, or null when it may. Private and loopback addresses may, unless a list says which. */
export function refusedAddress(address: string): string | null {
  const plain = address.replace(/%.*$/, '');
  const version = isIP(plain);
  if (version === 0) return 'not an IP address';
  const family = version === 6 ? 'ipv6' : 'ipv4';
  const denied = lists.find(({ list }) => list.check(plain, family))?.what ?? null;
  if (allowed === null) return denied;
  const named = allowed.ranges.filter(({ list }) => list.check(plain, family));
  if (denied !== null) return named.some(({ isExpress }) => isExpress) ? null : denied;
  return named.length > 0 ? null : 'not among those that HEADRACE_ALLOWED_ADDRESSES lets pass';
}

/**
 * The list of whoever runs this program (S19): from now on nothing else is connected to; null: no list. What is refused by
 * itself stays so, unless a range that lies within it is named. Throws on what `isAddressRange` does not take.
 */
export function allowAddresses(texts: readonly string[] | null): void {
  allowed = texts === null ? null : { texts, ranges: texts.map(rangeOf) };
}

/** As it was given; null: there is no list. */
export function allowedAddresses(): readonly string[] | null {
  return allowed?.texts ?? null;
}

/** An address, or `address/bits`. */
export function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return (
    isIP(address) > 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  );
}

interface AllowedRange {
  readonly list: BlockList;
  /** It lies within what is refused by itself: whoever names it means it. */
  readonly isExpress: boolean;
}

let allowed: { readonly texts: readonly string[]; readonly ranges: readonly AllowedRange[] } | null = null;

function rangeOf(text: string): AllowedRange {
  if (!isAddressRange(text)) throw new Error(`${JSON.stringify(text)} is no address and no range of addresses`);
  const [address = '', given] = text.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const bits = given === undefined ? (family === 'ipv6' ? 128 : 32) : Number(given);
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  const isExpress = rules.some(
    ([prefix, least], at) =>
      (isIPv6(prefix) ? 'ipv6' : 'ipv4') === family && bits >= least && lists[at]!.list.check(address, family),
  );
  return { list, isExpress };
}

function halves(ipv4: string): [string, string] {
  const [a, b, c, d] = ipv4.split('.').map(Number) as [number, number, number, number];
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}
