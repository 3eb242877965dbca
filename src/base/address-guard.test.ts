/** Which addresses are refused, in all the forms they can be written in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowAddresses, allowedAddresses, isAddressRange, refusedAddress } from './address-guard.ts';

const refused = [
  '169.254.169.254',
  '169.254.170.2',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fd00:ec2::254',
  '100.100.100.200',
  '168.63.129.16',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  'ff02::1',
  'example.org',
];
const allowed = ['127.0.0.1', '::1', '10.0.0.7', '192.168.1.1', '100.100.100.201', 'fd12::1', 'fec0::1', '8.8.8.8'];

test('metadata, link-local and group addresses are refused in every form', () => {
  assert.deepEqual(
    refused.filter((address) => refusedAddress(address) === null),
    [],
  );
});

test('public, private and loopback addresses are not', () => {
  assert.deepEqual(
    allowed.filter((address) => refusedAddress(address) !== null),
    [],
  );
});

test('with a list only what it names may be connected to, in every form; metadata stays refused unless named itself (S19)', (t) => {
  t.after(() => allowAddresses(null));
  const mayPass = (list: readonly string[] | null, ...addresses: string[]): string[] => {
    allowAddresses(list);
    assert.equal(allowedAddresses(), list);
    return addresses.filter((address) => refusedAddress(address) === null);
  };
  const some = ['10.1.2.3', '::ffff:10.1.2.3', '10.2.0.1', '192.168.1.7', '192.168.1.8', '2001:db8::1', '8.8.8.8'];
  assert.deepEqual(mayPass(['10.1.0.0/16', '192.168.1.7', '2001:db8::/32'], ...some), [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '192.168.1.7',
    '2001:db8::1',
  ]);
  assert.deepEqual(mayPass([], ...some), []);
  assert.deepEqual(mayPass(null, ...some), some);
  const link = ['169.254.169.254', '169.254.10.1', '::ffff:169.254.169.254'];
  assert.deepEqual(mayPass(['0.0.0.0/0', '::/0', '169.0.0.0/8'], ...link), [], 'a wide range does not mean them');
  assert.deepEqual(mayPass(['169.254.10.0/24'], ...link), ['169.254.10.1']);
  allowAddresses(['10.0.0.0/8']);
  assert.match(refusedAddress('8.8.8.8') ?? '', /HEADRACE_ALLOWED_ADDRESSES/);
  assert.match(refusedAddress('169.254.169.254') ?? '', /metadata/);
});

test('ranges are read strictly', () => {
  for (const text of ['10.0.0.0/8', '10.0.0.1', '::1', 'fd00::/8', '0.0.0.0/0']) assert.ok(isAddressRange(text), text);
  for (const text of ['', '10.0.0/8', '10.0.0.0/33', '::1/129', '10.0.0.0/', '10.0.0.0/8/8', 'kafka', '10.0.0.0/-1'])
    assert.ok(!isAddressRange(text), text);
  assert.throws(() => allowAddresses(['kafka']), /no address/);
});
