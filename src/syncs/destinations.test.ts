/** A destination is opened anew when its settings changed, a secret among them, and else goes on. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { destinationAt, intake, message, Outcomes } from '../../test/support/delivery.ts';
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

test('at the end nobody waits long for what is under way under earlier settings', { timeout: 60_000 }, async (t) => {
  // A broker that is frozen: it takes connections and says nothing.
  const sockets: Socket[] = [];
  const frozen = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => frozen.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    frozen.close();
    for (const socket of sockets) socket.destroy();
  });
  const at = `127.0.0.1:${(frozen.address() as AddressInfo).port}`;
  const settingsOf = (lingerMs: number): ReadonlyMap<string, DestinationConfig> =>
    new Map([['main', destinationAt(at, { lingerMs, connectTimeoutMs: 1_000, requestTimeoutMs: 60_000 })]]);
  const destinations = new Destinations(systemClock, nobody);
  destinations.apply(settingsOf(0));
  const outcomes = new Outcomes();
  destinations.get('main')!.delivery.accept(message('t'), outcomes, 0, intake);
  destinations.apply(settingsOf(1));
  const startedMs = performance.now();
  await destinations.close(0);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < 7_000, `${tookMs} ms`);
  assert.equal(outcomes.byIndex.get(0)?.state, 'withdrawn');
});
