/** The log of frames: what is written is read back; torn and damaged bytes cost no more than what they hold (P31-P34, P46). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { random } from '../../../test/support/random.ts';
import { RecordedFiles } from '../../../test/support/recorded-files.ts';
import { FOLDER, item } from '../../../test/support/spool.ts';
import type { Header } from '../../model/index.ts';
import { decodeFrame, encodeFrame, frameAt, type Frame } from './frame.ts';
import { Log } from './log.ts';
import { SpoolRefusal } from './refusal.ts';
import { segmentName } from './segment.ts';

const first = join(FOLDER, segmentName(1));

async function openLog(
  files: RecordedFiles,
  options: { segmentBytes?: number; maxBytes?: number; from?: number } = {},
): Promise<{ log: Log; warnings: string[] }> {
  const warnings: string[] = [];
  const warned = (message: string): void => void warnings.push(message);
  const log = await Log.open({
    files,
    folder: FOLDER,
    segmentBytes: 1 << 20,
    maxBytes: 1 << 30,
    from: 0,
    warned,
    ...options,
  });
  return { log, warnings };
}

function append(log: Log, ids: readonly string[]): Promise<void> {
  const encode = (firstSequence: number): Buffer =>
    encodeFrame({ firstSequence, acceptedAtMs: 5, messages: ids.map((id) => item(id)) });
  return log.append(ids.length, encode).flushed;
}

async function readAll(log: Log, bytes = 4000): Promise<Frame[]> {
  const all: Frame[] = [];
  for (let at = log.positionOf(0); ;) {
    const { frames, next } = await log.read(at, bytes);
    if (frames.length === 0) return all;
    all.push(...frames);
    at = next;
  }
}

const idsOf = (frames: readonly Frame[]): string[] =>
  frames.flatMap((frame) => frame.messages.map((one) => one.position));

/** 100 frames in one segment, its bytes and where each frame begins. */
async function hundred(): Promise<{ bytes: Buffer; ends: number[] }> {
  const files = new RecordedFiles();
  const { log } = await openLog(files);
  const ends: number[] = [];
  for (let i = 0; i < 100; i++) {
    await append(log, [`m${i}`]);
    ends.push(files.files.get(first)!.bytes.length);
  }
  return { bytes: files.files.get(first)!.bytes, ends };
}

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));

test('the next group is on its way to the disk before those of the last are told, and none is told before its flush', async () => {
  const files = new RecordedFiles();
  const { log } = await openLog(files);
  const count = (kind: 'write' | 'sync'): number => files.steps.filter((step) => step.kind === kind).length;
  await append(log, ['m0']);
  const before = { write: count('write'), sync: count('sync') };
  const told: string[] = [];
  const tell = (name: string) => (): void => {
    told.push(`${name}: ${count('write') - before.write} written, ${count('sync') - before.sync} flushed`);
  };
  let others: Promise<void>[] = [];
  // While the first is flushed, so that they are a group of their own.
  files.before = (kind) => {
    if (kind === 'sync' && others.length === 0)
      others = [append(log, ['m2']).then(tell('second')), append(log, ['m3']).then(tell('third'))];
  };
  await append(log, ['m1']).then(tell('first'));
  await Promise.all(others);
  assert.deepEqual(told, [
    'first: 2 written, 1 flushed',
    'second: 2 written, 2 flushed',
    'third: 2 written, 2 flushed',
  ]);
  await log.close();
});

test('any message comes back as it was, byte for byte', () => {
  const message = fc.record({
    topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,20}$/),
    partition: fc.option(fc.integer({ min: -5 })),
    key: bytesOrNull,
    value: bytesOrNull,
    own: fc.boolean(),
    other: bytesOrNull,
    headers: fc.array(fc.tuple(fc.string(), bytesOrNull), { maxLength: 4 }),
    timestampMs: fc.maxSafeInteger(),
  });
  const spooled = fc.record({ message, route: fc.string(), position: fc.string() });
  const property = fc.property(fc.array(spooled, { maxLength: 8 }), fc.nat(), (given, firstSequence) => {
    const messages = given.map(({ message: { own, other, ...rest }, ...place }) => {
      const partitionKey = own ? rest.key : other;
      return { ...place, message: { ...rest, partitionKey, headers: rest.headers as unknown as Header[] } };
    });
    const frame = { firstSequence, acceptedAtMs: 7, messages };
    const bytes = encodeFrame(frame);
    assert.deepEqual(frameAt(bytes, 0), { end: bytes.length });
    assert.deepEqual(decodeFrame(bytes, 0, bytes.length), frame);
  });
  fc.assert(property, { numRuns: 300 });
});

