/** How much memory uploads may hold, and when they give it back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { Uploads } from './body.ts';

describe('uploads', { timeout: 30_000 }, () => {
  const uploads = new Uploads(1000_000);
  const told: string[] = [];
  const server = createServer((request, response) => {
    const tell = (what: string): void => {
      told.push(what);
      response.end(what);
    };
    uploads.read(request, 600_000, {
      bodyArrived: (body) => tell(`arrived ${body.length}`),
      bodyTooLarge: () => tell('too large'),
      bodyEvicted: () => tell('evicted'),
    });
  });
  const sockets: Socket[] = [];
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  async function begin(announced: number, sent: number): Promise<Socket> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${announced}\r\n\r\n${'x'.repeat(sent)}`);
    return socket;
  }

  test('what is whole or gone holds no memory', async () => {
    const whole = await begin(400_000, 10);
    await until('it has begun', () => uploads.heldBytes === 400_000);
    const gone = await begin(300_000, 10);
    await until('the other has begun', () => uploads.heldBytes === 700_000);
    gone.resetAndDestroy();
    await until('its memory is free', () => uploads.heldBytes === 400_000);
    whole.write('x'.repeat(399_990));
    await until('it has arrived', () => told.includes('arrived 400000'));
    assert.equal(uploads.heldBytes, 0);
  });

  test('beyond the bound the oldest is given up, and its memory is free at once', async () => {
    told.length = 0;
    const first = await begin(400_000, 10);
    await until('the first has begun', () => uploads.heldBytes === 400_000);
    const second = await begin(500_000, 10);
    await until('the second has begun', () => uploads.heldBytes === 900_000);
    const third = await begin(200_000, 10);
    await until('the first is given up', () => told.includes('evicted'));
    assert.equal(uploads.heldBytes, 700_000);
    first.write('x'.repeat(399_990));
    second.write('x'.repeat(499_990));
    third.write('x'.repeat(199_990));
    await until('the others arrive', () => told.length === 3);
    assert.deepEqual(told.slice(1).sort(), ['arrived 200000', 'arrived 500000']);
    assert.equal(uploads.heldBytes, 0);
  });

  test('what announces too much is refused and holds nothing', async () => {
    told.length = 0;
    await begin(600_001, 10);
    await until('it is refused', () => told.length === 1);
    assert.deepEqual([told, uploads.heldBytes], [['too large'], 0]);
  });

  test('one alone may take what one may take', async () => {
    const tight = new Uploads(1000);
    const evicted: unknown[] = [];
    tight.hold({ evict: () => evicted.push(1) } as never, 5000);
    assert.deepEqual([evicted, tight.heldBytes], [[], 5000]);
  });
});
