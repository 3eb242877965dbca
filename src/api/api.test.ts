/** The API over real HTTP, and the client that speaks to it, before a service that holds nothing. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { fastify } from 'fastify';
import { fakeService, progress, runFacts } from '../../test/support/fake-service.ts';
import { rawNumber } from '../base/json.ts';
import { Secret } from '../base/secret.ts';
import { HeadraceError, type JsonValue } from '../model/index.ts';
import type { TelemetryEvent } from '../telemetry/index.ts';
import { createApi } from './api.ts';
import { createClient } from './contract/client.ts';
import type { HeadraceService, TailMessage } from './contract/service.ts';
import { addDestinations } from './routes/destinations.ts';
import { addHealth } from './routes/health.ts';
import { addObjects } from './routes/objects.ts';
import { addOpenApi, operations } from './routes/openapi.ts';
import { addRuns } from './routes/runs.ts';
import { addSyncs } from './routes/syncs.ts';
import { addTopics } from './routes/topics.ts';

const token = 'a-token-of-this-test';
const health = {
  ready: true,
  draining: false,
  address: 'http://127.0.0.1:8080',
  metricsText: () => Promise.resolve({ contentType: 'text/plain', body: 'headrace_build_info 1\n' }),
};

async function serve(
  t: TestContext,
  service: HeadraceService,
  facts: Partial<typeof health> = {},
): Promise<{ address: string; client: HeadraceService; events: TelemetryEvent[] }> {
  const events: TelemetryEvent[] = [];
  const options = { service, token: new Secret(token), health: { ...health, ...facts } };
  const api = await createApi({ ...options, emit: (event) => events.push(event) });
  const server = createServer((request, response) => api.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await api.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { address, client: createClient(address, new Secret(token)), events };
}

test('the API needs its token, health and metrics do not', async (t) => {
  const { address } = await serve(t, fakeService());
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(address + path, { headers })).status;
  assert.equal(await status('/api/status'), 401);
  assert.equal(await status('/api/status', { authorization: 'Bearer wrong' }), 401);
  assert.equal(await status('/api/status', { authorization: `Basic ${token}` }), 401);
  assert.equal(await status('/api/openapi.json'), 401);
  assert.equal(await status('/api/nothing'), 401);
  assert.equal(await status('/api/status', { authorization: `Bearer ${token}` }), 200);
  for (const path of ['/healthz', '/livez', '/readyz', '/metrics', '/']) assert.equal(await status(path), 200, path);
});

test('an error is a problem document with code, path and remedy, and reaches the client whole', async (t) => {
  const refused = new HeadraceError('topic_missing', 'There is no topic x.', { path: 'a.b', remedy: 'Make it.' });
  const { address, client } = await serve(t, fakeService({ topics: () => Promise.reject(refused) }));
  const response = await fetch(`${address}/api/destinations/main/topics`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 404);
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const { code, detail, path, remedy } = (await response.json()) as Record<string, unknown>;
  assert.deepEqual(
    { code, detail, path, remedy },
    {
      code: 'topic_missing',
      detail: 'There is no topic x.',
      path: 'a.b',
      remedy: 'Make it.',
    },
  );
  await assert.rejects(client.topics('main'), (error: HeadraceError) => {
    assert.deepEqual(
      [error.code, error.message, error.path, error.remedy],
      ['topic_missing', 'There is no topic x.', 'a.b', 'Make it.'],
    );
    return true;
  });
});

test('what went wrong inside is logged, not answered', async (t) => {
  const secret = 'postgres://user:hunter2@db';
  const { address, events } = await serve(t, fakeService({ status: () => Promise.reject(new Error(secret)) }));
  const response = await fetch(`${address}/api/status`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /hunter2/);
  assert.equal(events[0]?.kind, 'request_failed');
});

test('a body that is no JSON, or lacks a field, is refused with the field', async (t) => {
  const { address } = await serve(t, fakeService());
  const post = async (body: string): Promise<Record<string, unknown>> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${address}/api/apply`, { method: 'POST', headers, body });
    assert.equal(response.status, 400);
    return (await response.json()) as Record<string, unknown>;
  };
  assert.equal((await post('{')).code, 'json_invalid');
  assert.equal((await post('{}')).path, 'objects');
  assert.equal((await post('{"objects": [{"kind": "topic"}]}')).path, 'objects[0].kind');
});

test('numbers keep their digits on the way there and back', async (t) => {
  let seen: JsonValue | undefined;
  const { client } = await serve(
    t,
    fakeService({
      preview: (_sync, options) => {
        seen = options.record;
        return Promise.resolve([]);
      },
    }),
  );
  const record = { id: rawNumber('12345678901234567890') as JsonValue, price: rawNumber('1.10') as JsonValue };
  await client.preview('orders', { limit: 1, record, at: null, run: null });
  assert.equal(JSON.stringify(seen), '{"id":12345678901234567890,"price":1.10}');
});

test('progress of a run is streamed, an error within it reaches the client', async (t) => {
  const { client } = await serve(
    t,
    fakeService({
      async *run() {
        yield await Promise.resolve(progress(runFacts('running', { read: 5 }), 10));
        throw new HeadraceError('source_failed', 'The file is gone.', { remedy: 'Bring it back.' });
      },
    }),
  );
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const item of client.run('orders', 'manual', new AbortController().signal)) seen.push(item.done);
  }, /The file is gone\./);
  assert.deepEqual(seen, [10]);
});

test('who hangs up ends the work behind the lines', async (t) => {
  const ended = Promise.withResolvers<void>();
  const message: TailMessage = {
    topic: 't',
    partition: 0,
    offset: '9007199254740993',
    timestamp: 1,
    key: null,
    headers: [],
    value: 'v',
  };
  const { client } = await serve(
    t,
    fakeService({
      async *tail(_topic, _options, signal) {
        signal.addEventListener('abort', () => ended.resolve());
        yield message;
        await ended.promise;
      },
    }),
  );
  const stop = new AbortController();
  for await (const item of client.tail('t', { destination: null, fromStart: false }, stop.signal)) {
    assert.deepEqual(item, message);
    stop.abort();
  }
  await ended.promise;
});

test('a run that the client stops is cancelled and its end told', async (t) => {
  const cancelled = Promise.withResolvers<void>();
  const { client } = await serve(
    t,
    fakeService({
      async *run() {
        yield progress(runFacts('running'), 1);
        await cancelled.promise;
        yield progress(runFacts('cancelled'), 1);
      },
      cancel(run) {
        assert.equal(run, 'run-1');
        cancelled.resolve();
        return Promise.resolve(runFacts('cancelled'));
      },
    }),
  );
  const stop = new AbortController();
  const states: string[] = [];
  for await (const item of client.run('orders', 'manual', stop.signal)) {
    states.push(item.run.state);
    stop.abort();
  }
  assert.deepEqual(states, ['running', 'cancelled']);
});

test('while draining it is not ready, and says so', async (t) => {
  const { address } = await serve(t, fakeService(), { draining: true });
  const response = await fetch(`${address}/readyz`);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { ready: false, state: 'draining' });
});

test('the page escapes what comes from outside and loads nothing', async (t) => {
  const name = '<script>alert(1)</script>';
  const plain = await fakeService().status();
  const { address } = await serve(
    t,
    fakeService({
      status: () => Promise.resolve({ ...plain, sources: [{ name, type: 'events', enabled: true }] }),
    }),
  );
  const response = await fetch(`${address}/`);
  const html = await response.text();
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.doesNotMatch(html, /<script/);
  assert.match(html, /&lt;script&gt;/);
  assert.doesNotMatch(html, /src=|https:\/\//);
});

test('the description names every route that there is, and no other', async () => {
  const app = fastify();
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push(`${one} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
  });
  const service = fakeService();
  addHealth(app, service, health);
  for (const add of [addObjects, addDestinations, addSyncs, addRuns, addTopics]) add(app, service);
  addOpenApi(app);
  await app.ready();
  const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  assert.deepEqual(described.sort(), routes.sort());
});
