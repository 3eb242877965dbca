/**
 * The spool at its limits: a long outage keeps memory flat (G9), a large spool does not slow the start (G10), and a full disk
 * is answered 429 before anything is lost, and passes by itself (G18, F16).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { startHeadrace, type Server } from '../support/headrace.ts';
import { newTopic, ownKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { amount } from '../support/scenario.ts';
import { setUp, type Setup } from '../support/setup.ts';
import { until } from '../support/until.ts';

const WRITE_KEY = 'limits-key';
const MIB = 1024 * 1024;

describe('the spool at its limits', { timeout: amount(900_000, 7_200_000) }, () => {
  test('G9: a long outage: memory stays flat, and all of it is delivered in order', async (t) => {
    const kafka = await ownKafka();
    const { setup, topic } = await prepare(t, kafka.bootstrap);
    const server = await start(setup);
    await kafka.nodes[0]!.kill('SIGKILL');
    const load = new Load(t, server, 1000);
    const seconds = amount(20, 3600);
    const perSecond = amount(5_000, 2_000);
    await load.rate(perSecond, Math.floor(seconds / 4));
    const early = server.rssBytes();
    await load.rate(perSecond, seconds - Math.floor(seconds / 4));
    const late = server.rssBytes();
    t.diagnostic(
      `${load.sent} events, ${Math.round(load.sent / load.tookSeconds)}/s, RSS ${mib(early)} then ${mib(late)} MiB, peak ${mib(server.peakRssBytes())}`,
    );
    assert.deepEqual([...load.statuses.keys()], [200]);
    assert.ok(server.rssBytes() < 300 * MIB, `${mib(late)} MiB`);
    assert.ok(late - early < 60 * MIB, `grew by ${mib(late - early)} MiB`);
    await kafka.nodes[0]!.restart();
    const began = performance.now();
    await untilEmpty(server);
    t.diagnostic(`drained at ${Math.round(load.sent / ((performance.now() - began) / 1000))}/s`);
    assert.ok(server.peakRssBytes() < 400 * MIB, `peak ${mib(server.peakRssBytes())} MiB`);
    await server.stop();
    await checkAll(kafka.bootstrap, topic, load.sent);
  });

  test('G10: started with a large spool it takes events and delivers at once', async (t) => {
    const kafka = await ownKafka();
    const { setup, topic } = await prepare(t, kafka.bootstrap);
    const first = await start(setup);
    await kafka.nodes[0]!.kill('SIGKILL');
    const load = new Load(t, first, amount(8_000, 30_000));
    const bytes = amount(200 * MIB, 10 * 1024 * MIB);
    while ((await spoolOf(first)).bytes < bytes) await load.all(5_000);
    const empty = first.readyAfterMs;
    await first.kill();
    await kafka.nodes[0]!.restart();
    const server = await start(setup);
    t.diagnostic(
      `ready after ${Math.round(server.readyAfterMs)} ms with ${mib(bytes)} MiB, ${Math.round(empty)} ms with none`,
    );
    // The same as without one, whatever the machine is busy with besides.
    assert.ok(server.readyAfterMs < empty * 2 + 2_000, `${server.readyAfterMs} ms`);
    const began = performance.now();
    const delivered = async (): Promise<boolean> =>
      (await oracle(kafka.bootstrap).endOffsets(topic)).some((end) => end > 0);
    await until('the first are delivered', delivered, { deadlineMs: 60_000 });
    t.diagnostic(`the first delivered ${Math.round(performance.now() - began)} ms after that`);
    await untilEmpty(server);
    await server.stop();
    await checkAll(kafka.bootstrap, topic, load.sent);
  });

  test('F16: a disk that is full: 429 with Retry-After, and it goes on by itself', async (t) => {
    const kafka = await ownKafka();
    const { setup, topic } = await prepare(t, kafka.bootstrap);
    if (!smallDisk(t, join(setup.data, 'spool'))) return;
    const server = await start(setup);
    for (let round = 0; round < amount(1, 50); round++) {
      await kafka.nodes[0]!.kill('SIGKILL');
      const load = new Load(t, server, 20_000);
      while (!load.statuses.has(429)) await load.all(500);
      assert.deepEqual(
        [...load.statuses.keys()].sort((a, b) => a - b),
        [200, 429],
      );
      assert.ok(
        load.retryAfter.every((value) => /^[1-9]\d*$/.test(value)),
        load.retryAfter.join(),
      );
      const before = load.accepted.length;
      await kafka.nodes[0]!.restart();
      await untilEmpty(server);
      load.statuses.clear();
      await until('it takes events again', async () => {
        await load.all(1);
        return load.statuses.has(200);
      });
      assert.ok(load.accepted.length > before);
      await untilEmpty(server);
      const there = await idsIn(kafka.bootstrap, topic);
      assert.deepEqual(
        load.accepted.filter((id) => !there.has(id)),
        [],
        'answered and lost',
      );
      t.diagnostic(`${load.accepted.length} taken, then 429; all of them delivered`);
    }
    assert.equal((await server.stop()).code, 0);
  });
});

function start(setup: Setup): Promise<Server> {
  return startHeadrace({ data: setup.data, config: setup.config, deadlineMs: 120_000 });
}

const mib = (bytes: number): number => Math.round(bytes / MIB);

/** Single events of one key, numbered, over a few connections. */
class Load {
  readonly statuses = new Map<number, number>();
  readonly accepted: string[] = [];
  readonly retryAfter: string[] = [];
  sent = 0;
  tookSeconds = 0;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #pad: string;
  readonly #name = Math.random().toString(36).slice(2);

