/** Free ports, and who holds a taken one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts, isFree, portHolder } from './ports.ts';

test('free ports differ, are free, and lie below those that systems give to outgoing connections', async () => {
  const ports = await freePorts(20);
  assert.equal(new Set(ports).size, 20);
  for (const port of ports) {
    assert.ok(port < 32_768);
    assert.ok(await isFree(port));
  }
});

for (const host of ['127.0.0.1', '0.0.0.0', '::'])
  test(`a port on ${host} is taken, by this process`, { skip: process.platform !== 'linux' }, async (t) => {
    const [port = 0] = await freePorts(1);
    const server = createServer().listen(port, host);
    try {
      await once(server, 'listening');
    } catch {
      return t.skip('no such address here');
    }
    assert.equal(await isFree(port), false);
    assert.equal(portHolder(port)?.pid, process.pid);
    server.close();
    await once(server, 'close');
    assert.equal(await isFree(port), true);
    assert.equal(portHolder(port), null);
  });
