/** A destination is opened anew when its settings changed, a secret among them, and else goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationAt } from '../../test/support/delivery.ts';
import { systemClock } from '../base/clock.ts';
import { Secret } from '../base/secret.ts';
import type { DestinationConfig } from '../model/index.ts';
import { Destinations } from './destinations.ts';
import type { SyncObserver } from './ports.ts';

const nobody: SyncObserver = {
  attempted: () => undefined,
  settled: () => undefined,
  eventsSettled: () => undefined,
  held: () => undefined,
  runStarted: () => undefined,
  runEnded: () => undefined,
  warned: () => undefined,
};

function settings(password: string): ReadonlyMap<string, DestinationConfig> {
  const config: DestinationConfig = {
    ...destinationAt('127.0.0.1:1'),
    protocol: 'sasl_plaintext',
    sasl: { mechanism: 'plain', username: new Secret('u'), password: new Secret(password) },
  };
  return new Map([[config.name, config]]);
}

test('a changed password opens the destination anew, the same one does not', async () => {
  const destinations = new Destinations(systemClock, nobody);
  destinations.apply(settings('one'));
  const first = destinations.get('main');
  destinations.apply(settings('one'));
  assert.equal(destinations.get('main'), first);
  destinations.apply(settings('two'));
  assert.notEqual(destinations.get('main'), first);
  await destinations.close(0);
});
