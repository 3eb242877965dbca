/** Records of parked syncs in the spool: apart from messages, kept over a restart, released in their order (Promises 1 and 3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldClock } from '../../../test/support/held-clock.ts';
import { RecordedFiles, SlowFlushes } from '../../../test/support/recorded-files.ts';
import { PlayedDelivery, item, openSpool, turns } from '../../../test/support/spool.ts';
import type { SpooledMessage } from './frame.ts';
import { parkedTopic } from './releases.ts';

const topic = parkedTopic('a/b ü');
const record = (id: string): SpooledMessage => item(id, { topic, key: null, partitionKey: null });
const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `e${from + i}`);

test('what is parked holds up no topic, outlives a restart, and goes on in its order once its sync does', async () => {
  const files = new RecordedFiles();
  const first = await openSpool(files, { parked: () => true, release: () => assert.fail('it is parked') });
  const delivery = new PlayedDelivery();
  first.spool.attach(delivery.as);
  for (const id of ids(0, 300)) await first.spool.append([record(id)]);
  await first.spool.append([item('m1')]);
  await turns(40);
  assert.deepEqual(delivery.delivered, ['m1']);
  assert.equal(first.spool.status.messages, 300);
  assert.equal(first.spool.holds(topic), true);
  await first.spool.close();

  const released: string[] = [];
  let refusals = 2;
  const second = await openSpool(files, {
    parked: (sync) => sync !== 'a/b ü',
    release: (sync, items) => {
      assert.equal(sync, 'a/b ü');
      if (refusals-- > 0) return refusals === 1 ? Promise.resolve(false) : Promise.reject(new Error('not now'));
      released.push(...items.map(({ message }) => String(message.value)));
      return Promise.resolve(true);
    },
  });
  const other = new PlayedDelivery();
  second.spool.attach(other.as);
  await turns(80);
  assert.deepEqual(released, ids(0, 300), 'each once, in order, also after it did not go');
  assert.deepEqual(other.delivered, []);
  assert.deepEqual(second.warnings, ['Events of a parked sync cannot go on: not now; it is tried again.']);
  assert.equal(second.spool.status.messages, 0);
  assert.equal(second.spool.holds(topic), false, 'what is new need not stand behind');
  await second.spool.close();
});

test('what cannot be released now holds up no other topic, however much it is', async () => {
  const files = new RecordedFiles();
  let may = false;
  let released = 0;
  const { spool } = await openSpool(files, {
    parked: () => false,
    release: (_sync, items) => {
      if (may) released += items.length;
      return Promise.resolve(may);
    },
  });
  const ids30k = ids(0, 30_000);
  for (let at = 0; at < ids30k.length; at += 1000) await spool.append(ids30k.slice(at, at + 1000).map(record));
  const delivery = new PlayedDelivery();
  spool.attach(delivery.as);
  await turns(20);
  await spool.append(ids(0, 10).map((id) => item(`m${id}`)));
  await turns(40);
  assert.equal(delivery.delivered.length, 10);
  assert.equal(released, 0);
  may = true;
  await turns(1500);
  assert.equal(released, 30_000);
  await spool.close();
});

test('of those that went together only what is not safe goes again', async () => {
  const groups: string[][] = [];
  const { spool } = await openSpool(new RecordedFiles(), {
    parked: () => false,
    release: async (_sync, items) => {
      groups.push(items.map(({ position }) => position));
      return items.map(({ position }) => groups.length > 2 || !['e1', 'e3'].includes(position));
    },
  });
  await spool.append(ids(0, 5).map(record));
  spool.attach(new PlayedDelivery().as);
  await turns(40);
  assert.deepEqual(groups, [ids(0, 5), ['e1'], ['e1'], ['e3']]);
  assert.equal(spool.status.messages, 0);
  await spool.close();
});

test('what is released and has no outcome for long holds up no other topic, and nothing of its sync goes before it', async () => {
  const clock = heldClock();
  const groups: string[][] = [];
  const answer = Promise.withResolvers<boolean>();
  const { spool } = await openSpool(new RecordedFiles(), {
    clock,
    parked: () => false,
    release: (_sync, items) => {
      groups.push(items.map(({ position }) => position));
      return groups.length === 1 ? answer.promise : Promise.resolve(true);
    },
  });
  const ids30k = ids(0, 30_000);
  for (let at = 0; at < ids30k.length; at += 1000) await spool.append(ids30k.slice(at, at + 1000).map(record));
  await spool.append(ids(0, 10).map((id) => item(`m${id}`)));
  const delivery = new PlayedDelivery();
  spool.attach(delivery.as);
  await turns(60);
  assert.equal(delivery.delivered.length, 0, 'they fill the lanes');
  for (let ms = 1_000; ms <= 4_000; ms += 1_000) {
    clock.to(ms);
    await turns(60);
  }
  assert.equal(delivery.delivered.length, 10);
  assert.equal(groups.length, 1);
  answer.resolve(true);
  for (let ms = 5_000; groups.flat().length < 30_000 && ms < 60_000; ms += 1_000) {
    await turns(400);
    clock.to(ms);
  }
  assert.deepEqual(groups.flat(), ids30k);
  await spool.close();
});

test('closed while what was released is being flushed: it is on the disk once, and sent once after the next start', async () => {
  const files = new SlowFlushes();
  let parked = true;
  const first = await openSpool(files, {
    parked: () => parked,
    release: async (_sync, items) => {
      await first.spool.append(items.map(({ position }) => item(`of ${position}`)));
      return true;
    },
  });
  const away = new PlayedDelivery();
  away.flows = false;
  first.spool.attach(away.as);
  await first.spool.append([record('e0')]);
  await turns(20);
  Object.assign(files, { turns: 30, of: (path: string) => path.endsWith('.seg') });
  parked = false;
  first.spool.attach(away.as);
  await turns(8);
  assert.equal(first.spool.status.messages, 2, 'the release is under way');
  first.spool.detach();
  await first.spool.close();

  files.turns = 0;
  const second = await openSpool(files, { parked: () => false, release: () => assert.fail('it is released already') });
  const delivery = new PlayedDelivery();
  second.spool.attach(delivery.as);
  await turns(60);
  assert.deepEqual(delivery.delivered, ['of e0']);
  assert.deepEqual(second.warnings, []);
  await second.spool.close();
});
