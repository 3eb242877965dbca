/** Test Connection: a healthy cluster, and everything that can answer in its place. Never longer than ten seconds. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lookupService } from 'node:dns/promises';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { checkSteps, linkOf, type DestinationReport } from '../../src/kafka/doctor/report.ts';
import { topicWarnings } from '../../src/kafka/doctor/warnings.ts';
import { listTopics } from '../../src/kafka/index.ts';
import type { ProducerSettings } from '../../src/model/index.ts';
import { destinationAt } from '../support/delivery.ts';
import { deafPort, examined, failedStep, namesBrokers, stranger, versionsAnswer } from '../support/doctor.ts';
import { newTopic, ownKafka, sharedKafka } from '../support/kafka.ts';

const check = (brokers: string, producer: Partial<ProducerSettings> = {}): Promise<DestinationReport> =>
  examined(destinationAt(brokers, producer));

test('a healthy cluster: every step well, what is not there to check said to be skipped', async () => {
  const bootstrap = await sharedKafka();
  await newTopic(bootstrap, 'doctor');
  const report = await check(bootstrap);
  assert.equal(report.ok, true, JSON.stringify(report.steps));
  assert.deepEqual(
    report.steps.map(({ step, state }) => `${step} ${state}`),
    [
      'settings ok',
      'dns ok',
      'tcp ok',
      'tls skipped',
      'sasl ok',
      'versions ok',
      'brokers ok',
      'topics ok',
      'topic skipped',
      'write ok',
      'message skipped',
    ],
  );
  assert.match(report.steps[5]!.detail, /^Kafka \d/);
  assert.ok(report.warnings.some((warning) => warning.includes('one broker')));
});

test('topics are listed with their limits; what is internal is not', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'listed', {
    partitions: 4,
    config: { 'cleanup.policy': 'compact', 'max.message.bytes': '12345' },
  });
  const listed = await listTopics(destinationAt(bootstrap), systemClock);
  const found = listed.find((one) => one.topic === topic);
  assert.deepEqual(
    [found?.partitions, found?.replication, found?.cleanupPolicy, found?.maxMessageBytes],
    [4, 1, 'compact', 12345],
  );
  assert.ok(listed.every((one) => !one.topic.startsWith('__')));
});

test('brokers that hang are warnings, and nothing waits for them, where another answers', async (t) => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'beside');
  const silent = await stranger(t, () => {});
  const dripping = await stranger(t, (socket) => {
    const timer = setInterval(() => socket.write(Buffer.of(0)), 300);
    socket.once('close', () => clearInterval(timer));
  });
  const report = await examined({ ...destinationAt(`${silent},${dripping},${bootstrap}`), testTopic: topic });
  assert.equal(report.ok, true, JSON.stringify(report.steps.filter(({ state }) => state === 'failed')));
  for (const address of [silent, dripping]) assert.ok(report.warnings.some((warning) => warning.includes(address)));
});

test('canonical names are dialled, and verified, where delivery dials them', async () => {
  const port = (await sharedKafka()).split(':').at(-1)!;
  const { hostname } = await lookupService('127.0.0.1', 0);
  const destination = destinationAt(`127.0.0.1:${port}`);
  const clientDnsLookup = 'resolve_canonical_bootstrap_servers_only';
  const report = await examined({ ...destination, producer: { ...destination.producer, clientDnsLookup } });
  assert.equal(report.ok, true, JSON.stringify(report.steps));
  const tcp = report.steps.find(({ step }) => step === 'tcp')!;
  assert.equal(tcp.detail, `connected to ${hostname}:${port} from 127.0.0.1`);
});

test('a name that does not resolve, a port where nothing listens', async () => {
  const name = failedStep(await check('no-such-host.invalid:9092'));
  assert.equal(name.step, 'dns');
  assert.match(name.cause, /no-such-host\.invalid does not resolve/);
  const port = failedStep(await check('127.0.0.1:1'));
  assert.equal(port.step, 'tcp');
  assert.match(port.cause, /nothing listens on 127\.0\.0\.1:1/);
});

test('one bad address among good ones is a warning', async () => {
  const bootstrap = await sharedKafka();
  const report = await check(`127.0.0.1:1,${bootstrap}`);
  assert.equal(report.ok, true);
  assert.ok(report.warnings.some((warning) => warning.includes('127.0.0.1:1')));
});

test('a server that says nothing', async (t) => {
  const { step, cause } = failedStep(await check(await stranger(t, () => {})));
  assert.equal(step, 'versions');
  assert.match(cause, /says nothing within/);
});

test('a black hole: no connection is ever answered', async (t) => {
  // A listener that accepts nothing, its queue filled: further connections hang, as behind a firewall that drops them.
  const script = `require('net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, function () {
    process.stdout.write(String(this.address().port)); process.kill(process.pid, 'SIGSTOP'); })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => {
    for (const socket of fillers) socket.destroy();
    child.kill('SIGKILL');
  });
  await Promise.all(fillers.slice(0, 2).map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  const { step, cause } = failedStep(await check(`127.0.0.1:${port}`));
  assert.equal(step, 'tcp');
  assert.match(cause, /does not answer within 3 s/);
});

test('a web server', async (t) => {
  const server = createHttpServer((_request, response) => response.end('secret page'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const report = await check(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  const { step, cause } = failedStep(report);
  assert.equal(step, 'versions');
  assert.match(cause, /answers HTTP/);
  assert.doesNotMatch(JSON.stringify(report), /secret page/);
});

test('a login server, and addresses that nobody connects to (S19)', async (t) => {
  const ssh = failedStep(await check(await stranger(t, (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'))));
  assert.equal(ssh.step, 'versions');
  assert.match(ssh.cause, /answers SSH/);
  for (const host of ['169.254.169.254', '[fd00:ec2::254]']) {
    const { step, cause } = failedStep(await check(`${host.replaceAll(/[[\]]/g, '')}:9092`));
    assert.equal(step, 'dns');
    assert.match(cause, /must not be connected to: it is .*metadata/);
  }
});

test('a stream of garbage, and one that begins after a proper answer: told at once, memory bounded', async (t) => {
  const flood = (socket: Socket): void => {
    const garbage = randomBytes(1024 * 1024);
    garbage.writeInt32BE(0x7fff_ffff, 0);
    const pour = (): void => {
      while (!socket.destroyed && socket.write(garbage));
    };
    socket.on('drain', pour);
    pour();
  };
  const before = process.memoryUsage().rss;
  const first = failedStep(await check(await stranger(t, flood)));
  assert.equal(first.step, 'versions');
  assert.match(first.cause, /does not speak Kafka's protocol/);

  const later = await stranger(t, (socket) => {
    socket.on('data', (request: Buffer) => {
      // The first question by hand is answered as a broker does; what the client asks then meets garbage.
      if (request.readInt16BE(4) === 18 && request.readInt16BE(6) === 0) socket.write(versionsAnswer(request));
      else flood(socket);
    });
  });
  const second = failedStep(await check(later));
  assert.equal(second.step, 'brokers');
  assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024, 'memory grew');
});

test('an answer that comes byte by byte does not hold it up', async (t) => {
  const address = await stranger(t, (socket) => {
    const timer = setInterval(() => socket.write(Buffer.of(0)), 300);
    socket.once('close', () => clearInterval(timer));
  });
  assert.equal(failedStep(await check(address)).step, 'versions');
});

test('one of three brokers that the cluster names cannot be reached', async (t) => {
  let ports: number[] = [];
  const address = await stranger(
    t,
    namesBrokers(() => ports),
  );
  const port = Number(address.split(':')[1]);
  const dead = await deafPort();
  ports = [port, dead, port];
  const { step, cause, remedy } = failedStep(await check(address));
  assert.equal(step, 'brokers');
  assert.equal(
    cause,
    `broker 2 is advertised as 127.0.0.1:${dead}: nothing listens on 127.0.0.1:${dead} (connection refused)`,
  );
  assert.match(remedy, /advertised\.listeners/);
});

test('a broker too old, and compression that it does not know', async (t) => {
  const brokerOf = (fetch: number, produce: number): Promise<string> =>
    stranger(t, (socket) => {
      socket.on('data', (request: Buffer) => {
        if (request.readInt16BE(4) === 18) socket.write(versionsAnswer(request, { 0: produce, 1: fetch, 22: 0 }));
      });
    });
  const old = failedStep(await check(await brokerOf(2, 2)));
  assert.equal(old.step, 'versions');
  assert.match(old.cause, /older than Apache Kafka 1\.0/);
  const zstd = failedStep(await check(await brokerOf(8, 6), { compression: 'zstd' }));
  assert.match(zstd.cause, /zstd needs Kafka 2\.1 or newer, and 127\.0\.0\.1:\d+ is Kafka 2\.0/);
});

test('listeners of a real broker: one advertised where nobody reaches it, one with SASL, one with TLS', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-doctor-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const keystore = join(folder, 'broker.p12');
  const password = 'test-password';
  const words = `-genkeypair -keyalg RSA -alias broker -dname CN=localhost -validity 2 -storetype PKCS12`;
  const made = spawnSync('keytool', words.split(' ').concat('-keystore', keystore, '-storepass', password));
  assert.equal(made.status, 0, String(made.stderr));
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b" user_a="b";';
  const kafka = await ownKafka({
    listeners: [
      { name: 'AWAY', protocol: 'PLAINTEXT', advertisedHost: 'kafka-internal.invalid' },
      {
        name: 'LOGIN',
        protocol: 'SASL_PLAINTEXT',
        properties: { 'sasl.enabled.mechanisms': 'PLAIN', 'plain.sasl.jaas.config': jaas },
      },
      {
        name: 'SECURE',
        protocol: 'SSL',
        properties: {
          'ssl.keystore.location': keystore,
          'ssl.keystore.password': password,
          'ssl.keystore.type': 'PKCS12',
        },
      },
    ],
  });
  const away = failedStep(await check(kafka.bootstrapOf('AWAY')));
  assert.equal(away.step, 'brokers');
  assert.match(away.cause, /broker 1 is advertised as kafka-internal\.invalid:\d+: the name .* does not resolve/);
  assert.match(away.remedy, /advertised\.listeners/);
  const login = failedStep(await check(kafka.bootstrapOf('LOGIN')));
  assert.equal(login.step, 'sasl');
  assert.match(login.cause, /expects SASL \(it offers PLAIN\)/);
  const secure = failedStep(await check(kafka.bootstrapOf('SECURE')));
  assert.equal(secure.step, 'tls');
  assert.match(`${secure.cause} ${secure.remedy}`, /protocol: ssl/);
});

test('topics under which an acknowledged message can be lost: three of them, three warnings (P5)', () => {
  const topic = {
    partitions: 1,
    replication: 3,
    cleanupPolicy: 'delete',
    maxMessageBytes: 1048588,
    minInSyncReplicas: 2,
    uncleanElection: false,
  };
  const warnings = topicWarnings(
    [
      { ...topic, topic: 'fine' },
      { ...topic, topic: 'single', replication: 1 },
      { ...topic, topic: 'lonely', minInSyncReplicas: 1 },
      { ...topic, topic: 'unclean', uncleanElection: true },
    ],
    3,
  );
  assert.equal(warnings.length, 3);
  for (const [index, name] of ['single', 'lonely', 'unclean'].entries())
    assert.ok(warnings[index]!.includes(name) && !warnings[index]!.includes('fine'), warnings[index]);
});

test('each step is explained in the guide, where its link leads', () => {
  const guide = readFileSync(join(import.meta.dirname, '..', '..', linkOf('tcp').replace(/#.*/, '')), 'utf8');
  for (const step of checkSteps) assert.match(guide, new RegExp(`^## ${step}$`, 'm'));
});
