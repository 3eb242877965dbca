/** The vendors' own server SDKs post to the collector, and act on its answers as it means them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { WRITE_KEY, startCollector } from '../../../test/support/collector.ts';
import type { RunningCollector } from '../../../test/support/collector.ts';

type Event = Record<string, unknown> & { context: Record<string, unknown> };

describe('server SDKs', { timeout: 60_000 }, () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await startCollector();
  });
  after(() => collector.close());
  beforeEach(() => {
    collector.intake.calls.length = 0;
    collector.intake.answer = () => ({ state: 'safe' });
    collector.observed.length = 0;
  });

  /** Bodies as these SDKs print them must not cost the slow way. */
  function checkUnparsed(): void {
    for (const { events } of collector.intake.calls) assert.ok(events.every((event) => event.unparsed));
  }

  /** What every completed event must have, whoever sent it. */
  function checkCompleted(events: readonly Event[]): void {
    assert.deepEqual(
      events.map((event) => event['type']),
      ['track', 'identify', 'page', 'screen', 'group', 'alias'],
    );
    for (const event of events) {
      assert.ok(event['messageId']);
      assert.equal(event.context['ip'], '127.0.0.1');
      assert.match((event.context['library'] as { name: string }).name, /analytics-node/);
      assert.ok(!('writeKey' in event));
      for (const name of ['originalTimestamp', 'timestamp', 'receivedAt', 'sentAt'])
        assert.ok(!Number.isNaN(Date.parse(String(event[name]))), `${String(event['type'])} ${name}`);
      const [happened, received] = [Date.parse(String(event['timestamp'])), Date.parse(String(event['receivedAt']))];
      assert.ok(happened <= received && received - happened < 30_000);
    }
    assert.deepEqual(events[0]?.['properties'], { total: 12.5 });
    assert.equal(events[0]?.['userId'], 'user-1');
    assert.equal(events[2]?.['anonymousId'], 'anonymous-1');
  }

  test('Segment’s Node SDK', async () => {
    const analytics = new Analytics({ writeKey: WRITE_KEY, host: collector.url, flushAt: 6 });
    const failed: unknown[] = [];
    analytics.on('error', (error) => failed.push(error));
    analytics.track({ userId: 'user-1', event: 'Order Completed', properties: { total: 12.5 } });
    analytics.identify({ userId: 'user-1', traits: { plan: 'pro' } });
    analytics.page({ anonymousId: 'anonymous-1', name: 'Home' });
    analytics.screen({ userId: 'user-1', name: 'Cart' });
    analytics.group({ userId: 'user-1', groupId: 'group-1' });
    analytics.alias({ userId: 'user-1', previousId: 'anonymous-1' });
    await analytics.closeAndFlush();
    assert.deepEqual(failed, []);
    checkUnparsed();
    checkCompleted(collector.intake.events as Event[]);
  });

  test('Segment’s Node SDK keeps events on 429 and sends them again', async () => {
    let tries = 0;
    collector.intake.answer = () =>
      tries++ === 0 ? { state: 'unavailable', retryAfterSeconds: 1, reason: 'Kafka is away.' } : { state: 'safe' };
    const analytics = new Analytics({ writeKey: WRITE_KEY, host: collector.url, flushAt: 1 });
    analytics.track({ userId: 'user-1', event: 'Kept' });
    await analytics.closeAndFlush();
    assert.deepEqual(
      collector.observed.map((answer) => answer.status),
      [429, 200],
    );
    const [first, second] = collector.intake.events;
    assert.equal(first?.['messageId'], second?.['messageId']);
  });

  function rudder(gzip: boolean): RudderAnalytics {
    return new RudderAnalytics(WRITE_KEY, { dataPlaneUrl: collector.url, gzip, flushAt: 100, flushInterval: 60_000 });
  }

  for (const gzip of [true, false]) {
    test(`RudderStack’s Node SDK, ${gzip ? 'packed' : 'plain'}`, async () => {
      const analytics = rudder(gzip);
      analytics.track({ userId: 'user-1', event: 'Order Completed', properties: { total: 12.5 } });
      analytics.identify({ userId: 'user-1', traits: { plan: 'pro' } });
      analytics.page({ anonymousId: 'anonymous-1', name: 'Home' });
      analytics.screen({ userId: 'user-1', name: 'Cart' });
      analytics.group({ userId: 'user-1', groupId: 'group-1' });
      analytics.alias({ userId: 'user-1', previousId: 'anonymous-1' });
      await analytics.flush();
      checkUnparsed();
      checkCompleted(collector.intake.events as Event[]);
    });
  }

  test('RudderStack’s Node SDK keeps events on 429 and sends them again', async () => {
    let tries = 0;
    collector.intake.answer = () =>
      tries++ === 0 ? { state: 'unavailable', retryAfterSeconds: 1, reason: 'Kafka is away.' } : { state: 'safe' };
    const analytics = rudder(true);
    analytics.track({ userId: 'user-1', event: 'Kept' });
    await analytics.flush();
    assert.deepEqual(
      collector.observed.map((answer) => answer.status),
      [429, 200],
    );
  });
});