test('what is flushed is read back in order, across segments and restarts, and removed from the front', async () => {
  const files = new RecordedFiles();
  const { log } = await openLog(files, { segmentBytes: 500 });
  const waits = Array.from({ length: 40 }, (_, i) => append(log, [`a${i}`, `b${i}`]));
  await Promise.all(waits.slice(0, 1));
  await Promise.all(waits);
  await append(log, ['last']);
  const expected = [...Array.from({ length: 40 }, (_, i) => [`a${i}`, `b${i}`]).flat(), 'last'];
  assert.deepEqual(idsOf(await readAll(log)), expected);
  await log.close();
  const again = await openLog(files, { segmentBytes: 500 });
  assert.equal(again.log.nextSequence, 81);
  assert.deepEqual(idsOf(await readAll(again.log)), expected);
  await append(again.log, ['after']);
  const [frame] = (await again.log.read(again.log.positionOf(80), 10_000)).frames.slice(-1);
  assert.equal(frame!.firstSequence + frame!.messages.length >= 81, true);
  await again.log.removeBefore(82);
  assert.deepEqual(
    [...files.files.keys()].filter((path) => path.endsWith('.seg')),
    [],
  );
  assert.equal(again.log.bytes, 0);
  assert.deepEqual(again.warnings, []);
});

test('one flush serves all that wait', async () => {
  const files = new RecordedFiles();
  const { log } = await openLog(files);
  await append(log, ['first']);
  const before = files.steps.filter((step) => step.kind === 'sync').length;
  await Promise.all(Array.from({ length: 50 }, (_, i) => append(log, [`m${i}`])));
  const syncs = files.steps.filter((step) => step.kind === 'sync').length - before;
  assert.ok(syncs <= 2, `${syncs} flushes`);
});

test('cut off at every byte of a segment of 100 frames: all whole frames before are there, the rest is cut and not told as damage', async () => {
  const { bytes, ends } = await hundred();
  for (let length = 0; length <= bytes.length; length++) {
    const files = new RecordedFiles(new Map([[first, bytes.subarray(0, length)]]));
    const { log, warnings } = await openLog(files);
    const whole = ends.filter((end) => end <= length).length;
    assert.equal(log.nextSequence, whole);
    if (length % 11 === 0 || length > bytes.length - 100) {
      await append(log, ['new']);
      const expected = [...Array.from({ length: whole }, (_, i) => `m${i}`), 'new'];
      assert.deepEqual(idsOf(await readAll(log)), expected, `cut at byte ${length}`);
    }
    const kept = files.files.get(first)?.bytes.length ?? 0;
    assert.equal(kept, whole === 0 ? (kept === 0 ? 0 : kept) : ends[whole - 1], `byte ${length}`);
    assert.equal(warnings.filter((line) => line.includes('damaged')).length, 0, warnings.join());
  }
});

test('F21: bytes turned: never a crash, no loss beyond the frames that were hit, and it is told', async () => {
  const { bytes, ends } = await hundred();
  const draw = random('byte flips');
  const rounds = process.env['HEADRACE_CHAOS'] === 'long' ? 200_000 : 2_000;
  for (let round = 0; round < rounds; round++) {
    const damaged = Buffer.from(bytes);
    const hit = new Set<number>();
    for (let flips = draw.between(1, 3); flips > 0; flips--) {
      const at = draw.between(32, bytes.length - 1);
      damaged[at]! ^= 1 << draw.below(8);
      hit.add(ends.findIndex((end) => at < end));
    }
    const { log, warnings } = await openLog(new RecordedFiles(new Map([[first, damaged]])));
    const there = new Set(idsOf(await readAll(log)));
    for (let i = 0; i < 100; i++)
      if (!hit.has(i)) assert.ok(there.has(`m${i}`), `m${i} is lost, hit were ${[...hit].join()}`);
    assert.ok(there.size >= 100 - hit.size);
    if (there.size < 100) assert.ok(warnings.length > 0, 'nobody was told');
  }
});

test('a damaged header, index of nothing: the frames are read all the same', async () => {
  const { bytes } = await hundred();
  for (let at = 0; at < 32; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0xff;
    const { log, warnings } = await openLog(new RecordedFiles(new Map([[first, damaged]])));
    assert.equal((await readAll(log)).length, 100);
    assert.ok(warnings.length > 0);
  }
});

