/** Each fault of the proxy, against a server that answers frames with their own correlation id. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { capVersions, frames, producedBatches, rewriteBrokers } from './kafka-frames.ts';
import { startProxy, type KafkaProxy } from './proxy.ts';
import { random } from './random.ts';
import { until } from './until.ts';

let server: Server;
/** Correlation ids of the requests that the server received whole. */
const received: number[] = [];

before(async () => {
  server = createServer((socket) => void serve(socket).catch(() => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => void server.close());

describe('Kafka proxy', { timeout: 20_000 }, () => {
  test('passes frames both ways, however they are cut, and counts them', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    const request = frame(22, 11, 'x'.repeat(5000));
    for (const part of [request.subarray(0, 3), request.subarray(3, 9), request.subarray(9)]) {
      client.socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.socket.write(Buffer.concat([frame(22, 12), frame(22, 13)]));
    assert.deepEqual(await client.answers(3), [11, 12, 13]);
    assert.equal(run.proxy.requests('InitProducerId'), 3);
    assert.equal(run.proxy.connections, 1);
    client.socket.end();
    await until('the connection has gone', () => run.proxy.connections === 0);
  });

  test('cut_before: the server never sees the request, the client sees a reset', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    const hit = run.proxy.inject({ api: 'InitProducerId', after: 1, fault: { do: 'cut_before' } });
    client.socket.write(frame(22, 21));
    assert.deepEqual(await client.answers(1), [21]);
    assert.equal(hit.fired, 0);
    client.socket.write(frame(22, 22));
    assert.equal(await client.error, 'ECONNRESET');
    await hit.done;
    assert.ok(!received.includes(22));
  });

  test('cut_middle: the server gets half a request', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    run.proxy.inject({ api: 'InitProducerId', fault: { do: 'cut_middle' } });
    client.socket.write(frame(22, 31, 'x'.repeat(1000)));
    assert.equal(await client.error, 'ECONNRESET');
    assert.ok(!received.includes(31));
  });

  test('cut_after: the request goes out, and nobody knows what became of it', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    const hit = run.proxy.inject({ api: 'InitProducerId', times: 2, fault: { do: 'cut_after' } });
    client.socket.write(frame(22, 36));
    assert.equal(await client.error, 'ECONNRESET');
    assert.deepEqual(client.heard, []);
    assert.equal(hit.fired, 1);
  });

  for (const connection of ['cut', 'open'] as const) {
    test(`swallow and ${connection}: the server carried the request out, the client never hears of it`, async () => {
      await using run = await start();
      const client = await open(run.proxy);
      const hit = run.proxy.inject({ api: 'InitProducerId', every: 2, times: 1, fault: { do: 'swallow', connection } });
      const id = connection === 'cut' ? 41 : 46;
      client.socket.write(frame(22, id));
      await hit.done;
      assert.ok(received.includes(id));
      if (connection === 'cut') assert.equal(await client.error, 'ECONNRESET');
      else {
        client.socket.write(frame(22, 47));
        assert.deepEqual(await client.answers(1), [47]);
      }
    });
  }

  test('delay keeps an answer back and keeps the order', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    run.proxy.inject({ api: 'InitProducerId', fault: { do: 'delay', ms: 80 } });
    const began = performance.now();
    client.socket.write(Buffer.concat([frame(22, 51), frame(22, 52)]));
    assert.deepEqual(await client.answers(2), [51, 52]);
    assert.ok(performance.now() - began >= 75);
  });

  test('half_open: the client hears nothing and keeps its connection', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    const hit = run.proxy.inject({ api: 'InitProducerId', fault: { do: 'half_open' } });
    client.socket.write(frame(22, 61));
    await hit.done;
    client.socket.write(frame(22, 62));
    const other = await open(run.proxy);
    other.socket.write(frame(22, 63));
    assert.deepEqual(await other.answers(1), [63]);
    assert.equal(client.socket.destroyed, false);
    assert.deepEqual(client.heard, []);
    assert.ok(!received.includes(61) && !received.includes(62));
  });

  test('freeze holds everything, thaw lets it go on', async () => {
    await using run = await start();
    const client = await open(run.proxy);
    run.proxy.freeze();
    client.socket.write(frame(22, 71));
    await until('the proxy has the request', () => run.proxy.requests('InitProducerId') === 1);
    assert.ok(!received.includes(71));
    run.proxy.thaw();
    assert.deepEqual(await client.answers(1), [71]);
  });

  test('one byte at a time, with latency', async () => {
    await using run = await start();
    run.proxy.shape = { pieceBytes: 1, latencyMs: 10, jitterMs: 10 };
    const client = await open(run.proxy);
    client.socket.write(Buffer.concat([frame(22, 81, 'x'.repeat(300)), frame(22, 82)]));
    assert.deepEqual(await client.answers(2), [81, 82]);
  });

  test('scattered resets come as planned, and the same seed plans the same', async () => {
    const kinds = async (): Promise<string[]> => {
      await using run = await start();
      const drawn: string[] = [];
      const plan = { random: random('scatter', 5n), times: 6, requests: { from: 1, to: 4 } };
      const hits = run.proxy.scatterResets(plan);
      for (let id = 1000; hits.fired < 6; id++) {
        const client = await open(run.proxy);
        const before = received.length;
        client.socket.write(produce(id));
        const outcome = await Promise.race([client.answers(1), client.error]);
        drawn.push(`${typeof outcome === 'string' ? 'cut' : 'answer'}${received.length > before ? '' : ' unseen'}`);
        client.socket.destroy();
      }
      assert.equal(drawn.filter((text) => text.startsWith('cut')).length, 6);
      return drawn.map((text) => text.slice(0, 3));
    };
    assert.deepEqual(await kinds(), await kinds());
  });

  test('resets by time, a closed door, and nothing left open at the end', async () => {
    const run = await start();
    const clients = await Promise.all([open(run.proxy), open(run.proxy), open(run.proxy)]);
    const hits = run.proxy.scatterResets({ random: random('time', 5n), times: 3, perSecond: 200 });
    await Promise.all(clients.map((client) => client.error));
    await hits.done;
    run.proxy.accept(false);
    const refused = await open(run.proxy).catch(() => null);
    if (refused !== null) assert.equal(await refused.error, 'ECONNRESET');
    run.proxy.accept(true);
    run.proxy.freeze();
    await open(run.proxy);
    await run.proxy.close();
    assert.equal(run.proxy.connections, 0);
  });

  test('a broker that is not there looks so to the client', async () => {
    const proxy = await startProxy({ brokers: [{ host: '127.0.0.1', port: 1 }] });
    const client = await open(proxy);
    assert.equal(await client.error, 'ECONNRESET');
    await proxy.close();
  });
});

