/** Broker addresses: a comma list or a YAML list, `host` meaning `host:9092`, IPv6 in brackets. */
import { isIPv6 } from 'node:net';
import type { BrokerAddress } from '../model/index.ts';
import type { At } from './report.ts';
import type { Spec } from './spec.ts';
import { describe } from './values.ts';

export const DEFAULT_PORT = 9092;

const example = 'localhost:9092, or kafka-1:9092,kafka-2:9092';
const addressPattern = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?))(?::(\d{1,5}))?$/;

export const brokers: Spec<readonly BrokerAddress[]> = {
  schema: {
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
    ],
  },
  read(value, at) {
    if (typeof value === 'string') return distinct(readList(value, at));
    if (!Array.isArray(value)) {
      return at.problem(`must be broker addresses, and is ${describe(value, at)}.`, `For example: ${example}`);
    }
    if (value.length === 0) return at.problem('is an empty list.', `For example: ${example}`);
    return distinct(value.flatMap((one: unknown, index) => readItem(one, at.child(index))));
  },
};

/** A host written alone: a name, or an IPv6 address with or without brackets; null when it is neither. */
export function hostName(text: string): string | null {
  if (isIPv6(text)) return text;
  const match = addressPattern.exec(text);
  return match === null || match[3] !== undefined ? null : (match[1] ?? match[2] ?? null);
}

type Read = BrokerAddress | undefined;

function readItem(value: unknown, at: At): Read[] {
  if (typeof value === 'string') return readList(value, at);
  return [at.problem(`must be a broker address, and is ${describe(value, at)}.`, `For example: ${example}`)];
}

function readList(text: string, at: At): Read[] {
  return text.split(',').map((one) => readAddress(one.trim(), text, at));
}

/** `list`: what it stands in. */
function readAddress(text: string, list: string, at: At): Read {
  const shown = shownOf(text, list, at);
  if (text === '') return at.problem('holds an empty address.', `Take out the comma too many. For example: ${example}`);
  if (text.includes('://')) {
    return at.problem(`has ${shown} with a scheme.`, 'Write host:port alone; how to connect is said by `protocol`.');
  }
  const match = addressPattern.exec(text);
  if (match === null) {
    const ipv6 = /^(?=.*:.*:)[0-9A-Fa-f:.]+(?:%\w+)?$/.test(text);
    const remedy = ipv6 ? 'Write an IPv6 address in brackets: [::1]:9092.' : `For example: ${example}`;
    return at.problem(`has ${shown}, which is no host:port.`, remedy);
  }
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (port < 1 || port > 65_535)
    return at.problem(`has ${shown}: a port is from 1 to 65535.`, `For example: ${example}`);
  return { host: match[1] ?? match[2]!, port };
}

/** What may be shown of an address that is none: pasted lines that lost their ends, or `user:password@host`, hold a login. */
function shownOf(text: string, list: string, at: At): string {
  if (at.isReferenced) return 'an address that came through a reference';
  if (/[=;"'@\\]/.test(list)) return 'text with more in it than addresses';
  const [first] = text.split(/\s/, 1);
  return first === text ? JSON.stringify(text) : `${JSON.stringify(first)} and more`;
}

function distinct(addresses: readonly Read[]): readonly BrokerAddress[] | undefined {
  const byText = new Map<string, BrokerAddress>();
  for (const address of addresses) {
    if (address === undefined) return undefined;
    byText.set(`${address.host} ${address.port}`, address);
  }
  return [...byText.values()];
}