  constructor(t: TestContext, server: Server, bytes: number) {
    this.#server = server;
    this.#pad = 'x'.repeat(bytes);
    t.after(() => this.#agent.destroy());
  }

  /** So many events a second, as far as the machine keeps up, in batches of 50. */
  async rate(perSecond: number, seconds: number): Promise<void> {
    const began = performance.now();
    const end = this.sent + perSecond * seconds;
    while (this.sent < end && performance.now() - began < seconds * 4_000) {
      const due = Math.min(perSecond, end - this.sent);
      const tick = performance.now();
      await this.all(due);
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, (due / perSecond) * 1000 - (performance.now() - tick))),
      );
    }
    this.tookSeconds += (performance.now() - began) / 1000;
  }

  async all(events: number): Promise<void> {
    const posts: Promise<void>[] = [];
    for (let left = events; left > 0; left -= 20) posts.push(this.#post(Math.min(20, left)));
    await Promise.all(posts);
  }

  #post(count: number): Promise<void> {
    const batch = Array.from({ length: count }, () => ({
      type: 'track',
      event: 'E',
      userId: 'u',
      messageId: `${this.#name}-${++this.sent}`,
      properties: { pad: this.#pad },
    }));
    const body = JSON.stringify({ batch });
    const headers = {
      authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const options = { method: 'POST', agent: this.#agent, headers };
    return new Promise((resolve, reject) => {
      const post = request(`${this.#server.address}/v1/batch`, options, (response) => {
        const status = response.statusCode!;
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
        if (status === 200) this.accepted.push(...batch.map((event) => event.messageId));
        if (status === 429) this.retryAfter.push(response.headers['retry-after'] ?? '');
        response.resume().once('end', resolve);
      });
      post.once('error', reject);
      post.end(body);
    });
  }
}

/** A disk of 64 MB of its own; only root may make one. */
function smallDisk(t: TestContext, folder: string): boolean {
  const disk = mkdtempSync(join(tmpdir(), 'headrace-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=0700', 'tmpfs', disk], { stdio: 'pipe' });
  } catch (error) {
    t.skip(`no disk of its own can be mounted here: ${(error as Error).message.split('\n')[0]}`);
    return false;
  }
  t.after(() => {
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true });
  });
  symlinkSync(disk, folder);
  return true;
}

async function spoolOf(server: Server): Promise<{ messages: number; bytes: number }> {
  const answer = await fetch(`${server.address}/readyz?verbose`);
  const { destinations } = (await answer.json()) as { destinations: { spool: { messages: number; bytes: number } }[] };
  return destinations[0]!.spool;
}

async function untilEmpty(server: Server): Promise<void> {
  const empty = async (): Promise<boolean> => (await spoolOf(server)).bytes === 0;
  await until('the spool is empty', empty, { deadlineMs: amount(300_000, 3_600_000), everyMs: 100 });
}

async function idsIn(bootstrap: string, topic: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { headers } of oracle(bootstrap).read(topic)) ids.add(String(headers[0]![1]));
  return ids;
}

/** All there, and nothing but them. */
async function checkAll(bootstrap: string, topic: string, count: number): Promise<void> {
  assert.equal((await idsIn(bootstrap, topic)).size, count);
}

async function prepare(t: TestContext, bootstrap: string): Promise<{ setup: Setup; topic: string }> {
  const topic = await newTopic(bootstrap, 'spool-limits', { partitions: 3 });
  const message = { topic, key: '$.messageId', headers: { id: '$.messageId' }, payload: { '@path': '$.' } };
  const setup = setUp(t, {
    destinations: { main: { brokers: bootstrap, spool: { max_bytes: 2 ** 35 } } },
    sources: { website: { type: 'events', write_key: WRITE_KEY } },
    syncs: { tracks: { source: 'website', destination: 'main', message } },
  });
  return { setup, topic };
}
