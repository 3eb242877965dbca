/** The server from start to orderly end: readiness, live changes, draining with Kafka up and down, one port for all. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Server } from '../support/headrace.ts';
import { newTopic, ownKafka, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';
import { eventSync, fileSync, rows, track, workplace, yamlFor } from '../support/workplace.ts';

async function get(server: Server, path: string, token?: string): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${server.address}${path}`, { headers });
  return { status: response.status, text: await response.text() };
}

test('it is ready although Kafka is away; health, metrics, page and API answer on the one port', async (t) => {
  const place = workplace(t);
  place.configure(yamlFor('127.0.0.1:1', eventSync('tracks', 'nowhere')));
  const server = await place.start();
  assert.equal((await get(server, '/healthz')).status, 200);
  const ready = await get(server, '/readyz?verbose');
  assert.equal(ready.status, 200);
  assert.equal(JSON.parse(ready.text).destinations[0].name, 'main');
  assert.match((await get(server, '/metrics')).text, /^headrace_build_info\{version="[\d.]+",node="v[\d.]+"\} 1$/m);
  const page = await get(server, '/');
  assert.match(page.text, /tracks/);
  assert.doesNotMatch(page.text, /web-key/);
  assert.equal((await get(server, '/api/status')).status, 401);
  const status = JSON.parse((await get(server, '/api/status', server.token)).text);
  assert.deepEqual(
    status.syncs.map((sync: { name: string; kind: string }) => [sync.name, sync.kind]),
    [['tracks', 'events']],
  );
  const facts = join(place.data, 'server.json');
  assert.equal(JSON.parse(readFileSync(facts, 'utf8')).pid, server.pid);
  assert.equal(statSync(facts).mode & 0o777, 0o600);
  assert.equal((await server.stop()).code, 0);
  assert.throws(() => statSync(facts), /ENOENT/, 'server.json goes with the server');
});

test('log lines are JSON where no person reads them, and tell start and end', async (t) => {
  const place = workplace(t);
  place.configure(yamlFor('127.0.0.1:1', ''));
  const server = await place.start();
  const { stdout, stderr } = await server.stop('SIGINT');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string; time: string });
  assert.equal(stderr, '');
  assert.deepEqual(
    lines.map(({ level, msg }) => `${level} ${msg.split(' ')[0]}`),
    ['info Headrace', 'info Configured:', 'info Stopping', 'info Stopped:'],
  );
});

test('a change takes effect in the running server: topic moved, write key replaced, sync switched off', async (t) => {
  const bootstrap = await sharedKafka();
  const [first, second] = [await newTopic(bootstrap, 'live-a'), await newTopic(bootstrap, 'live-b')];
  const place = workplace(t);
  place.configure(yamlFor(bootstrap, eventSync('tracks', first)));
  const server = await place.start();
  const apply = async (yaml: string): Promise<void> => {
    place.configure(yaml);
    const { code, stderr } = await place.run(['apply', '-f', place.config]);
    assert.equal(code, 0, stderr);
  };
  const count = async (topic: string): Promise<number> => (await oracle(bootstrap).readAll(topic)).length;
  assert.equal(await track(server.address, 'u'), 200);
  await apply(yamlFor(bootstrap, eventSync('tracks', second)));
  assert.equal(await track(server.address, 'u'), 200);
  assert.deepEqual([await count(first), await count(second)], [1, 1]);
  await apply(yamlFor(bootstrap, eventSync('tracks', second)).replace('web-key', 'other-key'));
  assert.equal(await track(server.address, 'u'), 401);
  await apply(yamlFor(bootstrap, eventSync('tracks', second)));
  await place.run(['disable', 'tracks']);
  assert.equal(await track(server.address, 'u'), 200);
  assert.equal(await count(second), 1, 'a sync that is off takes nothing');
  await place.run(['disable', 'web']);
  assert.equal(await track(server.address, 'u'), 429, 'a source that is off lets its senders come again');
});

test('SIGTERM under load: every answered event is in Kafka, exit 0 in time; new requests are told to go elsewhere', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'drain', { partitions: 3 });
  const place = workplace(t);
  place.configure(yamlFor(bootstrap, eventSync('tracks', topic)));
  const answered = new Set<string>();
  const refused = new Set<number>();
  for (let round = 0; round < 3; round++) {
    const server = await place.start();
    let over = false;
    const client = async (name: string): Promise<void> => {
      for (let i = 0; !over; i++) {
        const id = `${round}-${name}-${i}`;
        try {
          const status = await track(server.address, id);
          if (status === 200) answered.add(id);
          else refused.add(status);
        } catch {
          return; // the server has gone
        }
      }
    };
    const clients = Array.from({ length: 16 }, (_, index) => client(String(index)));
    await until('events flow', () => answered.size > (round + 1) * 100);
    const startedMs = performance.now();
    const exit = await server.stop();
    over = true;
    assert.equal(exit.code, 0, exit.stdout);
    assert.ok(performance.now() - startedMs < 10_000);
    await Promise.all(clients);
  }
  const read = await oracle(bootstrap).readAll(topic);
  const keys = read.map(({ key }) => String(key));
  const there = new Set(keys);
  assert.deepEqual(
    [...answered].filter((id) => !there.has(id)),
    [],
    'Promise 1: answered and lost',
  );
  assert.equal(keys.length, there.size, 'twice');
  assert.deepEqual(
    [...refused].filter((status) => status !== 503),
    [],
  );
});

test('SIGTERM while Kafka is down, with requests waiting and a run under way: exit 0 within three seconds', async (t) => {
  const kafka = await ownKafka();
  const topic = await newTopic(kafka.bootstrap, 'drain-down');
  const place = workplace(t);
  place.write('rows.jsonl', rows(100_000));
  place.configure(yamlFor(kafka.bootstrap, eventSync('tracks', topic) + fileSync('orders', 'rows.jsonl', topic)));
  const server = await place.start();
  assert.equal(await track(server.address, 'before'), 200);
  await kafka.nodes[0]!.kill();
  const waiting = Array.from({ length: 5 }, (_, index) => track(server.address, `w${index}`).catch(() => 0));
  const run = place.run(['run', 'orders', '--json']);
  await until('all wait', async () => {
    const { destinations } = JSON.parse((await get(server, '/api/status', server.token)).text);
    return destinations[0].pendingMessages > 5;
  });
  const startedMs = performance.now();
  const exit = await server.stop();
  const tookMs = performance.now() - startedMs;
  assert.equal(exit.code, 0, exit.stdout);
  assert.ok(tookMs < 3_500, `${tookMs} ms`);
  for (const status of await Promise.all(waiting)) assert.equal(status, 200, 'on the disk');
  assert.equal((await run).code, 1);

  await kafka.nodes[0]!.restart();
  await place.start({ config: false });
  const last = await place.json(['run', 'orders']);
  assert.deepEqual([last['state'], last['delivered']], ['succeeded', 100_000]);
});

test('a signal that arrives twice is one wish; a second one, later, ends it at once', async (t) => {
  const kafka = await ownKafka();
  const topic = await newTopic(kafka.bootstrap, 'second-signal');
  const place = workplace(t);
  const yaml = yamlFor(kafka.bootstrap, eventSync('tracks', topic));
  place.configure(yaml.replace("'}}", "', spool: false}}"));
  const server = await place.start();
  assert.equal(await track(server.address, 'u'), 200);
  await kafka.nodes[0]!.kill('SIGSTOP');
  t.after(() => kafka.nodes[0]!.kill('SIGCONT'));
  const waiting = track(server.address, 'w').catch(() => 0);
  await until('it waits', async () => {
    const { destinations } = JSON.parse((await get(server, '/api/status', server.token)).text);
    return destinations[0].pendingMessages > 0;
  });
  const signalledMs = performance.now();
  const first = server.stop('SIGTERM');
  // As npm and a terminal do it: each hands the same Ctrl-C on.
  process.kill(server.pid, 'SIGINT');
  await until('it drains', async () => (await get(server, '/readyz')).status === 503);
  await until('more than a second has passed', () => performance.now() - signalledMs > 1_200);
  assert.ok(server.running, 'the doubled signal did not end it');
  const startedMs = performance.now();
  await server.stop('SIGTERM');
  assert.ok(performance.now() - startedMs < 1_000);
  assert.equal((await first).code, 1);
  assert.notEqual(await waiting, 200);
});

test('a port that is taken, a configuration that is wrong: one clear sentence, exit 1, nothing left behind', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const place = workplace(t);
  place.configure(yamlFor('127.0.0.1:1', ''));
  const start = await place.run(['start', '--port', String(port)]);
  assert.equal(start.code, 1);
  assert.match(start.stderr, new RegExp(`^error: Port ${port} is taken`));
  place.configure('destinations: {main: {broker: x}}');
  const wrong = await place.run(['start', '--port', '0', '--config', place.config]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /main\.broker.*brokers/);
  assert.equal((await place.run(['export'])).code, 0, 'the lock is free again');
});

test('a stored object whose reference is gone is left out and told; the rest works', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'left-out');
  const place = workplace(t);
  place.configure(
    yamlFor(bootstrap, eventSync('tracks', topic)).replace(
      'sources:\n',
      "sources:\n  other: {type: events, write_key: '${OTHER_KEY}'}\n",
    ),
  );
  assert.equal((await place.run(['apply', '-f', place.config], { env: { OTHER_KEY: 'k' } })).code, 0);
  const server = await place.start({ config: false });
  assert.equal(await track(server.address, 'u'), 200);
  const { stdout } = await server.stop();
  assert.match(stdout, /"level":"error".*sources\.other\.write_key.*OTHER_KEY/);
});
