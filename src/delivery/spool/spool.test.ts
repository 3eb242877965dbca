/** The spool and the lanes: nothing doubled, order kept, and the way direct again when Kafka is back (Promises 3, 4, 5). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { RecordedFiles, SlowFlushes } from '../../../test/support/recorded-files.ts';
import { FOLDER, PlayedDelivery, item, openSpool, turns } from '../../../test/support/spool.ts';
import type { Held, Outcome } from '../../model/index.ts';
import type { MessageOwner } from '../ports.ts';
import type { SpooledMessage } from './frame.ts';
import type { SpoolOwner } from './ports.ts';
import type { Spool } from './spool.ts';

/** A request as `syncs/` makes it. */
class Request implements SpoolOwner {
  readonly #spool: Spool;
  readonly inLanes = new Map<number, SpooledMessage>();
  readonly outcomes = new Map<number, Outcome['state'] | 'safe'>();
  readonly #redirected = new Map<number, { owner: MessageOwner; as: number }>();
  refusal: string | null = null;

  constructor(spool: Spool, delivery: PlayedDelivery, items: readonly SpooledMessage[]) {
    this.#spool = spool;
    const spooled: number[] = [];
    for (const [index, one] of items.entries()) {
      if (spool.spools(one.message.topic)) spooled.push(index);
      else {
        this.inLanes.set(index, one);
        spool.follow(this);
        delivery.accept(one.message, this, index);
      }
    }
    if (spooled.length > 0) this.spooled(spooled, spool.append(spooled.map((index) => items[index]!)));
  }

  waiting(topic: string | null): { index: number; item: SpooledMessage }[] {
    const all = [...this.inLanes].map(([index, one]) => ({ index, item: one }));
    return all.filter((one) => topic === null || one.item.message.topic === topic);
  }

  redirect(index: number, owner: MessageOwner, as: number): void {
    this.#redirected.set(index, { owner, as });
    this.inLanes.delete(index);
  }

  spooled(indexes: readonly number[], flushed: Promise<void>): void {
    for (const index of indexes) this.inLanes.delete(index);
    flushed.then(
      () => indexes.forEach((index) => this.outcomes.set(index, 'safe')),
      (error: Error) => (this.refusal = error.message),
    );
  }

  refused(reason: string): void {
    this.refusal = reason;
  }

  settled(index: number, outcome: Outcome): void {
    const to = this.#redirected.get(index);
    if (to !== undefined) return to.owner.settled(to.as, outcome);
    this.inLanes.delete(index);
    this.outcomes.set(index, outcome.state);
    if (this.inLanes.size === 0) this.#spool.unfollow(this);
  }

  held(held: Held | null): void {
    if (held !== null) this.#spool.hold(held);
  }
}

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

async function stage(
  options: Parameters<typeof openSpool>[1] = {},
  files = new RecordedFiles(),
): Promise<{
  files: RecordedFiles;
  delivery: PlayedDelivery;
  post: (...names: string[]) => Request;
  opened: Awaited<ReturnType<typeof openSpool>>;
}> {
  const opened = await openSpool(files, options);
  const delivery = new PlayedDelivery();
  opened.spool.attach(delivery.as);
  const post = (...names: string[]): Request =>
    new Request(
      opened.spool,
      delivery,
      names.map((name) => item(name)),
    );
  return { files, delivery, post, opened };
}

test('while Kafka takes messages the disk is not touched', async () => {
  const { files, delivery, post } = await stage();
  const before = files.steps.length;
  for (const id of ids(0, 50)) assert.equal(post(id).outcomes.get(0), 'delivered');
  await turns();
  assert.equal(files.steps.length, before);
  assert.deepEqual(delivery.delivered, ids(0, 50));
});

test('while nothing is delivered progress is not written: the log says all, and its flushes have the disk to themselves', async () => {
  const { files, delivery, post, opened } = await stage();
  delivery.flows = false;
  opened.spool.late(post('m0'));
  await turns();
  const before = files.steps.length;
  for (const id of ids(1, 20)) {
    post(id);
    await turns();
  }
  assert.equal(opened.spool.status.messages, 20);
  assert.deepEqual(new Set(files.steps.slice(before).map(({ path }) => path.split('.').at(-1))), new Set(['seg']));
});

test('while much is added and nothing delivered progress is written now and then: the next start has little to look through', async () => {
  const { files, delivery, opened } = await stage({ segmentBytes: 1 << 24 });
  delivery.flows = false;
  opened.spool.takeOver('orders');
  await turns();
  const before = files.steps.length;
  const big = item('m', { value: Buffer.alloc(1 << 20) });
  for (let i = 0; i < 50; i++) {
    await opened.spool.append([big]);
    await turns(2);
  }
  const saved = files.steps.slice(before).filter(({ kind, path }) => kind === 'sync' && path.includes('progress'));
  assert.equal(saved.length, 3, 'of 50 MiB');
  await opened.spool.close();
});

