/** What is dialled for a broker's name, and what never is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetsOf, type Resolver } from './addresses.ts';

const resolver = (...addresses: string[]): Resolver => ({
  addressesOf: () => Promise.resolve(addresses),
  nameOf: () => Promise.reject(new Error('no name')),
});
const broker = (host: string): { host: string; port: number } => ({ host, port: 9092 });

test('all addresses of a name are tried, or the first alone', async () => {
  const hosts = async (lookups: 'use_all_dns_ips' | 'default'): Promise<string[]> =>
    (await targetsOf(broker('kafka'), lookups, resolver('10.0.0.1', '10.0.0.2'))).map(({ host }) => host);
  assert.deepEqual(await hosts('use_all_dns_ips'), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(await hosts('default'), ['10.0.0.1']);
});

test('a metadata service is not dialled, by its address or by a name that leads there (S19)', async () => {
  const refused = /must not be connected to: it is .*metadata/;
  for (const host of ['169.254.169.254', 'fd00:ec2::254', '::ffff:169.254.169.254'])
    await assert.rejects(targetsOf(broker(host), 'use_all_dns_ips', resolver()), refused);
  await assert.rejects(targetsOf(broker('kafka'), 'use_all_dns_ips', resolver('10.0.0.1', '169.254.169.254')), refused);
  await assert.rejects(targetsOf(broker('kafka'), 'default', resolver('169.254.169.254')), refused);
});
