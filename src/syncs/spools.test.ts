/** Spools under a configuration that changes: their limit counts at once, and what is answered late is noted (Promise 5). */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { destinationAt } from '../../test/support/delivery.ts';
import { PlayedDelivery, item } from '../../test/support/spool.ts';
import { systemClock } from '../base/clock.ts';
import type { DestinationConfig } from '../model/index.ts';
import type { IntakeOptions } from '../delivery/index.ts';
import type { MessageOwner } from '../delivery/ports.ts';
import type { Message } from '../model/index.ts';
import { until } from '../../test/support/until.ts';
import type { Flow } from './flows.ts';
import { Spools } from './spools.ts';

const route = JSON.stringify({ sync: 's', partitioner: 'murmur2', computedTopic: false });
const spooled = (id: string, bytes = 10): ReturnType<typeof item> => ({
  ...item(id, { value: Buffer.alloc(bytes, id) }),
  route,
});

function settings(given: Partial<DestinationConfig> = {}): ReadonlyMap<string, DestinationConfig> {
  return new Map([['main', { ...destinationAt('127.0.0.1:1'), ...given }]]);
}

interface Given {
  readonly folder?: string;
  readonly flows?: ReadonlyMap<string, Flow>;
  readonly warned?: (message: string) => void;
}

function spoolsIn(t: TestContext, given: Given = {}): Spools {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'headrace-test-'));
  const nothing = (): undefined => undefined;
  const observer = {
    attempted: nothing,
    settled: nothing,
    eventsSettled: nothing,
    held: nothing,
    runStarted: nothing,
    runEnded: nothing,
    warned: given.warned ?? nothing,
  };
  const spools = new Spools({
    folder,
    clock: systemClock,
    observer,
    deadLetters: () => assert.fail('nothing is rejected'),
    flows: () => given.flows ?? new Map(),
    known: () => false,
    release: () => assert.fail('nothing is parked'),
    wanted: nothing,
  });
  t.after(async () => {
    await spools.close();
    rmSync(folder, { recursive: true, force: true });
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

test('what lies in the folder and is no spool is told and left alone; the spools beside it are seen', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
  const first = spoolsIn(t, { folder });
  first.apply(settings());
  await first.opened();
  await first.of(settings().get('main')!)!.spool!.append([spooled('a')]);
  await first.close();
  // Before and after the real one in any order of names.
  writeFileSync(join(folder, '.notes'), 'x');
  writeFileSync(join(folder, 'zzz.txt'), 'x');
  mkdirSync(join(folder, '%zz'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'broken'));
  symlinkSync('circle', join(folder, 'circle'));
  writeFileSync(join(folder, 'main', 'notes.txt'), 'x');
  writeFileSync(join(folder, 'main', 'copy of 0000000001.seg'), 'x');
  mkdirSync(join(folder, 'main', '0000000007.seg'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'main', 'broken'));
  const warnings: string[] = [];
  const second = spoolsIn(t, { folder, warned: (message) => warnings.push(message) });
  // Its destination is not configured: that there is something in it is told.
  second.apply(new Map());
  assert.ok(
    warnings.some((message) => /holds messages for the destination main, which is not configured/.test(message)),
    warnings.join('\n'),
  );
  for (const name of ['.notes', 'zzz.txt', '%zz', 'broken', 'circle'])
    assert.equal(warnings.filter((message) => message.startsWith(`${join(folder, name)} is no spool`)).length, 1, name);
  second.apply(settings());
  await second.opened();
  assert.equal(second.status('main')?.messages, 1);
  const delivery = new PlayedDelivery();
  second.attach('main', delivery.as);
  await until('it is delivered', () => delivery.delivered.length === 1);
  const own = warnings.filter((message) => /is no file of the spool/.test(message));
  assert.equal(own.length, 1);
  assert.match(own[0]!, /copy of 0000000001\.seg, notes\.txt|notes\.txt, copy of 0000000001\.seg/);
  await second.close();
  for (const name of ['notes.txt', 'copy of 0000000001.seg', '0000000007.seg'])
    assert.ok(readdirSync(join(folder, 'main')).includes(name), name);
});

test('a spool that cannot be opened while the server runs is tried again by itself, and tells it meanwhile', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
  const warnings: string[] = [];
  const spools = spoolsIn(t, { folder, warned: (message) => warnings.push(message) });
  writeFileSync(join(folder, 'main'), 'in the way');
  spools.apply(settings());
  const delivery = new PlayedDelivery();
  spools.attach('main', delivery.as);
  await assert.rejects(spools.opened(), /cannot be used/);
  const one = spools.of(settings().get('main')!)!;
  assert.equal(one.spool, null);
  assert.match(spools.status('main')?.problem ?? '', /EEXIST|ENOTDIR/);
  const before = warnings.length;
  // It fails at least once more, which is not told again.
  await systemClock.sleep(1_200);
  rmSync(join(folder, 'main'));
  await until('it is open', () => one.spool !== null && one.problem === null, { deadlineMs: 20_000 });
  assert.equal(spools.status('main')?.problem, null);
  assert.deepEqual(warnings.slice(before), ['The spool of the destination main can be used again.']);
  await one.spool!.append([spooled('a')]);
  await until('it is delivered', () => delivery.delivered.length === 1);
});

test('what may be left out of a message that is too large is what the sync says now, not when it was spooled', async (t) => {
  const shrinkBefore = (): null => null;
  const shrinkNow = (): null => null;
  const flows = new Map<string, Flow>();
  const configure = (shrink: object): void =>
    void flows.set('s', { options: { shrink }, counts: { read: 0, delivered: 0 }, meter: { read() {} } } as never);
  const spools = spoolsIn(t, { flows });
  spools.apply(settings());
  await spools.opened();
  const seen: unknown[] = [];
  class Seeing extends PlayedDelivery {
    override accept(message: Message, owner: MessageOwner, index: number, options?: IntakeOptions): void {
      seen.push(options?.shrink);
      super.accept(message, owner, index);
    }
  }
  spools.attach('main', new Seeing().as);
  const { spool } = spools.of(settings().get('main')!)!;
  for (const shrink of [shrinkBefore, shrinkNow]) {
    configure(shrink);
    const already = seen.length;
    await spool!.append([spooled('a')]);
    await until('it is handed on', () => seen.length > already);
  }
  flows.clear();
  await spool!.append([spooled('a')]);
  await until('it is handed on', () => seen.length === 3);
  assert.equal(seen[0], shrinkBefore);
  assert.equal(seen[1], shrinkNow);
  assert.equal(seen[2], undefined);
});