test('a Produce request is read with its batches, and its batch numbers', () => {
  const { acks, batches } = producedBatches(produce(7, 1234n, 17));
  assert.equal(acks, -1);
  assert.equal(batches.length, 1);
  const { bytes, codec, ...numbers } = batches[0]!;
  assert.deepEqual(numbers, {
    topic: 'orders',
    partition: 3,
    producerId: 1234n,
    producerEpoch: 0,
    baseSequence: 17,
    records: 10,
  });
  assert.ok(bytes >= 61);
  assert.equal(codec, 0);
});

test('advertised brokers are replaced in old and new forms of the answer, and nothing else changes', () => {
  const replace = (_host: string, port: number): { host: string; port: number } => ({ host: 'proxy', port: port + 1 });
  const bytes = (...parts: (string | number[])[]): Buffer =>
    Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const framed = (body: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, body.length]), body]);
  const old = (host: string, port: number): Buffer =>
    framed(
      bytes([0, 0, 0, 9], [0, 0, 0, 1], [0, 0, 0, 5], [0, host.length], host, [0, 0, 0, port], [255, 255], 'rest'),
    );
  assert.deepEqual(rewriteBrokers(old('broker', 92), 1, replace), old('proxy', 93));
  const flexible = (host: string, port: number): Buffer =>
    framed(
      bytes([0, 0, 0, 9, 0], [0, 0, 0, 0], [2], [0, 0, 0, 5], [host.length + 1], host, [0, 0, 0, port], [0, 0], 'rest'),
    );
  assert.deepEqual(rewriteBrokers(flexible('broker', 92), 12, replace), flexible('proxy', 93));
});