test('what waits too long goes to the disk in order, what is in a send is sent once, and new messages stand behind', async () => {
  const { delivery, post, opened } = await stage();
  delivery.flows = false;
  const first = post('m0', 'm1');
  delivery.inSend = 2;
  const second = post('m2', 'm3');
  opened.spool.late(first);
  const third = post('m4');
  await turns();
  assert.deepEqual(
    [...first.outcomes.values(), ...second.outcomes.values(), ...third.outcomes.values()],
    Array(5).fill('safe'),
  );
  assert.equal(opened.spool.status.messages, 5);
  // Kafka is back.
  delivery.flows = true;
  delivery.settle();
  await turns();
  assert.deepEqual(delivery.delivered, ids(0, 5));
  assert.deepEqual(opened.spool.status, { messages: 0, bytes: 0, oldestAgeSeconds: 0 });
  assert.equal(post('m5').outcomes.get(0), 'delivered', 'direct again');
});

test('with new messages all the time it is direct again once the lanes flow', async () => {
  const { delivery, post, opened } = await stage();
  delivery.flows = false;
  const first = post('m0');
  opened.spool.late(first);
  for (const id of ids(1, 30)) post(id);
  await turns();
  delivery.flows = true;
  delivery.settle();
  let direct = false;
  for (let i = 30; i < 200 && !direct; i++) {
    direct = post(`m${i}`).outcomes.get(0) === 'delivered';
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(direct);
  assert.deepEqual(delivery.delivered, ids(0, delivery.delivered.length));
});

test('a restart goes on where it stopped: what was delivered is not sent again', async () => {
  const { files, delivery, post, opened } = await stage();
  delivery.flows = false;
  opened.spool.late(post('m0'));
  for (const id of ids(1, 100)) post(id);
  await turns();
  delivery.settle(60);
  await turns();
  opened.spool.detach();
  await opened.spool.close();
  const next = await stage({}, files);
  await turns(60);
  assert.deepEqual(next.delivery.delivered, ids(60, 100));
  assert.deepEqual(delivery.delivered, ids(0, 60));
});

test('killed with requests that were never written: they are not counted for ever', async () => {
  const { files, delivery, post, opened } = await stage();
  delivery.flows = false;
  opened.spool.late(post('m0'));
  await turns();
  let killed = false;
  files.before = (kind, path) => {
    if (killed && path.endsWith('.seg')) throw Object.assign(new Error(kind), { code: 'EIO' });
  };
  killed = true;
  post('m1');
  post('m2');
  // Progress is saved while they wait for their flush.
  await turns(1);
  killed = false;
  const next = await stage({}, files);
  await turns(60);
  assert.deepEqual(next.opened.spool.status, { messages: 0, bytes: 0, oldestAgeSeconds: 0 });
  assert.deepEqual(next.delivery.delivered.slice(0, 1), ['m0']);
});

test('until what an earlier process left has been read, new messages of any topic stand behind it', async () => {
  const { files, delivery, post, opened } = await stage();
  delivery.flows = false;
  opened.spool.late(post('m0'));
  for (const id of ids(1, 40)) post(id);
  await turns();
  await opened.spool.close();
  const next = await stage({}, files);
  for (const id of ids(40, 60)) next.post(id);
  await turns(60);
  assert.deepEqual(next.delivery.delivered, ids(0, 60));
});

test('a topic that is held waits with one try, the others go on; then it goes on in order', async () => {
  const { delivery, post, opened } = await stage();
  const held: Held = { action: 'park', code: 'topic_missing', reason: 'no topic', remedy: '', topic: 'gone' };
  const toGone = (name: string): Request => new Request(opened.spool, delivery, [item(name, { topic: 'gone' })]);
  delivery.flows = false;
  toGone('g0');
  toGone('g1');
  delivery.hold(held);
  for (let i = 2; i < 10; i++) toGone(`g${i}`);
  await turns();
  assert.equal(delivery.lane.length, 1, 'one is tried');
  const other = post('m0');
  delivery.settle(0);
  const at = delivery.lane.findIndex(({ message }) => message.topic === 'orders');
  assert.ok(at >= 0, 'the other topic is direct');
  const [one] = delivery.lane.splice(at, 1);
  one!.owner.settled(one!.index, { state: 'delivered' });
  assert.equal(other.outcomes.get(0), 'delivered');
  delivery.flows = true;
  delivery.settle();
  await turns(30);
  assert.deepEqual(
    delivery.delivered,
    Array.from({ length: 10 }, (_, i) => `g${i}`),
  );
  assert.equal(opened.spool.status.messages, 0);
});

test('a message that is rejected while it drains is a dead letter before it counts as done', async () => {
  const { files, delivery, post, opened } = await stage();
  delivery.flows = false;
  opened.spool.late(post('m0'));
  post('m1');
  await turns();
  delivery.outcome = (message) =>
    String(message.value) === 'm1'
      ? { state: 'rejected', code: 'too_large', reason: 'too large' }
      : { state: 'delivered' };
  delivery.flows = true;
  delivery.settle();
  await turns(20);
  assert.deepEqual(
    opened.rejected.map(({ position, rejection }) => [position, rejection.code]),
    [['m1', 'too_large']],
  );
  assert.deepEqual(
    [...files.files.keys()].filter((path) => path.endsWith('.seg')),
    [],
  );
});

test('dead letters that cannot be stored keep their messages', async () => {
  let broken = true;
  const { files, delivery, post, opened } = await stage({
    reject: () => (broken ? Promise.reject(new Error('state is away')) : Promise.resolve()),
  });
  delivery.flows = false;
  opened.spool.late(post('m0'));
  await turns();
  delivery.outcome = () => ({ state: 'rejected', code: 'too_large', reason: 'too large' });
  delivery.settle();
  await turns();
  assert.equal(opened.spool.status.messages, 1);
  assert.ok([...files.files.keys()].some((path) => path.endsWith('.seg')));
  broken = false;
  await turns();
  assert.equal(opened.spool.status.messages, 0);
});

test('other settings: what is in the lanes of the old delivery is not lost, and not sent twice where its outcome comes', async () => {
  const { delivery, post, opened } = await stage();
  delivery.flows = false;
  post('m0', 'm1');
  delivery.inSend = 1;
  opened.spool.detach();
  const later = post('m2');
  await turns();
  assert.equal(later.outcomes.get(0), 'safe');
  delivery.settle(1);
  const next = new PlayedDelivery();
  opened.spool.attach(next.as);
  await turns();
  assert.deepEqual(delivery.delivered, ['m0']);
  assert.deepEqual(next.delivered, ['m1', 'm2']);
});

test('the disk is full: refused before anything is lost, room is kept for progress, and it goes on by itself', async () => {
  const { files, delivery, post, opened } = await stage({ reserveBytes: 4096 });
  delivery.flows = false;
  opened.spool.late(post('m0'));
  post('m1');
  await turns();
  let full = true;
  files.before = (kind, path, bytes) => {
    const room = !path.includes('progress') && kind === 'write' && bytes > 0;
    if (full && room) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  const refused = post('m2');
  await turns();
  assert.match(refused.refusal ?? '', /disk of the spool is full/);
  assert.equal(files.files.has(join(FOLDER, 'reserve')), false, 'its room is given back');
  assert.match(post('m3').refusal ?? 'at once', /full|at once/);
  full = false;
  delivery.flows = true;
  delivery.settle();
  await turns(20);
  assert.deepEqual(delivery.delivered, ['m0', 'm1']);
  assert.equal(opened.spool.status.messages, 0);
});

test('over its limit what waits is given back to who sent it, and what is in a send ends by itself', async () => {
  const { delivery, post, opened } = await stage({ maxBytes: 300 });
  delivery.flows = false;
  const requests = ids(0, 10).map((id) => post(id));
  delivery.inSend = 1;
  opened.spool.late(requests[0]!);
  await turns();
  const states = requests.map((request) => request.outcomes.get(0) ?? 'open');
  assert.ok(states.includes('withdrawn'), states.join());
  assert.ok(states.includes('safe'), states.join());
  assert.ok(requests.some((request) => /limit of 300 bytes/.test(request.refusal ?? '')));
});

test('what is flushed and unread goes before what is still being flushed, however the queue was held up', async () => {
  const files = new SlowFlushes();
  const { delivery, opened } = await stage({}, files);
  const { spool } = opened;
  delivery.flows = false;
  spool.takeOver('orders');
  const appended = (id: string): Promise<void> => spool.append([item(id)]);
  await appended('m0');
  await turns();
  delivery.hold({ action: 'park', code: 'topic_missing', reason: 'missing', remedy: '', topic: 'orders' });
  await appended('m1');
  await turns();
  files.turns = 6;
  const last = appended('m2');
  // Something else makes the reader look while it is being flushed.
  spool.takeOver('other');
  await last;
  delivery.flows = true;
  delivery.settle();
  await turns(40);
  assert.deepEqual(delivery.delivered, ids(0, 3));
  assert.deepEqual(spool.status, { messages: 0, bytes: 0, oldestAgeSeconds: 0 });
  await spool.close();
});

test('direct again, with the last of the spool still in the lanes: what is new stays behind them when they are taken back', async () => {
  for (const what of ['settings', 'stop', 'stalled'] as const) {
    const { files, delivery, opened, post } = await stage();
    const { spool } = opened;
    delivery.flows = false;
    spool.takeOver('orders');
    await spool.append(ids(0, 3).map((id) => item(id)));
    await turns();
    delivery.settle(1);
    await turns();
    const next = new PlayedDelivery();
    assert.equal(spool.spools('orders'), false, 'direct again');
    if (what !== 'settings') post('m3');
    if (what === 'stop') {
      spool.pause();
      delivery.settle();
      await turns();
      await spool.close();
      (await openSpool(files)).spool.attach(next.as);
    } else if (what === 'settings') {
      spool.detach();
      await turns();
      spool.attach(next.as);
      post('m3', 'm4');
    } else {
      delivery.lane[0]!.owner.held({ action: 'park', code: 'delivery_timeout', reason: 'x', remedy: '', topic: null });
      await turns();
      post('m4');
      delivery.flows = true;
      delivery.settle();
    }
    await turns(40);
    const all = [...delivery.delivered, ...next.delivered];
    assert.deepEqual(all, ids(0, what === 'stop' ? 4 : 5), what);
  }
});

/** One partition has a leader that takes nothing, the others deliver at once. */
class StuckLeader extends PlayedDelivery {
  stuck: string | null = 'stuck';

  override accept(...[message, owner, index]: Parameters<PlayedDelivery['accept']>): void {
    this.flows = message.key === null || String(message.key) !== this.stuck;
    if (!this.flows) return super.accept(message, owner, index);
    // Beside what is stuck, not behind it.
    this.delivered.push(String(message.value));
    queueMicrotask(() => owner.settled(index, { state: 'delivered' }));
  }
}

test('a partition that is stuck lets the others of its topic pass up to a bound; then all go on, each in its order', async () => {
  for (const { every, bound } of [
    // Half of all are stuck: their messages fill the window.
    { every: 2, bound: 20_000 },
    // One is stuck: what is done above it is remembered one by one.
    { every: Infinity, bound: 40_000 },
  ]) {
    const { spool } = await openSpool(new RecordedFiles(), { segmentBytes: 1 << 20 });
    const delivery = new StuckLeader();
    const stuck: string[] = [];
    const others: string[] = [];
    for (let at = 0; at < 60_000; at += 1_000) {
      const items = ids(at, at + 1_000).map((id, i) => {
        const isStuck = (at + i) % every === 0;
        (isStuck ? stuck : others).push(id);
        return item(id, { key: Buffer.from(isStuck ? 'stuck' : 'k') });
      });
      await spool.append(items);
    }
    spool.attach(delivery.as);
    await turns(400);
    // A read's worth of messages may be handed on beyond.
    const passed = delivery.delivered.length;
    assert.ok(passed >= bound && passed < bound + 10_000, `${passed} passed, ${bound} are promised`);
    assert.deepEqual(delivery.delivered, others.slice(0, passed));
    delivery.stuck = null;
    delivery.settle();
    await turns(400);
    const isOfStuck = new Set(stuck);
    assert.deepEqual(
      delivery.delivered.filter((id) => !isOfStuck.has(id)),
      others,
    );
    assert.deepEqual(
      delivery.delivered.filter((id) => isOfStuck.has(id)),
      stuck,
    );
    assert.equal(spool.status.messages, 0);
    await spool.close();
  }
});

test('what an earlier process had done and not removed is removed at the start, though nothing new is spooled', async () => {
  const { files, delivery, post, opened } = await stage();
  delivery.flows = false;
  opened.spool.late(post('m0'));
  await turns();
  // Killed once its progress was saved.
  const remove = files.remove.bind(files);
  files.remove = (path) => (path.endsWith('.seg') ? new Promise(() => undefined) : remove(path));
  delivery.flows = true;
  delivery.settle();
  await turns();
  files.remove = remove;
  const next = await openSpool(files);
  assert.equal(next.spool.status.messages, 0);
  assert.ok(next.spool.status.bytes > 0);
  next.spool.attach(new PlayedDelivery().as);
  await turns();
  assert.equal(next.spool.status.bytes, 0);
});
