/** Which addresses are refused, in all the forms they can be written in. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedAddress } from './address-guard.ts';

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
