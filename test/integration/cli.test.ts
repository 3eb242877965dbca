/** The command line as people call it: the real program, a real Kafka, with a server and without one. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DestinationReport } from '../../src/kafka/doctor/report.ts';
import { issue } from '../support/certificates.ts';
import { checkout, headrace, launch, launchHeadrace } from '../support/headrace.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';
import { until } from '../support/until.ts';
import { eventSync, fileSync, rows, workplace, yamlFor } from '../support/workplace.ts';

test('help loads nothing but commander', async (t) => {
  const place = workplace(t);
  const hook = place.write(
    'hook.mjs',
    `import { registerHooks } from 'node:module';
     registerHooks({ load(url, context, next) { process.stderr.write('LOADED ' + url + '\\n'); return next(url, context); } });`,
  );
  const cli = join(checkout, 'src', 'cli.ts');
  const { stdout, stderr, code } = await launch(process.execPath, ['--import', hook, cli, '--help']).exit;
  assert.equal(code, 0);
  assert.match(stdout, /^Usage: headrace /);
  const loaded = [...stderr.matchAll(/^LOADED (.*)$/gm)].map(([, url]) => url!.replace(`file://${checkout}`, ''));
  const others = loaded.filter(
    (url) => !/^(src\/cli[/.]|src\/base\/|src\/model\/|node_modules\/commander\/|package\.json|node:)/.test(url),
  );
  assert.deepEqual(others, []);
});

test('without a server: apply, preview, run, runs, topics, check, export; the result alone on standard output', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cli', { partitions: 3 });
  const place = workplace(t);
  place.write('rows.jsonl', rows(1_000));
  place.configure(yamlFor(bootstrap, fileSync('orders', 'rows.jsonl', topic) + eventSync('tracks', topic)));

  const dry = await place.run(['apply', '-f', place.config, '--dry-run']);
  assert.match(dry.stdout, /\+ sync orders \(create\)/);
  assert.equal(existsSync(place.data), false, 'who only looks leaves nothing behind');
  assert.equal((await place.run(['apply', '-f', place.config])).code, 0);
  assert.match((await place.run(['apply', '-f', place.config])).stdout, /Nothing to change\.\n$/);

  const preview = await place.run(['preview', 'orders', '--limit', '2', '--json']);
  const [line] = preview.stdout.split('\n').map((text) => (text === '' ? null : JSON.parse(text)));
  assert.equal(line.passed, true);
  assert.deepEqual([line.message.topic, line.message.key, line.message.value], [topic, '0', '{"id":0,"n":1.10}']);

  const run = await place.run(['run', 'orders', '--json']);
  assert.deepEqual([run.code, run.stderr], [0, '']);
  const facts = JSON.parse(run.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [facts['state'], facts['read'], facts['delivered'], facts['created']],
    ['succeeded', 1_000, 1_000, 1_000],
  );
  const read = await oracle(bootstrap).readAll(topic);
  assert.equal(read.length, 1_000);
  // Promise 6: what preview showed is what arrived.
  const first = read.find(({ key }) => String(key) === '0')!;
  assert.deepEqual([String(first.value), first.partition], [line.message.value, line.message.partition]);

  const [listed] = await place.json<Record<string, unknown>[]>(['runs', 'orders']);
  assert.equal(listed?.['id'], facts['id']);
  const topics = await place.json<{ topic: string; partitions: number }[]>(['topics', 'main']);
  assert.equal(topics.find((one) => one.topic === topic)?.partitions, 3);
  const check = await place.run(['check', 'main']);
  assert.match(check.stdout, /Connection Successful/);
  const exported = place.write('exported.yaml', (await place.run(['export'])).stdout);
  assert.doesNotMatch(readFileSync(exported, 'utf8'), /web-key/);
  assert.match((await place.run(['apply', '-f', exported])).stdout, /Nothing to change\.\n$/);
});

test('with a server the same commands ask the server', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cli-server', { partitions: 3 });
  const place = workplace(t);
  place.write('rows.jsonl', rows(500) + '{"id":\n');
  place.configure(yamlFor(bootstrap, fileSync('orders', 'rows.jsonl', topic)));
  const server = await place.start({ config: false });
  assert.equal((await place.run(['apply', '-f', place.config])).code, 0);
  const run = await place.run(['run', 'orders', '--json']);
  assert.equal(run.code, 2, 'one row is rejected');
  const facts = JSON.parse(run.stdout) as Record<string, unknown>;
  assert.deepEqual([facts['state'], facts['delivered'], facts['rejected']], ['succeeded', 500, 1]);
  const letters = await place.json<{ total: number; letters: { position: string; value: string }[] }>([
    'dead-letters',
    'orders',
  ]);
  assert.deepEqual([letters.total, letters.letters[0]?.position], [1, 'rows.jsonl:501']);
  assert.match((await place.run(['dead-letters', 'orders'])).stdout, /row_invalid/);

  assert.equal((await place.run(['disable', 'orders'])).stdout, 'orders is off.\n');
  const off = await place.run(['run', 'orders']);
  assert.equal(off.code, 1);
  assert.match(off.stderr, /switched off/);
  await place.run(['enable', 'orders']);
  assert.equal((await place.run(['reset', 'orders'])).code, 0);
  const preview = await place.run(['preview', 'orders', '--limit', '1', '--json']);
  assert.equal(JSON.parse(preview.stdout).message.key, '0');
  assert.equal(
    ((await (await fetch(`${server.address}/metrics`)).text()).match(/^headrace_runs_total\{.*\} 1$/m) ?? []).length,
    1,
  );

  const elsewhere = (token: string) =>
    headrace(['runs', '--server', server.address, '--json'], { cwd: place.folder, env: { HEADRACE_TOKEN: token } });
  assert.equal(JSON.parse((await elsewhere(server.token)).stdout).length, 1);
  const stranger = await elsewhere('wrong');
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /does not take the token/);
  assert.equal((await server.stop()).code, 0);
});

test('a file laid over what is stored changes nothing that is stored', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cli-over');
  const place = workplace(t);
  place.write('rows.jsonl', rows(3));
  place.configure(yamlFor(bootstrap, fileSync('orders', 'rows.jsonl', topic)));
  const over = ['--config', place.config] as const;
  const preview = (): Promise<{ stdout: string }> =>
    place.run(['preview', 'orders', '--limit', '1', '--json', ...over]);
  const alone = await preview();
  assert.equal((JSON.parse(alone.stdout) as { message: { topic: string } }).message.topic, topic);
  assert.equal(existsSync(place.data), false);
  await place.start({ config: false });
  assert.deepEqual(JSON.parse((await preview()).stdout).message.value, JSON.parse(alone.stdout).message.value);
  assert.match((await place.run(['check', 'main', ...over])).stdout, /Connection Successful/);
  assert.equal((await place.run(['topics', 'main', ...over])).code, 0);
  assert.equal((await place.run(['export'])).stdout, '');
});

test('check tells refused settings as its first step, and other commands what is wrong with a destination', async (t) => {
  const place = workplace(t);
  place.configure('destinations:\n  main: {brokers: localhost:1, tls: {ca: "no certificate"}}\n');
  const over = ['--config', place.config] as const;
  const check = await place.run(['check', 'main', ...over]);
  assert.equal(check.code, 1);
  assert.match(check.stdout, /^✗ settings +destinations\.main\.tls\.ca: is no certificate[^]*Connection Failed/);
  const report = JSON.parse((await place.run(['check', 'main', '--json', ...over])).stdout) as DestinationReport;
  assert.deepEqual([report.ok, report.steps[0]?.step, report.steps[0]?.state], [false, 'settings', 'failed']);

  const authority = join(place.folder, 'ca.pem');
  writeFileSync(authority, issue({ commonName: 'root', authority: true }).pem);
  place.configure("destinations:\n  main: {brokers: localhost:1, tls: {ca: '${file:ca.pem}'}}\n");
  assert.equal((await place.run(['apply', '-f', 'headrace.yaml'])).code, 0);
  rmSync(authority);
  const { stderr } = await place.run(['topics', 'main']);
  assert.match(stderr, /destinations\.main\.tls\.ca.*ca\.pem, which cannot be read/);
});

test('run --config applies the file first; problems are told with line and column', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cli-run');
  const place = workplace(t);
  place.write('rows.jsonl', rows(10));
  place.configure(yamlFor(bootstrap, fileSync('orders', 'rows.jsonl', topic)));
  assert.equal((await place.run(['run', 'orders', '--config', place.config])).code, 0);
  assert.match((await place.run(['export'])).stdout, /orders:/);
  place.configure(
    yamlFor(bootstrap, fileSync('orders', 'rows.jsonl', topic).replace('destination: main', 'destination: mian')),
  );
  const wrong = await place.run(['apply', '-f', 'headrace.yaml']);
  assert.equal(wrong.code, 1);
  assert.equal(wrong.stdout, '');
  assert.match(wrong.stderr, /^error: headrace\.yaml:6:\d+: syncs\.orders\.destination/m);
  assert.match(wrong.stderr, /main/);
  const missing = await place.run(['apply', '-f', 'nowhere.yaml']);
  assert.match(missing.stderr, /nowhere\.yaml cannot be read/);
});

test('a run ended by Ctrl-C is cancelled, exits 1, and goes on the next time: without a server and with one', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cli-cancel', { partitions: 2 });
  const place = workplace(t);
  const total = 400_000;
  place.write('rows.jsonl', rows(total));
  place.configure(yamlFor(bootstrap, fileSync('orders', 'rows.jsonl', topic)));
  await place.run(['apply', '-f', place.config]);
  const interrupted = async (): Promise<Record<string, unknown>> => {
    const before = (await oracle(bootstrap).endOffsets(topic)).reduce((a, b) => a + b, 0);
    const child = launchHeadrace(['run', 'orders', '--json', '--data', place.data], { cwd: place.folder });
    await until('messages arrive', async () => {
      assert.ok(child.running, child.stdout + child.stderr);
      return (await oracle(bootstrap).endOffsets(topic)).reduce((a, b) => a + b, 0) > before;
    });
    const { code, stdout } = await child.stop('SIGINT');
    assert.equal(code, 1, stdout);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const first = await interrupted();
  assert.equal(first['state'], 'cancelled');
  await place.start({ config: false });
  const second = await interrupted();
  assert.deepEqual([second['state'], second['id'], second['resumed']], ['cancelled', first['id'], 1]);
  const last = await place.json(['run', 'orders']);
  assert.deepEqual([last['state'], last['read'], last['delivered']], ['succeeded', total, total]);
  const arrived = (await oracle(bootstrap).endOffsets(topic)).reduce((a, b) => a + b, 0);
  assert.equal(arrived, total, 'none twice');
});

test('one process at a time works on a data folder; the others are told whose it is', async (t) => {
  const place = workplace(t);
  place.configure(yamlFor('127.0.0.1:1', ''));
  const server = await place.start();
  const second = await place.run(['start', '--port', '0']);
  assert.equal(second.code, 1);
  assert.ok(second.stderr.includes(`process ${server.pid}`), second.stderr);
  // A server killed without warning leaves its file behind: commands do the work themselves then.
  await server.kill();
  assert.ok(existsSync(join(place.data, 'server.json')));
  assert.equal((await place.run(['apply', '-f', place.config])).code, 0);
  // Its number may be another process's by now.
  const facts = JSON.parse(readFileSync(join(place.data, 'server.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(join(place.data, 'server.json'), JSON.stringify({ ...facts, pid: process.pid }));
  assert.equal((await place.run(['apply', '-f', place.config])).code, 0);
});

test('tail shows messages as they arrive and ends in order; explain needs no configuration', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'cli-tail');
  const place = workplace(t);
  place.configure(yamlFor(bootstrap, ''));
  await oracle(bootstrap).produce(topic, [
    { key: 'k', value: 'one', headers: [['h', 'x']], timestampMs: 1_700_000_000_000 },
  ]);
  const args = ['tail', topic, '--config', place.config, '--json', '--data', place.data];
  const limited = await headrace([...args, '--from-start', '--limit', '1']);
  assert.equal(limited.code, 0);
  assert.deepEqual(JSON.parse(limited.stdout), {
    topic,
    partition: 0,
    offset: '0',
    timestamp: 1_700_000_000_000,
    key: 'k',
    headers: [['h', 'x']],
    value: 'one',
  });
  const live = launchHeadrace([...args, '--from-start']);
  await until('the first is shown', () => live.stdout.includes('"one"'));
  await oracle(bootstrap).produce(topic, [{ key: null, value: 'two' }]);
  await until('the second is shown', () => live.stdout.includes('"two"'));
  assert.equal((await live.stop('SIGINT')).code, 0);

  const event = place.write('event.json', '{"type":"track","event":"x"}');
  const passes = await headrace(['explain', 'type = "track"', '--record', event, '--json'], { cwd: place.folder });
  assert.deepEqual([passes.code, JSON.parse(passes.stdout).passed], [0, true]);
  const fails = await headrace(['explain', 'type = "page"', '--record', event, '--json'], { cwd: place.folder });
  assert.deepEqual([fails.code, JSON.parse(fails.stdout).passed], [0, false]);
  const broken = await headrace(['explain', 'type = ', '--record', event], { cwd: place.folder });
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /line 1, column \d+/);
});
