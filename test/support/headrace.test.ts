/** The frame around child processes: output, exit, kill -9, stop with a deadline, memory, waiting for readiness. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { launch, watchMemory } from './headrace.ts';
import { until } from './until.ts';

const node = (code: string, input?: string): ReturnType<typeof launch> =>
  launch(process.execPath, ['-e', code], input === undefined ? {} : { input });

describe('child processes', { timeout: 30_000 }, () => {
  test('output, input and exit code come back whole', async () => {
    const child = node(
      `process.stdin.on('data', (d) => process.stdout.write(String(d).repeat(50000))).on('end', () => { console.error('end'); process.exitCode = 3; });`,
      'abc\n',
    );
    const exit = await child.exit;
    assert.equal(exit.code, 3);
    assert.equal(exit.stdout.length, 200_000);
    assert.equal(exit.stderr, 'end\n');
    assert.equal(child.running, false);
  });

  test('kill is -9 and leaves nothing', async () => {
    const child = node(`process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);`);
    await until('it is up', () => child.stdout.includes('up'));
    const exit = await child.kill();
    assert.equal(exit.signal, 'SIGKILL');
    assert.throws(() => process.kill(child.pid, 0), /ESRCH/);
  });

  test('stop gives the exit, or says what was printed by one that stays', async () => {
    const good = node(`process.on('SIGTERM', () => process.exit(0)); console.log('up'); setInterval(() => {}, 1000);`);
    await until('it is up', () => good.stdout.includes('up'));
    assert.equal((await good.stop('SIGTERM')).code, 0);
    const bad = node(`process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000);`);
    await until('it is up', () => bad.stdout.includes('up'));
    await assert.rejects(bad.stop('SIGTERM', 300), /still there 300 ms after SIGTERM\nup\nno/);
    assert.equal((await bad.exit).signal, 'SIGKILL');
  });

  test('memory is sampled until the end', async () => {
    const child = node(`globalThis.keep = Buffer.alloc(150e6, 1); console.log('up'); setInterval(() => {}, 1000);`);
    const watching = watchMemory(child, 20);
    await until('it is up', () => child.stdout.includes('up'));
    assert.ok(child.peakRssBytes() > 150e6);
    await until('it was sampled', () => child.rssBytes() > 150e6);
    await child.kill();
    const samples = await watching;
    assert.ok(Math.max(...samples) > 100e6 && samples.length > 2);
    assert.equal(child.rssBytes(), 0);
  });
});
