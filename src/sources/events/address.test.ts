/** Whose address an event gets: the socket's, or what a trusted proxy says. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { startCollector } from '../../../test/support/collector.ts';
import type { RunningCollector } from '../../../test/support/collector.ts';
import { createAddressOf } from './address.ts';

function addressOf(proxies: readonly string[], connection: string | undefined, forwarded?: string): string | null {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return createAddressOf(proxies)({ headers, socket: { remoteAddress: connection } } as unknown as IncomingMessage);
}

test('without trusted proxies nobody is believed but the connection', () => {
  assert.equal(addressOf([], '198.51.100.1', '203.0.113.5'), '198.51.100.1');
  assert.equal(addressOf([], '::ffff:198.51.100.1'), '198.51.100.1');
  assert.equal(addressOf([], '2001:db8::1'), '2001:db8::1');
  assert.equal(addressOf([], undefined), null);
});

test('a trusted proxy is believed, and what its client claims is not', () => {
  const proxies = ['10.0.0.0/8', '2001:db8::/32'];
  assert.equal(addressOf(proxies, '10.1.2.3', '203.0.113.5'), '203.0.113.5');
  assert.equal(addressOf(proxies, '::ffff:10.1.2.3', '6.6.6.6, 203.0.113.5, 10.9.9.9'), '203.0.113.5');
  assert.equal(addressOf(proxies, '2001:db8::7', '2001:db9::1'), '2001:db9::1');
  assert.equal(addressOf(proxies, '198.51.100.1', '203.0.113.5'), '198.51.100.1', 'not from a proxy');
  assert.equal(addressOf(proxies, '10.1.2.3'), '10.1.2.3');
  assert.equal(addressOf(proxies, '10.1.2.3', '6.6.6.6, nonsense'), '10.1.2.3');
  assert.equal(addressOf(proxies, '10.1.2.3', '10.0.0.1, 10.0.0.2'), '10.0.0.1', 'all of them proxies: the first');
  assert.equal(addressOf(['10.1.2.3'], '10.1.2.3', '203.0.113.5'), '203.0.113.5');
});

test('a proxy that is no address is refused at the start', () => {
  for (const proxy of ['proxy.example', '10.0.0.0/33', '10.0.0.0/x', ''])
    assert.throws(() => createAddressOf([proxy]), RangeError, proxy);
});

describe('context.ip', { timeout: 30_000 }, () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await startCollector({ trustedProxies: ['127.0.0.1'] });
  });
  after(() => collector.close());

  test('is the address that the trusted proxy tells, unless the event has one', async () => {
    const headers = { writeKey: 'web-key-1', 'x-forwarded-for': '203.0.113.5' };
    await collector.post('/v1/page', { userId: 'u' }, headers);
    await collector.post('/v1/page', { userId: 'u', context: { ip: '0.0.0.0' } }, headers);
    assert.deepEqual(
      collector.intake.events.map((event) => event['context']),
      [{ ip: '203.0.113.5' }, { ip: '0.0.0.0' }],
    );
  });
});