test('a file of which nothing can be read is kept aside and told, wherever it stands (P32)', async () => {
  for (const which of [1, 2, 3]) {
    const files = new RecordedFiles();
    const { log } = await openLog(files, { segmentBytes: 400 });
    for (let i = 0; i < 12; i++) await append(log, [`m${i}`]);
    await log.close();
    const names = [...files.files.keys()];
    assert.ok(names.length >= 3, names.join());
    const path = which === 3 ? names.at(-1)! : join(FOLDER, segmentName(which));
    files.files.get(path)!.bytes.fill(0);
    const again = await openLog(files, { segmentBytes: 400 });
    assert.equal(again.warnings.length, 1, `file ${which}: nobody was told`);
    assert.match(again.warnings[0]!, /can be read: it is kept with the ending \.damaged/);
    assert.ok(files.files.has(`${path}.damaged`));
    assert.ok(idsOf(await readAll(again.log)).length > 0, 'the others are read all the same');
  }
});

test('damage in the middle: what stands before and behind is read, the file is kept aside', async () => {
  const files = new RecordedFiles();
  const { log } = await openLog(files, { segmentBytes: 400 });
  for (let i = 0; i < 30; i++) await append(log, [`m${i}`]);
  await log.close();
  const second = files.files.get(join(FOLDER, segmentName(2)))!;
  second.bytes[60]! ^= 1;
  const again = await openLog(files, { segmentBytes: 400 });
  const ids = idsOf(await readAll(again.log));
  assert.equal(ids.length, 29);
  assert.equal(again.warnings.length, 1);
  await again.log.removeBefore(30);
  assert.deepEqual([...files.files.keys()], [`${join(FOLDER, segmentName(2))}.damaged`]);
});

test('a segment of a newer format is refused with both formats named', async () => {
  const { bytes } = await hundred();
  const newer = Buffer.from(bytes);
  newer.writeUInt32LE(9, 8);
  const { crc32c } = await import('../../base/crc32c.ts');
  newer.writeUInt32LE(crc32c(newer.subarray(0, 28)), 28);
  await assert.rejects(
    openLog(new RecordedFiles(new Map([[first, newer]]))),
    /format 9; this version reads formats up to 1/,
  );
});

test('beyond its limit it refuses, and takes again once there is room', async () => {
  const files = new RecordedFiles();
  const { log } = await openLog(files, { maxBytes: 1000, segmentBytes: 300 });
  let taken = 0;
  assert.throws(() => {
    for (;;) {
      void append(log, [`m${taken}`]);
      taken++;
    }
  }, SpoolRefusal);
  await log.append(0, () => Buffer.alloc(0)).flushed.catch(() => undefined);
  assert.ok(log.bytes <= 1000);
  await log.removeBefore(taken);
  await append(log, ['again']);
});

test('a flush that fails is not believed: the group goes to a new segment, and nothing that was answered is lost', async () => {
  const files = new RecordedFiles();
  const { log } = await openLog(files);
  await append(log, ['safe']);
  let failures = 0;
  files.before = (kind, path) => {
    if (kind === 'sync' && path === first) {
      failures++;
      throw Object.assign(new Error('input/output error'), { code: 'EIO' });
    }
  };
  await append(log, ['moved']);
  assert.equal(failures, 1);
  assert.ok(files.files.has(join(FOLDER, segmentName(2))));
  files.before = () => undefined;
  assert.deepEqual(idsOf(await readAll(log)), ['safe', 'moved']);
  await log.close();
  const again = await openLog(files);
  assert.deepEqual(idsOf(await readAll(again.log)), ['safe', 'moved']);
});

test('F17: with errors at every tenth step all that was told safe is there, and it goes on by itself', async () => {
  const draw = random('spool errors');
  for (let round = 0; round < 60; round++) {
    const files = new RecordedFiles();
    const { log } = await openLog(files, { segmentBytes: 600 });
    files.before = (kind) => {
      if (draw.chance(0.1)) throw Object.assign(new Error(kind), { code: draw.chance(0.5) ? 'EIO' : 'ENOSPC' });
    };
    const safe: string[] = [];
    for (let i = 0; i < 60; i++) {
      await append(log, [`m${i}`]).then(
        () => safe.push(`m${i}`),
        (error: unknown) => assert.ok(error instanceof SpoolRefusal, String(error)),
      );
    }
    files.before = () => undefined;
    await append(log, ['end']);
    const ids = idsOf(await readAll(log));
    assert.deepEqual(
      ids.filter((id) => safe.includes(id)),
      safe,
    );
    await log.close();
    const again = new Set(idsOf(await readAll((await openLog(files, { segmentBytes: 600 })).log)));
    for (const id of [...safe, 'end']) assert.ok(again.has(id), `${id} is lost after a restart`);
  }
});
