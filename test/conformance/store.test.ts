/** One suite over both homes of the own state: whatever holds on SQLite holds on PostgreSQL. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { randomId } from '../../src/base/random.ts';
import { rawNumber } from '../../src/base/json.ts';
import { Secret } from '../../src/base/secret.ts';
import {
  emptyCounts,
  HeadraceError,
  type DeadLetter,
  type JsonValue,
  type WrittenObject,
} from '../../src/model/index.ts';
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';

interface Home {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<void>;
  /** Options of a fresh, empty state; the same options open the same state again. */
  fresh(): Promise<StoreOptions>;
  stop(): Promise<void>;
}

// The machine's own PostgreSQL, another version, where there is one.
const machine = hasPostgres('machine') ? [postgresHome('machine')] : [];
for (const home of [sqliteHome(), postgresHome('npm'), ...machine]) {
  describe(`the state in ${home.name}`, { skip: home.skip }, () => {
    before(() => home.start());
    after(() => home.stop());
    objects(home);
    runs(home);
    deadLetters(home);
    reopening(home);
  });
}

function objects(home: Home): void {
  it('gives back objects as written, in order of kind and name, digits and odd keys included', async () => {
    await using state = await open(home);
    const odd = {
      __proto__x: 1,
      'a.b': [null, true, 'ü\u0000\ud83d\ude00'],
      big: rawNumber('12345678901234567890.10'),
    };
    await state.store.objects.apply({
      put: [object('sync', 'b', odd as never), object('destination', 'z'), object('source', 'm'), object('sync', 'a')],
      remove: [],
    });
    const listed = await state.store.objects.list();
    assert.deepEqual(
      listed.map(({ kind, name }) => `${kind} ${name}`),
      ['destination z', 'source m', 'sync a', 'sync b'],
    );
    assert.equal(JSON.stringify(listed[3]?.body), JSON.stringify(odd));
  });

  it('counts versions, removes, and leaves alone what is not named', async () => {
    await using state = await open(home);
    const { objects } = state.store;
    assert.equal(await objects.generation(), 0);
    assert.equal(await objects.apply({ put: [object('source', 'a'), object('source', 'b')], remove: [] }), 1);
    await objects.apply({ put: [object('source', 'a', { changed: true })], remove: [] });
    await objects.apply({
      put: [],
      remove: [
        { kind: 'source', name: 'b' },
        { kind: 'sync', name: 'b' },
      ],
    });
    const [a, ...rest] = await objects.list();
    assert.deepEqual(rest, []);
    assert.deepEqual([a?.name, a?.version, a?.body], ['a', 2, { changed: true }]);
    assert.equal(await objects.generation(), 3);
  });

  it('applies all or nothing', async () => {
    await using state = await open(home);
    const { objects } = state.store;
    await objects.apply({ put: [object('source', 'kept')], remove: [] });
    const broken = { kind: 'source', name: null as unknown as string, body: {} } as const;
    const attempt = objects.apply({
      put: [object('source', 'new'), broken],
      remove: [{ kind: 'source', name: 'kept' }],
    });
    await assert.rejects(attempt, (error: HeadraceError) => error.code === 'state_failed');
    assert.deepEqual(
      (await objects.list()).map(({ name }) => name),
      ['kept'],
    );
    assert.equal(await objects.generation(), 1);
  });

  it('refuses a plan made from an older generation, also when two apply at the same time', async () => {
    await using state = await open(home);
    const { objects } = state.store;
    const both = await Promise.allSettled([
      objects.apply({ put: [object('source', 'a')], remove: [] }, 0),
      objects.apply({ put: [object('source', 'b')], remove: [] }, 0),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const refused = both.find((one) => one.status === 'rejected');
    assert.ok(refused !== undefined && isConflict(refused.reason as HeadraceError));
    assert.equal((await objects.list()).length, 1);
  });

  it('keeps small facts by key', async () => {
    await using state = await open(home);
    const { meta } = state.store;
    assert.equal(await meta.get('k'), null);
    await meta.set('k', '1');
    await meta.set('k', '2');
    assert.equal(await meta.get('k'), '2');
    await meta.remove('k');
    assert.equal(await meta.get('k'), null);
  });
}

function runs(home: Home): void {
  it('keeps a run from its start to its end', async () => {
    await using state = await open(home);
    const { runs } = state.store;
    const created = await runs.create(runOf('orders'));
    assert.deepEqual([created.state, created.resumed, created.checkpoint, created.endedAt], ['running', 0, null, null]);
    const counts = { ...emptyCounts(), read: 10, delivered: 9, rejected: 1 };
    const position = { file: 'a.csv', byte: rawNumber('9007199254740993') } as never as JsonValue;
    await runs.saveCheckpoint(created.id, position, counts);
    const running = await runs.get(created.id);
    assert.deepEqual(running?.counts, counts);
    assert.equal(JSON.stringify(running?.checkpoint), '{"file":"a.csv","byte":9007199254740993}');
    const error = { code: 'source_failed', message: 'broken', remedy: 'mend it' } as const;
    const ended = await runs.finish(created.id, { state: 'failed', counts, error });
    assert.deepEqual([ended.state, ended.error, ended.checkpoint], ['failed', error, running?.checkpoint]);
    assert.match(ended.endedAt ?? '', /^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/);
    assert.deepEqual(await runs.latest('orders'), ended);
    assert.equal(await runs.latest('other'), null);
  });

  it('lets a sync have one run at a time', async () => {
    await using state = await open(home);
    const { runs } = state.store;
    const first = await runs.create(runOf('orders'));
    await assert.rejects(runs.create(runOf('orders')), isConflict);
    await runs.create(runOf('other'));
    await runs.finish(first.id, { state: 'cancelled', counts: emptyCounts(), error: null });
    const second = await runs.create(runOf('orders'));
    await assert.rejects(runs.resume(first.id), isConflict);
    await runs.finish(second.id, { state: 'succeeded', counts: emptyCounts(), error: null });
    await assert.rejects(runs.resume(second.id), isConflict);
    const resumed = await runs.resume(first.id);
    assert.deepEqual([resumed.state, resumed.resumed, resumed.endedAt], ['running', 1, null]);
    await assert.rejects(runs.resume('nobody'), (error: HeadraceError) => error.code === 'not_found');
  });

  it('forgets the checkpoints of ended runs only', async () => {
    await using state = await open(home);
    const { runs } = state.store;
    const ended = await runs.create(runOf('orders'));
    await runs.finish(ended.id, { state: 'failed', counts: emptyCounts(), error: null, checkpoint: 5 });
    const running = await runs.create(runOf('orders'));
    await runs.saveCheckpoint(running.id, 6, emptyCounts());
    const other = await runs.create(runOf('other'));
    await runs.finish(other.id, { state: 'failed', counts: emptyCounts(), error: null, checkpoint: 7 });
    await runs.forget('orders');
    const checkpoints = [ended, running, other].map(async ({ id }) => (await runs.get(id))?.checkpoint);
    assert.deepEqual(await Promise.all(checkpoints), [null, 6, 7]);
  });

  it('lists the newest first', async () => {
    await using state = await open(home);
    const { runs } = state.store;
    const startedAt = '2026-01-01T00:00:00.000Z';
    for (const id of ['1', '2', '3']) {
      await runs.create({ ...runOf('orders'), id, startedAt });
      await runs.finish(id, { state: 'succeeded', counts: emptyCounts(), error: null });
    }
    assert.deepEqual(
      (await runs.list({ sync: 'orders', limit: 2 })).map(({ id }) => id),
      ['3', '2'],
    );
    assert.equal((await runs.latest('orders'))?.id, '3');
    assert.equal((await runs.list()).length, 3);
  });

  it('interrupts what a dead process of the same data folder left running, and nothing else', async () => {
    const options = await home.fresh();
    const dead = await openStore({ ...options, lock: { node: 'here', owner: 'dead' } });
    const abandoned = await dead.runs.create(runOf('orders'));
    await dead.runs.saveCheckpoint(abandoned.id, 7, { ...emptyCounts(), read: 7, delivered: 7 });
    const elsewhere = await openStore({ ...options, lock: { node: 'elsewhere', owner: 'other' } });
    const foreign = await elsewhere.runs.create(runOf('other'));

    const looking = await openStore(options);
    assert.equal((await looking.runs.get(abandoned.id))?.state, 'running');
    const next = await openStore({ ...options, lock: { node: 'here', owner: 'next' } });
    assert.equal((await next.runs.get(abandoned.id))?.state, 'interrupted');
    assert.equal((await next.runs.get(foreign.id))?.state, 'running');

    const resumed = await next.runs.resume(abandoned.id);
    assert.deepEqual([resumed.checkpoint, resumed.counts.read, resumed.startedAt], [7, 7, abandoned.startedAt]);
    // The dead one was only slow: it may not write over the run that was taken from it.
    await assert.rejects(dead.runs.saveCheckpoint(abandoned.id, 8, emptyCounts()), isConflict);
    await assert.rejects(
      dead.runs.finish(abandoned.id, { state: 'failed', counts: emptyCounts(), error: null }),
      isConflict,
    );
    for (const store of [dead, elsewhere, looking, next]) await store.close();
  });
}

function deadLetters(home: Home): void {
  it('keeps dead letters byte for byte', async () => {
    await using state = await open(home);
    const { deadLetters } = state.store;
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const letter: DeadLetter = {
      ...letterOf('orders', 'orders.csv:17'),
      reason: 'has a \u0000 in it, and \ud83d\ude00',
      topic: 'orders',
      partition: 2 ** 31,
      key: Buffer.alloc(0),
      value: bytes,
      headers: [
        ['twice', bytes],
        ['twice', null],
        ['empty', Buffer.alloc(0)],
      ],
      timestampMs: 1_700_000_000_123,
      raw: bytes.subarray(3, 9),
      partitionKey: bytes.subarray(9),
      identity: 'orders-17',
      attempts: 3,
    };
    await deadLetters.add([letter, letterOf('orders', null)]);
    const [second, first] = await deadLetters.list({ sync: 'orders' });
    const { id, createdAt, ...kept } = first!;
    assert.deepEqual(kept, { ...letter, reason: 'has a \ufffd in it, and \ud83d\ude00' });
    assert.ok(id > 0 && id < second!.id);
    assert.match(createdAt, /Z$/);
    assert.deepEqual([second?.key, second?.value, second?.raw, second?.topic], [null, null, null, null]);
    assert.deepEqual([second?.partitionKey, second?.identity], [null, `orders/${second?.id}`]);
  });

  it('resolves when they are durable, however many call at once', async () => {
    await using state = await open(home);
    const { deadLetters } = state.store;
    const calls = Array.from({ length: 300 }, (_, call) =>
      deadLetters.add(Array.from({ length: call % 9 }, (_, index) => letterOf('events', `${call}:${index}`))),
    );
    await Promise.all(calls);
    const expected = Array.from({ length: 300 }, (_, call) => call % 9).reduce((sum, count) => sum + count, 0);
    const groups = await deadLetters.count({ sync: 'events' });
    assert.deepEqual(
      groups.map(({ code, count }) => ({ code, count })),
      [{ code: 'mapping_failed', count: expected }],
    );
    const listed = await deadLetters.list({ sync: 'events', limit: 10_000 });
    assert.equal(new Set(listed.map(({ position }) => position)).size, expected);
  });

  it('keeps one for each record of a run, also when the run meets it again under another mapping, and events each time', async () => {
    await using state = await open(home);
    const { deadLetters } = state.store;
    const ofRun = { ...letterOf('orders', 'orders.csv:3'), run: 'run-1', raw: Buffer.from('a,b') };
    await deadLetters.add([ofRun, ofRun]);
    const again = { ...ofRun, reason: 'another', headers: [['version', Buffer.from('2')]] as const };
    await deadLetters.add([again, { ...ofRun, position: 'orders.csv:4' }, { ...ofRun, run: 'run-2' }]);
    assert.equal((await deadLetters.list({ run: 'run-1' })).length, 2);
    assert.equal((await deadLetters.list({ run: 'run-2' })).length, 1);
    await deadLetters.add([letterOf('events', 'e'), letterOf('events', 'e')]);
    assert.equal((await deadLetters.list({ sync: 'events' })).length, 2);
  });

  it('pages from the newest, and counts by code', async () => {
    await using state = await open(home);
    const { deadLetters } = state.store;
    await deadLetters.add(['1', '2', '3', '4', '5'].map((position) => letterOf('orders', position)));
    await deadLetters.add([{ ...letterOf('orders', '6'), code: 'too_large' }]);
    const page = await deadLetters.list({ sync: 'orders', limit: 2 });
    const next = await deadLetters.list({ sync: 'orders', limit: 2, before: page[1]!.id });
    assert.deepEqual(
      [...page, ...next].map(({ position }) => position),
      ['6', '5', '4', '3'],
    );
    const [first, last] = (await deadLetters.list({ sync: 'orders', limit: 6 })).slice(1).toReversed();
    const groups = await deadLetters.count();
    assert.deepEqual(
      groups.map(({ code, count }) => ({ code, count })),
      [
        { code: 'mapping_failed', count: 5 },
        { code: 'too_large', count: 1 },
      ],
    );
    assert.ok(groups[0]!.firstAt === first!.createdAt && groups[0]!.lastAt >= last!.createdAt);
    assert.equal(groups[0]!.example, first!.reason);
  });

  it('goes through those of a sync from the oldest, forgets some, and keeps the newest reason of others', async () => {
    await using state = await open(home);
    const { deadLetters } = state.store;
    await deadLetters.add(['1', '2', '3', '4'].map((position) => letterOf('orders', position)));
    await deadLetters.add([letterOf('other', '1'), { ...letterOf('orders', '5'), code: 'too_large' }]);
    const [one, two, ...rest] = await deadLetters.page('orders', 0, 10);
    assert.deepEqual([one?.position, two?.position, rest.length], ['1', '2', 3]);
    assert.deepEqual(
      (await deadLetters.page('orders', two!.id, 2)).map(({ position }) => position),
      ['3', '4'],
    );
    await deadLetters.remove([one!.id, 4711]);
    await deadLetters.rejectedAgain(two!.id, { code: 'too_large', reason: 'now \0 this', field: 'value' });
    const [changed] = await deadLetters.page('orders', 0, 1);
    assert.deepEqual([changed?.code, changed?.reason, changed?.field], ['too_large', 'now \ufffd this', 'value']);
    assert.equal(await deadLetters.clear('orders', 'too_large'), 2);
    assert.equal(await deadLetters.clear('orders'), 2);
    assert.equal((await deadLetters.list({})).length, 1);
  });

  it('tells every caller of a commit that failed', async () => {
    await using state = await open(home);
    const { deadLetters } = state.store;
    const broken = { ...letterOf('orders', null), sync: null as unknown as string };
    const first = deadLetters.add([letterOf('orders', 'alone')]);
    const shared = await Promise.allSettled([deadLetters.add([letterOf('orders', 'x')]), deadLetters.add([broken])]);
    await first;
    assert.deepEqual(
      shared.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await deadLetters.add([letterOf('orders', 'after')]);
    assert.deepEqual(
      (await deadLetters.list({ sync: 'orders' })).map(({ position }) => position),
      ['after', 'alone'],
    );
  });
}

function reopening(home: Home): void {
  it('is there when it is opened again', async () => {
    const options = await home.fresh();
    const first = await openStore(options);
    await first.objects.apply({ put: [object('source', 'a')], remove: [] });
    await first.deadLetters.add([letterOf('orders', '1')]);
    await first.close();
    const second = await openStore(options);
    assert.equal((await second.objects.list()).length, 1);
    assert.equal((await second.deadLetters.list({})).length, 1);
    await second.close();
  });

  // Two connections to one SQLite file within one process would wait for each other: `store-crash.test.ts` has that case.
  if (home.name === 'SQLite') return;
  it('is made once by two that open it together', async () => {
    const options = await home.fresh();
    const stores = await Promise.all([openStore(options), openStore(options)]);
    await stores[0].meta.set('k', 'v');
    assert.equal(await stores[1].meta.get('k'), 'v');
    for (const store of stores) await store.close();
  });
}

function sqliteHome(): Home {
  const folders: string[] = [];
  return {
    name: 'SQLite',
    skip: false,
    start: async () => {},
    async fresh() {
      const dataFolder = mkdtempSync(join(tmpdir(), 'headrace-store-'));
      folders.push(dataFolder);
      return { dataFolder, databaseUrl: null };
    },
    async stop() {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function postgresHome(binaries: 'npm' | 'machine'): Home {
  let server: TestPostgres;
  return {
    name: `PostgreSQL (${binaries})`,
    skip: hasPostgres(binaries) ? false : `no PostgreSQL binaries: ${binaries}`,
    async start() {
      server = await startPostgres({ binaries });
    },
    async fresh() {
      return { dataFolder: tmpdir(), databaseUrl: new Secret(await server.createDatabase()) };
    },
    stop: () => server.stop(),
  };
}

async function open(home: Home): Promise<{ store: Store } & AsyncDisposable> {
  const store = await openStore(await home.fresh());
  return { store, [Symbol.asyncDispose]: () => store.close() };
}

function object(kind: WrittenObject['kind'], name: string, body: WrittenObject['body'] = {}): WrittenObject {
  return { kind, name, body };
}

function runOf(sync: string): Parameters<Store['runs']['create']>[0] {
  return { id: randomId(), sync, cause: 'manual', startedAt: '2026-01-01T00:00:00.000Z' };
}

function letterOf(sync: string, position: string | null): DeadLetter {
  return {
    sync,
    run: null,
    code: 'mapping_failed',
    reason: 'no such field',
    field: 'key',
    position,
    topic: null,
    partition: null,
    key: null,
    value: null,
    headers: [],
    timestampMs: null,
    raw: null,
  };
}

function isConflict(error: HeadraceError): boolean {
  return error instanceof HeadraceError && error.code === 'conflict' && error.remedy !== undefined;
}