test('the versions that a broker offers are capped, and no others', () => {
  const answer = (produce: number): Buffer =>
    Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 3, 0, 0, 0, 0, 0, produce, 0, 0, 1, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0]);
  const frame = answer(13);
  capVersions(frame, 3, { Produce: 7 });
  assert.deepEqual(frame, answer(7));
  capVersions(frame, 3, { Produce: 9 });
  assert.deepEqual(frame, answer(7));
});

async function start(): Promise<{ proxy: KafkaProxy; [Symbol.asyncDispose](): Promise<void> }> {
  const { port } = server.address() as AddressInfo;
  const proxy = await startProxy({ brokers: [{ host: '127.0.0.1', port }] });
  return { proxy, [Symbol.asyncDispose]: () => proxy.close() };
}

interface Client {
  readonly socket: Socket;
  readonly heard: number[];
  /** Waits for this many answers and gives their correlation ids. */
  answers(count: number): Promise<number[]>;
  /** The code of the error that ended the connection. */
  readonly error: Promise<string>;
}

async function open(proxy: KafkaProxy): Promise<Client> {
  const socket = connect(proxy.ports[0]!, '127.0.0.1');
  const heard: number[] = [];
  const error = new Promise<string>((resolve) =>
    socket.once('error', (e: Error & { code?: string }) => resolve(e.code!)),
  );
  socket.on('data', () => {});
  socket.pause();
  void (async () => {
    for await (const answer of frames(socket)) heard.push(answer.readInt32BE(4));
  })().catch(() => {});
  await Promise.race([once(socket, 'connect'), error]);
  return {
    socket,
    heard,
    error,
    answers: async (count) => {
      const enough = (): boolean => heard.length >= count || socket.destroyed;
      await until(`${count} answers`, enough, { deadlineMs: 5000, everyMs: 2 });
      return heard.slice(-count);
    },
  };
}

async function serve(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  for await (const request of frames(socket)) {
    const id = request.readInt32BE(8);
    received.push(id);
    const answer = Buffer.from([0, 0, 0, 5, 0, 0, 0, 0, 1]);
    answer.writeInt32BE(id, 4);
    socket.write(answer);
  }
}

/** A request of API `key`, version 0. */
function frame(key: number, id: number, body = ''): Buffer {
  const head = Buffer.alloc(14);
  head.writeInt16BE(key, 4);
  head.writeInt32BE(id, 8);
  head.writeInt16BE(-1, 12);
  const whole = Buffer.concat([head, Buffer.from(body)]);
  whole.writeInt32BE(whole.length - 4);
  return whole;
}

/** A Produce request of version 11 with one batch of ten for partition 3 of `orders`. */
function produce(id: number, producerId = 1n, sequence = 0): Buffer {
  const batch = Buffer.alloc(61);
  batch.writeInt32BE(61 - 12, 8);
  batch[16] = 2;
  batch.writeBigInt64BE(producerId, 43);
  batch.writeInt32BE(sequence, 53);
  batch.writeInt32BE(10, 57);
  const body = Buffer.concat([
    Buffer.from([0, 0, 0xff, 0xff, 0, 0, 0x13, 0x88, 2, 7]),
    Buffer.from('orders'),
    Buffer.from([2, 0, 0, 0, 3, 62]),
    batch,
    Buffer.from([0, 0, 0]),
  ]);
  const request = frame(0, id, 'x'.repeat(body.length));
  request.writeInt16BE(11, 6);
  body.copy(request, 14);
  return request;
}
