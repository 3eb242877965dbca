/** Spools under a configuration that changes: their limit counts at once, and what is answered late is noted (Promise 5). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { destinationAt } from '../../test/support/delivery.ts';
import { PlayedDelivery, item } from '../../test/support/spool.ts';
import { systemClock } from '../base/clock.ts';
import type { DestinationConfig } from '../model/index.ts';
import { Spools } from './spools.ts';

const route = JSON.stringify({ sync: 's', partitioner: 'murmur2', computedTopic: false });
const spooled = (id: string, bytes = 10): ReturnType<typeof item> => ({
  ...item(id, { value: Buffer.alloc(bytes, id) }),
  route,
});

function settings(given: Partial<DestinationConfig> = {}): ReadonlyMap<string, DestinationConfig> {
  return new Map([['main', { ...destinationAt('127.0.0.1:1'), ...given }]]);
}

function spoolsIn(t: TestContext): Spools {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
  const nothing = (): undefined => undefined;
  const observer = {
    attempted: nothing,
    settled: nothing,
    eventsSettled: nothing,
    held: nothing,
    runStarted: nothing,
    runEnded: nothing,
    warned: nothing,
  };
  const spools = new Spools({
    folder,
    clock: systemClock,
    observer,
    deadLetters: () => assert.fail('nothing is rejected'),
    flows: () => new Map(),
    known: () => false,
    release: () => assert.fail('nothing is parked'),
    wanted: nothing,
  });
  t.after(async () => {
    await spools.close();
    rmSync(folder, { recursive: true });
  });
  return spools;
}

test('another limit counts at once', async (t) => {
  const spools = spoolsIn(t);
  const small = settings({ spool: { maxBytes: 1_000 } });
  spools.apply(small);
  await spools.opened();
  const { spool } = spools.of(small.get('main')!)!;
  await spool!.append([spooled('a')]);
  await assert.rejects(spool!.append([spooled('b', 2_000)]), /limit of 1000 bytes/);
  spools.apply(settings({ spool: { maxBytes: 5_000 } }));
  await spool!.append([spooled('b', 2_000)]);
  await assert.rejects(spool!.append([spooled('c', 5_000)]), /limit of 5000 bytes/);
});

test('switched off while a send is under way: its answer is noted, and nothing is sent again when it is on again', async (t) => {
  const spools = spoolsIn(t);
  spools.apply(settings());
  await spools.opened();
  const delivery = new PlayedDelivery();
  delivery.flows = false;
  spools.attach('main', delivery.as);
  const { spool } = spools.of(settings().get('main')!)!;
  spool!.takeOver('orders');
  await spool!.append([spooled('a')]);
  while (delivery.lane.length === 0) await systemClock.sleep(5);
  delivery.inSend = 1;
  // As destinations do it: detached, and closed when the old delivery is.
  spools.detach('main');
  let retired = (): void => undefined;
  const retiring = new Map([['main', new Promise<void>((resolve) => (retired = resolve))]]);
  spools.apply(settings({ enabled: false }), retiring);
  await systemClock.sleep(50);
  delivery.settle();
  assert.equal(delivery.delivered.length, 1);
  retired();
  spools.apply(settings());
  await spools.opened();
  const next = new PlayedDelivery();
  spools.attach('main', next.as);
  await systemClock.sleep(200);
  assert.deepEqual(next.delivered, []);
  assert.equal(spools.status('main')?.messages, 0);
});
