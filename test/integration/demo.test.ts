/** What `npm start` runs: the example from the first row to one's own event, run twice, ended without a trace. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFree } from '../../src/local/ports.ts';
import { readRecord } from '../../src/local/cluster-record.ts';
import { isAlive } from '../../src/local/processes.ts';
import { launchHeadrace, headrace, type Child } from '../support/headrace.ts';
import { sharedKafka } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { workplace } from '../support/workplace.ts';

const MESSAGE = /^demo\.\w+\/\d+@\d+ {2}\S+ {2}key=/m;

/** The first group of the pattern in what the child printed so far. */
function printed(child: Child, pattern: RegExp): Promise<string> {
  return until(
    `it prints ${pattern}`,
    () => {
      const found = pattern.exec(child.stdout);
      if (found === null && !child.running) throw new Error(`it ended: ${child.stdout}\n${child.stderr}`);
      return found === null ? null : (found[1] ?? found[0]);
    },
    { deadlineMs: 60_000 },
  );
}

test("with a Kafka of one's own: rows, events and counts are shown, then one's own event; safe to run again", async (t) => {
  const bootstrap = await sharedKafka();
  const place = workplace(t);
  const start = (): Child =>
    launchHeadrace(['demo', '--port', '0', '--data', place.data], { env: { KAFKA_BROKERS: bootstrap } });
  for (const round of ['first', 'again']) {
    const child = start();
    place.after(() => child.kill());
    await printed(child, /Ctrl-C stops everything/);
    assert.match(child.stdout, /orders {10,}144 read, 144 delivered$/m, round);
    assert.match(child.stdout, /website-tracks +10 read, 6 delivered, 4 filtered$/m, round);
    assert.match(child.stdout, /website-identifies +10 read, 3 delivered, 7 filtered$/m, round);
    assert.ok((child.stdout.match(/^demo\.tracks\//gm) ?? []).length === 6, 'every event is shown');
    // The curl line as it stands there, by hand.
    const key = await printed(child, /curl -u (\S+): http/);
    const address = await printed(child, /curl -u \S+: (http:\/\/127\.0\.0\.1:\d+\/v1\/track) /);
    const body = await printed(child, /-d '(\{.*\})'/);
    const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
    const response = await fetch(address, { method: 'POST', headers: { authorization }, body });
    assert.equal(response.status, 200);
    await printed(child, /Hello Kafka","properties":\{"from":"my terminal"\}/);

    const second = await headrace(['demo', '--port', '0', '--data', place.data], { env: { KAFKA_BROKERS: bootstrap } });
    assert.equal(second.code, 1);
    assert.equal(second.stdout, '');
    assert.match(
      second.stderr,
      new RegExp(`^error: Headrace is running already \\(process ${child.pid}, http\\S+\\)\\.\\n$`),
    );
    const { code, stdout, stderr } = await child.stop('SIGINT');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Stopped\.\n$/);
    assert.equal(stderr, '', 'nothing unexpected is told');
  }
});

test('with the local Kafka: up within seconds, stopped by Ctrl-C; after a kill -9 the next start takes it over', async (t) => {
  if (!(await isFree(9092))) return t.skip('port 9092 is taken: the local Kafka was not tested');
  const place = workplace(t);
  const kafkaFolder = join(place.data, 'kafka');
  const broker = () => readRecord(kafkaFolder)?.nodes[0]?.process ?? null;
  place.after(() => place.run(['kafka', 'stop']));
  const start = (): Child =>
    launchHeadrace(['demo', '--port', '0', '--data', place.data], { env: { KAFKA_BROKERS: '' } });

  const began = performance.now();
  const killed = start();
  place.after(() => killed.kill());
  await printed(killed, MESSAGE);
  const tookMs = performance.now() - began;
  t.diagnostic(`first message after ${(tookMs / 1000).toFixed(1)} s`);
  const busy = loadavg()[0]! > availableParallelism();
  assert.ok(tookMs < 10_000 || busy, `the first message came after ${tookMs} ms`);
  const process = broker()!;
  await killed.kill();
  assert.ok(isAlive(process), 'it has a life of its own');

  const next = start();
  place.after(() => next.kill());
  await printed(next, /Kafka was running already on 127\.0\.0\.1:9092/);
  await printed(next, /Ctrl-C stops everything/);
  assert.equal(broker()?.pid, process.pid);
  assert.equal((await next.stop('SIGINT')).code, 0);
  assert.equal(isAlive(process), false);
  assert.equal(existsSync(join(place.data, 'server.json')), false);
});

test('headrace kafka start and stop', async (t) => {
  if (!(await isFree(9092))) return t.skip('port 9092 is taken: the local Kafka was not tested');
  const place = workplace(t);
  place.after(() => place.run(['kafka', 'stop']));
  const started = await place.json<{ bootstrap: string; pid: number; started: boolean }>(['kafka', 'start']);
  assert.deepEqual([started.bootstrap, started.started], ['127.0.0.1:9092', true]);
  const again = await place.json<typeof started>(['kafka', 'start']);
  assert.deepEqual([again.pid, again.started], [started.pid, false]);
  // One that was started to stay outlives a demo that used it.
  const demo = launchHeadrace(['demo', '--port', '0', '--data', place.data], { env: { KAFKA_BROKERS: '' } });
  place.after(() => demo.kill());
  await printed(demo, MESSAGE);
  assert.equal((await demo.stop('SIGINT')).code, 0);
  assert.equal((await place.json<{ stopped: boolean }>(['kafka', 'stop'])).stopped, true);
  assert.equal((await place.run(['kafka', 'stop'])).stdout, 'No Kafka was running.\n');
});
