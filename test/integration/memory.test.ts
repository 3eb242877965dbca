/** Promise 9: memory is bounded, by millions of rows and by a Kafka that does not answer. */
import assert from 'node:assert/strict';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { test, type TestContext } from 'node:test';
import { freePorts } from '../../src/local/ports.ts';
import { launchHeadrace, startHeadrace, watchMemory } from '../support/headrace.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

const MIB = 1024 * 1024;
const ROWS = 5_000_000;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-memory-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function writeRows(path: string, count: number): Promise<void> {
  const out = createWriteStream(path);
  let block = 'id,name,total,paid\n';
  for (let i = 0; i < count; i++) {
    block += `${i},name ${i % 1000},${(i % 10_000) / 100},${i % 2 === 0}\n`;
    if (block.length < MIB) continue;
    if (!out.write(block)) await once(out, 'drain');
    block = '';
  }
  out.end(block);
  await finished(out);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('a CSV of 5 million rows runs in under 400 MB, without growing', { timeout: 600_000 }, async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'memory', { partitions: 3 });
  t.after(() => oracle(bootstrap).deleteTopic(topic));
  const folder = temporaryFolder(t);
  await writeRows(join(folder, 'rows.csv'), ROWS);
  const config = join(folder, 'config.json');
  const configuration = {
    destinations: { main: { brokers: bootstrap } },
    sources: { files: { type: 'files', path: folder } },
    syncs: {
      rows: { source: 'files', destination: 'main', read: { file: 'rows.csv' }, message: { topic, key: '$.id' } },
    },
  };
  writeFileSync(config, JSON.stringify(configuration));
  const child = launchHeadrace(['run', 'rows', '--config', config, '--data', join(folder, 'data'), '--json']);
  const samples = await watchMemory(child, 100);
  const exit = await child.exit;
  assert.equal(exit.code, 0, exit.stderr.slice(-2_000));
  assert.equal((JSON.parse(exit.stdout) as { delivered: number }).delivered, ROWS);
  const ends = await oracle(bootstrap).endOffsets(topic);
  assert.equal(
    ends.reduce((sum, end) => sum + end, 0),
    ROWS,
  );
  const peak = Math.max(...samples);
  const quarter = Math.floor(samples.length / 4);
  const early = mean(samples.slice(quarter, 2 * quarter));
  const late = mean(samples.slice(-quarter));
  t.diagnostic(
    `peak ${Math.round(peak / MIB)} MiB, second quarter ${Math.round(early / MIB)} MiB, last ${Math.round(late / MIB)} MiB`,
  );
  assert.ok(peak < 400_000_000, `peak ${peak}`);
  assert.ok(late < early * 1.15 + 10 * MIB, `grew from ${early} to ${late}`);
});

test('a collector without Kafka and without a spool answers 429 and does not grow', { timeout: 120_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const [port] = await freePorts(1);
  const config = join(folder, 'config.json');
  const configuration = {
    destinations: { main: { brokers: `127.0.0.1:${port}`, producer: { buffer_memory: 2_000_000 }, spool: false } },
    sources: { web: { type: 'events', write_key: 'memory-key' } },
    syncs: { s: { source: 'web', destination: 'main', message: { topic: 'nowhere', key: '$.userId', payload: '$.' } } },
  };
  writeFileSync(config, JSON.stringify(configuration));
  const server = await startHeadrace({ data: join(folder, 'data'), config });
  t.after(() => server.kill());
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  t.after(() => agent.destroy());
  const body = JSON.stringify({
    batch: Array.from({ length: 100 }, (_, i) => ({
      type: 'track',
      userId: `u${i}`,
      event: 'E',
      properties: { pad: 'x'.repeat(2_000) },
    })),
  });
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const statuses = await Promise.all(
      Array.from({ length: 64 }, () => post(agent, `${server.address}/v1/batch`, body)),
    );
    assert.deepEqual(new Set(statuses), new Set([429]));
    rounds.push(server.rssBytes());
  }
  t.diagnostic(
    `after each round of 64 batches of 200 KB: ${rounds.map((bytes) => Math.round(bytes / MIB)).join(', ')} MiB`,
  );
  assert.ok(rounds.at(-1)! - rounds[0]! < 60 * MIB, 'it grows with what it refuses');
});

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const authorization = `Basic ${Buffer.from('memory-key:').toString('base64')}`;
    const call = request(
      url,
      { method: 'POST', agent, headers: { authorization, 'content-type': 'application/json' } },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    call.once('error', reject);
    call.end(body);
  });
}
