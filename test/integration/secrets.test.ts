/** Promise 8: no secret leaves. A canary in every secret field, every output searched. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { headrace, startHeadrace } from '../support/headrace.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';

const canaries = {
  plainWriteKey: 'canary-plain-write-key-7f3a',
  environmentWriteKey: 'canary-environment-write-key-91bc',
  token: 'canary-token-0d2e5c7788aa',
  secretKey: 'canary-secret-key-5566778899aabbccddeeff00',
};

test('no secret stands in a log, an answer, an export, a metric, a page, a dead letter or the state', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'secrets', { partitions: 1, config: { 'max.message.bytes': '2000' } });
  const folder = mkdtempSync(join(tmpdir(), 'headrace-secrets-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `destinations: {main: {brokers: '${bootstrap}'}}
sources:
  plain: {type: events, write_key: ${canaries.plainWriteKey}}
  environment: {type: events, write_key: '\${WEB_KEY}'}
syncs:
  s: {source: plain, destination: main, message: {topic: ${topic}, key: $.userId, payload: $.}}
  e: {source: environment, destination: main, message: {topic: ${topic}, payload: $.}}
`,
  );
  const data = join(folder, 'data');
  const env = {
    WEB_KEY: canaries.environmentWriteKey,
    HEADRACE_TOKEN: canaries.token,
    HEADRACE_SECRET_KEY: canaries.secretKey,
    LOG_LEVEL: 'trace',
  };
  const server = await startHeadrace({ data, config, env });
  t.after(() => server.kill());
  const outputs: string[] = [];
  const fetched = async (path: string, init: RequestInit = {}): Promise<number> => {
    const response = await fetch(`${server.address}${path}`, init);
    outputs.push(`${path}: ${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`);
    return response.status;
  };
  const basic = (key: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`,
  });
  const event = (properties: object): string => JSON.stringify({ userId: 'u', event: 'E', properties });
  for (const key of [canaries.plainWriteKey, canaries.environmentWriteKey]) {
    assert.equal(await fetched('/v1/track', { method: 'POST', headers: basic(key), body: event({}) }), 200);
    assert.equal(
      await fetched('/v1/track', { method: 'POST', body: JSON.stringify({ writeKey: key, userId: 'u', event: 'E' }) }),
      200,
    );
    assert.equal(
      await fetched('/v1/track', { method: 'POST', headers: basic(key), body: event({ big: 'x'.repeat(5_000) }) }),
      200,
      'too large: a dead letter',
    );
    assert.equal(await fetched('/v1/track', { method: 'POST', headers: basic(key), body: '{"broken' }), 400);
    assert.equal(await fetched('/v1/track', { method: 'POST', headers: basic(`${key}x`), body: event({}) }), 401);
  }
  const bearer = { authorization: `Bearer ${canaries.token}` };
  for (const path of [
    '/',
    '/healthz',
    '/readyz?verbose',
    '/metrics',
    '/api/openapi.json',
    '/api/nowhere',
    '/api/status',
  ]) {
    await fetched(path);
    await fetched(path, { headers: bearer });
    await fetched(path, { headers: { authorization: `Bearer ${canaries.token}x` } });
  }
  const commands = [
    ['export'],
    ['export', '--json'],
    ['check', 'main'],
    ['topics', 'main'],
    ['runs'],
    ['dead-letters', 's'],
    ['dead-letters', 's', '--json'],
    ['dead-letters', 'e'],
    ['schema'],
    ['apply', '-f', config, '--dry-run'],
    ['preview', 'e'],
    ['check', 'nowhere'],
  ];
  for (const command of commands) {
    const exit = await headrace([...command, ...(command[0] === 'schema' ? [] : ['--data', data])], { env });
    outputs.push(`${command.join(' ')}: ${exit.stdout}\n${exit.stderr}`);
  }
  assert.ok(
    outputs.some((output) => output.includes('too_large')),
    'there are dead letters',
  );
  const exit = await server.stop('SIGTERM');
  outputs.push(exit.stdout, exit.stderr);
  // With what lies in folders of it, such as what waits for Kafka.
  for (const entry of readdirSync(data, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name === 'server.json' || relative(data, path).startsWith('kafka')) continue;
    outputs.push(`${path}: ${readFileSync(path, 'latin1')}`);
  }
  for (const [name, canary] of Object.entries(canaries)) {
    const forms = [
      canary,
      Buffer.from(canary).toString('base64'),
      Buffer.from(`${canary}:`).toString('base64'),
      encodeURIComponent(canary),
    ];
    for (const output of outputs) {
      // Some of these answers name the reference, which is no secret.
      assert.ok(!forms.some((form) => output.includes(form)), `${name} stands in ${output.slice(0, 300)}`);
    }
  }
});
