/** Clients that are slow, broken, greedy or malicious: bounded, answered, and no harm to the others (F24, P39, S13, S14). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { WRITE_KEY, basic, startCollector } from '../../../test/support/collector.ts';
import type { RunningCollector } from '../../../test/support/collector.ts';
import { until } from '../../../test/support/until.ts';

const authorization = basic(WRITE_KEY);
const event = { userId: 'u1', event: 'Still here' };
const MiB = 1024 * 1024;

function head(path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ Host: 'x', Authorization: authorization, ...headers });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

function post(body: string, path = '/v1/track'): string {
  return head(path, { 'Content-Length': Buffer.byteLength(body) }) + body;
}

describe('hostile clients', { timeout: 60_000 }, () => {
  let collector: RunningCollector;
  const sockets: Socket[] = [];
  before(async () => {
    const server = { headersTimeout: 500, requestTimeout: 1000, connectionsCheckingInterval: 50 };
    collector = await startCollector({
      server: server as never,
      maxUploadBytes: MiB,
      maxWaitingBytes: 256 * 1024,
    });
  });
  after(() => collector.close());
  beforeEach(() => {
    collector.intake.calls.length = 0;
    collector.intake.answer = () => ({ state: 'safe' });
    collector.observed.length = 0;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function dial(): Promise<Socket & { heard: string }> {
    const socket = Object.assign(connect(collector.port, '127.0.0.1'), { heard: '' });
    sockets.push(socket);
    socket.on('data', (chunk) => (socket.heard += String(chunk)));
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  const closed = (socket: Socket): Promise<boolean> => until('the connection is closed', () => socket.closed);

  async function healthy(): Promise<void> {
    assert.equal((await collector.post('/v1/track', event)).status, 200);
  }

  test('heads that never end are cut off, and others are served meanwhile', async () => {
    const slow = await Promise.all(Array.from({ length: 200 }, dial));
    for (const socket of slow) socket.write('POST /v1/track HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    await healthy();
    await Promise.all(slow.map(closed));
    await healthy();
  });

  test('bodies that never end are cut off', async () => {
    const socket = await dial();
    socket.write(`${head('/v1/batch', { 'Content-Length': 100_000 })}{"batch":[`);
    await healthy();
    await closed(socket);
    assert.equal(collector.intake.calls.length, 1);
  });

  test('unfinished uploads share a bounded memory; the oldest is told to come again', async () => {
    const uploads: (Socket & { heard: string })[] = [];
    for (let index = 0; index < 4; index++) {
      const socket = await dial();
      uploads.push(socket);
      socket.write(head('/v1/batch', { 'Content-Length': 400_000 }) + ' '.repeat(1000));
      // Each next one begins when the one before is being read: another request on its line would wait.
      await healthy();
    }
    await until('the first is answered', () => uploads[0]!.heard !== '');
    assert.match(uploads[0]!.heard, /^HTTP\/1\.1 429 [\s\S]*Retry-After: \d+[\s\S]*"overloaded"/);
    assert.equal(uploads[3]!.heard, '');
    uploads[3]!.write(`{"batch":[]}${' '.repeat(400_000 - 1000 - 12)}`);
    await until('the last is answered', () => uploads[3]!.heard !== '');
    assert.match(uploads[3]!.heard, /^HTTP\/1\.1 200 /);
  });

  test('an aborted upload leaves nothing behind', async () => {
    for (let index = 0; index < 10; index++) {
      const socket = await dial();
      socket.write(head('/v1/batch', { 'Content-Length': 400_000 }) + ' '.repeat(300_000));
      await healthy();
      socket.destroy();
    }
    const large = JSON.stringify({ batch: [{ type: 'track', ...event }], filler: 'x'.repeat(400_000) });
    // If those gone still counted against the bound, this one would always be the oldest and given up.
    await until('a large upload is taken', async () => (await collector.post('/v1/batch', large)).status === 200);
  });

  test('a client that goes away while its event is on its way breaks nothing', async () => {
    const say: ((answer: { state: 'safe' }) => void)[] = [];
    collector.intake.answer = () => new Promise((resolve) => say.push(resolve));
    const socket = await dial();
    socket.write(post(JSON.stringify(event)));
    await until('the event is on its way', () => say.length === 1);
    socket.resetAndDestroy();
    await closed(socket);
    say[0]!({ state: 'safe' });
    await until('it is settled', () => collector.observed.length === 1);
    collector.intake.answer = () => ({ state: 'safe' });
    await healthy();
  });

  test('what waits for Kafka is bounded in bytes, however it comes in', async () => {
    const say: ((answer: { state: 'safe' }) => void)[] = [];
    collector.intake.answer = () => new Promise((resolve) => say.push(resolve));
    const body = JSON.stringify({ ...event, properties: { filler: 'x'.repeat(20_000) } });
    const lines = await Promise.all(Array.from({ length: 30 }, dial));
    for (const socket of lines) socket.write(post(body));
    await until('all are waiting or answered', () => say.length + collector.observed.length === 30);
    assert.equal(say.length, 10, '256 KiB hold ten requests of 20 KB and what they need themselves');
    assert.ok(collector.observed.every((answer) => answer.status === 429 && answer.code === 'overloaded'));
    collector.intake.answer = () => ({ state: 'safe' });
    for (const tell of say) tell({ state: 'safe' });
    await until('all are answered', () => collector.observed.length === 30);
    await healthy();
  });

  test('pipelined requests are all answered, in order', async () => {
    const socket = await dial();
    const count = 500;
    const bodies = Array.from({ length: count }, (_, index) => JSON.stringify({ ...event, messageId: `m${index}` }));
    socket.write(bodies.map((body, index) => post(index % 50 === 49 ? '{' : body)).join(''));
    await until('all are answered', () => socket.heard.split('HTTP/1.1 ').length === count + 1);
    const statuses = socket.heard.match(/(?<=HTTP\/1\.1 )\d+/g);
    assert.deepEqual(
      statuses,
      bodies.map((_, index) => (index % 50 === 49 ? '400' : '200')),
    );
    assert.deepEqual(
      collector.intake.events.map((each) => each['messageId']),
      bodies.flatMap((_, index) => (index % 50 === 49 ? [] : [`m${index}`])),
    );
  });

  test('a body may come byte by byte', async () => {
    const socket = await dial();
    socket.setNoDelay(true);
    const body = JSON.stringify({ ...event, name: 'käse' });
    for (const way of ['length', 'chunks'] as const) {
      socket.heard = '';
      if (way === 'length') socket.write(head('/v1/track', { 'Content-Length': Buffer.byteLength(body) }));
      else socket.write(head('/v1/track', { 'Transfer-Encoding': 'chunked' }));
      for (const byte of Buffer.from(body)) {
        const piece = Buffer.of(byte);
        socket.write(way === 'length' ? piece : Buffer.concat([Buffer.from('1\r\n'), piece, Buffer.from('\r\n')]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (way === 'chunks') socket.write('0\r\n\r\n');
      await until('it is answered', () => socket.heard !== '');
      assert.match(socket.heard, /^HTTP\/1\.1 200 /);
    }
    assert.ok(collector.intake.events.every((each) => each['name'] === 'käse'));
  });

  test('a body that announces itself too large is refused before it comes', async () => {
    const socket = await dial();
    socket.write(head('/v1/batch', { 'Content-Length': 10 ** 12 }));
    await until('it is answered', () => socket.heard !== '');
    assert.match(socket.heard, /^HTTP\/1\.1 400 [\s\S]*"event_too_large"/);
  });

  test('a body without end is answered, and its line cut after a while', async () => {
    const socket = await dial();
    socket.write(head('/v1/batch', { 'Transfer-Encoding': 'chunked' }));
    const piece = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    const before = process.memoryUsage().rss;
    let sent = 0;
    while (!socket.destroyed && sent < 64 * MiB) {
      sent += piece.length;
      if (!socket.write(piece)) await until('there is room', () => socket.destroyed || !socket.writableNeedDrain);
    }
    assert.match(socket.heard, /^HTTP\/1\.1 400 [\s\S]*"event_too_large"/);
    assert.ok(sent < 64 * MiB, 'it is cut');
    assert.ok(process.memoryUsage().rss - before < 64 * MiB);
    await healthy();
  });

  test('bombs are not unpacked', async () => {
    const zeros = Buffer.alloc(32 * MiB);
    const bombs: [string, Buffer][] = [
      ['gzip', gzipSync(zeros)],
      ['deflate', deflateSync(zeros)],
      ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
      ['zstd', zstdCompressSync(zeros)],
    ];
    const before = process.memoryUsage().rss;
    for (const [encoding, bomb] of bombs) {
      assert.ok(bomb.length < 500 * 1024, encoding);
      const answer = await collector.post('/v1/batch', bomb, { authorization, 'content-encoding': encoding });
      assert.deepEqual([answer.status, answer.body['code']], [400, 'event_too_large'], encoding);
    }
    assert.ok(process.memoryUsage().rss - before < 16 * MiB, 'memory stays');
  });

  test('a request whose length is ambiguous is refused', async () => {
    const body = JSON.stringify(event);
    for (const headers of [
      { 'Content-Length': body.length, 'Transfer-Encoding': 'chunked' },
      { 'Content-Length': `${body.length}\r\nContent-Length: ${body.length + 1}` },
      { 'Content-Length': `+${body.length}` },
      { 'Transfer-Encoding': 'chunked, identity' },
    ]) {
      const socket = await dial();
      socket.write(`${head('/v1/track', headers as never)}${body}${post(body)}`);
      await closed(socket);
      assert.match(socket.heard, /^HTTP\/1\.1 400 /, JSON.stringify(headers));
      assert.ok(!socket.heard.includes('200'), 'nothing after it is believed either');
    }
    assert.equal(collector.intake.calls.length, 0);
  });
});
