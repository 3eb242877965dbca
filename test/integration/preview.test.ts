/** Promise 6: what preview shows is what is sent. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { previewSync, type Previewed } from '../../src/syncs/index.ts';
import { openFiles } from '../../src/sources/tables/index.ts';
import { completeEvent, isFault } from '../../src/sources/events/index.ts';
import type { ReadRecord } from '../support/check-topic.ts';
import { engine } from '../support/engine.ts';
import { headrace, startHeadrace } from '../support/headrace.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

function assertSame(previewed: readonly Previewed[], read: readonly ReadRecord[], keyless: boolean): void {
  assert.equal(previewed.length, read.length);
  for (const { result, partition } of previewed) {
    assert.ok(!('state' in result), JSON.stringify(result));
    const found = read.find((one) => one.value?.equals(result.value!) === true);
    assert.ok(found, `the value ${String(result.value)} was sent`);
    assert.deepEqual(found.key, result.key);
    assert.deepEqual(found.headers, result.headers);
    assert.equal(found.timestampMs, result.timestampMs);
    if (keyless) assert.equal(partition, null);
    else assert.equal(found.partition, partition);
  }
}

const messages: Readonly<Record<string, object>> = {
  'columns and added fields': {
    key: '$.id',
    columns: [
      { from: 'id', to: 'orderId' },
      { from: 'name', to: 'customer' },
    ],
  },
  'default payload, templates, headers': {
    key: 'k-{{id}}',
    headers: { tenant: '$.name', run: { '@meta': 'run' }, at: { '@meta': 'synced_at' } },
  },
  'whole record, mapped timestamp': { key: '$.name', payload: '$.', timestamp: '$.at' },
  'explicit partition': {
    partition: '$.p',
    payload: { id: '$.id', name: { '@coalesce': ['$.name', 'nobody'] } },
  },
  'partition key, no key': { partition_key: '$.name', payload: '$.' },
  'no key: round robin': { payload: '$.' },
};

for (const [name, message] of Object.entries(messages)) {
  test(`rows: ${name}`, async (t) => {
    const bootstrap = await sharedKafka();
    const topic = await newTopic(bootstrap, 'preview', { partitions: 5 });
    const e = await engine(t, bootstrap);
    e.write(
      'a.csv',
      `id,name,at,p\n${Array.from({ length: 40 }, (_, i) => `${i},Näme ${i % 7},2026-01-02T03:04:${String(i % 60).padStart(2, '0')}Z,${i % 5}`).join('\n')}\n`,
    );
    e.apply({
      syncs: { s: { source: 'files', destination: 'main', read: { file: 'a.csv' }, message: { topic, ...message } } },
    });
    const run = await e.run('s');
    assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
    const request = { sync: 's', limit: 100, record: undefined, atMs: Date.parse(run.startedAt), run: run.id };
    const previewed = await previewSync(e.syncs, openFiles, request);
    assertSame(previewed, await oracle(bootstrap).readAll(topic), name.includes('round robin'));
  });
}

test('an event given raw is shown as it would be sent when posted', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'preview-event', { partitions: 3 });
  const e = await engine(t, bootstrap);
  e.apply({
    sources: { web: { type: 'events', write_key: 'key-1' } },
    syncs: {
      s: {
        source: 'web',
        destination: 'main',
        types: ['track'],
        message: {
          topic,
          key: { '@coalesce': ['$.userId', '$.anonymousId'] },
          headers: { type: '$.type' },
          payload: '$.',
        },
      },
    },
  });
  const raw = {
    type: 'track',
    event: 'Signed Up',
    userId: '',
    anonymousId: 'anon-1',
    messageId: 'm-1',
    properties: { plan: 'pro', n: 12345678901234567890n.toString() },
  };
  const atMs = Date.parse('2026-02-03T04:05:06.789Z');
  const [previewed] = await previewSync(e.syncs, openFiles, { sync: 's', limit: 1, record: raw, atMs, run: 'r' });
  const event = completeEvent(raw, { receivedAtMs: atMs, ip: '127.0.0.1', newMessageId: () => 'unused' });
  assert.ok(!isFault(event));
  assert.deepEqual(await e.syncs.intake.accept('web', [event]), { state: 'safe' });
  assertSame([previewed!], await oracle(bootstrap).readAll(topic), false);
  const [filtered] = await previewSync(e.syncs, openFiles, {
    sync: 's',
    limit: 1,
    record: { ...raw, type: 'identify' },
    atMs,
    run: 'r',
  });
  assert.ok('state' in filtered!.result && filtered!.result.state === 'filtered');
});

test('preview by the command line equals what is sent, event for event, when it is posted over HTTP', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'preview-http', { partitions: 4, config: { 'max.message.bytes': '3000' } });
  const folder = mkdtempSync(join(tmpdir(), 'headrace-preview-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.json');
  const data = join(folder, 'data');
  const headers = { name: '$.event', ip: '$.context.ip' };
  writeFileSync(
    config,
    JSON.stringify({
      destinations: { main: { brokers: bootstrap } },
      sources: { web: { type: 'events', write_key: 'preview-key' } },
      syncs: { s: { source: 'web', destination: 'main', message: { topic, key: '$.userId', headers, payload: '$.' } } },
    }),
  );
  const server = await startHeadrace({ data, config });
  t.after(() => server.kill());
  const sent = [
    '{"type":"track","event":"Plain","userId":"u1","messageId":"m1"}',
    '{"type":"track", "event":"Sp\\u0061ced" ,"userId":"u2","messageId":"m2","properties":{"n":1.10,"big":12345678901234567890}}',
    '{"type":"track","event":"Own ip","userId":"u3","messageId":"m3","context":{"ip":"1.2.3.4","é":"ü"}}',
    '{"type":"track","event":"Kept away","userId":"u4","messageId":"m4","integrations":{"All":false}}',
    `{"type":"track","event":"Too large","userId":"u5","messageId":"m5","properties":{"pad":"${'x'.repeat(4_000)}"}}`,
    '{"type":"identify","userId":"u6","messageId":"m6","traits":{"a":null},"timestamp":"2026-01-02T03:04:05.000Z","sentAt":"2026-01-02T03:04:06.000Z"}',
  ];
  const authorization = `Basic ${Buffer.from('preview-key:').toString('base64')}`;
  for (const [index, text] of sent.entries()) {
    const type = (JSON.parse(text) as { type: string }).type;
    const response = await fetch(`${server.address}/v1/${type}`, {
      method: 'POST',
      headers: { authorization },
      body: text,
    });
    assert.equal(response.status, 200);
    const file = join(folder, 'event.json');
    writeFileSync(file, text);
    const read = await oracle(bootstrap).readAll(topic);
    const found = read.find((record) => String(record.key) === `u${index + 1}`);
    const at =
      found === undefined ? [] : ['--at', (JSON.parse(String(found.value)) as { receivedAt: string }).receivedAt];
    const exit = await headrace(['preview', 's', '--record', file, '--json', '--data', data, ...at]);
    const line = JSON.parse(exit.stdout) as { passed: boolean; message: Record<string, unknown> | null };
    if (found === undefined) {
      assert.equal(line.message, null, text);
      continue;
    }
    assert.deepEqual(line.message, {
      topic,
      partition: found.partition,
      key: String(found.key),
      headers: found.headers.map(([name, value]) => [name, value === null ? null : String(value)]),
      timestamp: found.timestampMs,
      value: String(found.value),
    });
  }
});

test('preview names the rule that chose the partition, also where a mapping gave none', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'preview-rule', { partitions: 4 });
  const e = await engine(t, bootstrap);
  e.write('a.jsonl', '{"id":1,"p":2,"k":"x"}\n{"id":2}\n');
  const rulesOf = async (message: object): Promise<unknown[]> => {
    e.apply({
      syncs: {
        s: {
          source: 'files',
          destination: 'main',
          read: { file: 'a.jsonl' },
          message: { topic, payload: '$.', ...message },
        },
      },
    });
    const lines = await previewSync(e.syncs, openFiles, { sync: 's', limit: 2, record: undefined, atMs: 0, run: 'r' });
    return lines.map(({ partition, partitionBy }) => [partition, partitionBy]);
  };
  assert.deepEqual(await rulesOf({ partition: '$.p', default_partition: 1 }), [
    [2, 'partition'],
    [1, 'default_partition'],
  ]);
  const [first, second] = await rulesOf({ key: '$.id', partition_key: '$.k' });
  assert.deepEqual([(first as unknown[])[1], (second as unknown[])[1]], ['partition_key', 'key']);
  assert.deepEqual(await rulesOf({ partition: '$.p' }), [
    [2, 'partition'],
    [null, 'round_robin'],
  ]);
});
