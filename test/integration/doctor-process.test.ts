/** The doctor's own process: what it is given, what it may take, and that it always ends in time (S20). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { allowAddresses } from '../../src/base/address-guard.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { examineApart, type Ending } from '../../src/kafka/doctor/child.ts';
import { pack, unpack } from '../../src/kafka/doctor/parcel.ts';
import { StepFailure, type DestinationReport } from '../../src/kafka/doctor/report.ts';
import type { DestinationConfig } from '../../src/model/index.ts';
import { destinationAt } from '../support/delivery.ts';
import { examined, failedStep, stranger, versionsAnswer } from '../support/doctor.ts';
import { newTopic, sharedKafka } from '../support/kafka.ts';
import { until } from '../support/until.ts';

const apart = { inProcess: false };
const secret = 'kept-out-of-sight';
// What `${NAME}` of a configuration may read.
process.env['KAFKA_PASSWORD'] = secret;

function withLogin(brokers: string): DestinationConfig {
  const sasl = { mechanism: 'plain', username: new Secret('app'), password: new Secret(secret) } as const;
  return { ...destinationAt(brokers), protocol: 'sasl_plaintext', sasl };
}

test('a destination goes over the pipe whole, its secrets with it and nowhere else', () => {
  const destination = withLogin('127.0.0.1:9092');
  const parcel = JSON.parse(JSON.stringify(pack(destination))) as unknown;
  const arrived = unpack(parcel);
  assert.deepEqual(arrived, destination);
  assert.equal((arrived.sasl as unknown as { password: Secret }).password.reveal(), secret);
});

test('a healthy cluster, examined by another process', async () => {
  const bootstrap = await sharedKafka();
  const topic = await newTopic(bootstrap, 'doctor-process');
  // On a busy machine starting it may use up its ten seconds.
  const whole = async (): Promise<DestinationReport | null> => {
    const report = await examined(destinationAt(bootstrap), { ...apart, topics: [topic] });
    return report.ok ? report : null;
  };
  const report = await until('a machine quiet enough', whole, { deadlineMs: 120_000 });
  assert.match(report.steps.find(({ step }) => step === 'write')!.detail, /may write to topic doctor-process/);
});

test('with a list of allowed addresses it sends nothing to others, and says who has set the list (S19)', async (t) => {
  t.after(() => allowAddresses(null));
  let connections = 0;
  const address = await stranger(t, () => connections++);
  allowAddresses(['10.0.0.0/8']);
  for (const inProcess of [false, true]) {
    const step = failedStep(await examined(withLogin(address), { inProcess }));
    assert.equal(step.step, 'dns');
    assert.match(step.cause ?? '', /must not be connected to: it is not among those that HEADRACE_ALLOWED_ADDRESSES/);
  }
  assert.equal(connections, 0);
  allowAddresses(['127.0.0.0/8']);
  await examined(withLogin(address), apart);
  assert.ok(connections > 0);
});

test(
  'secrets are neither among its arguments nor in its environment',
  { skip: !existsSync('/proc/self') },
  async (t) => {
    let asked: Socket | null = null;
    const address = await stranger(t, (socket) => (asked = socket));
    const done = examined(withLogin(address), apart);
    await until('it has connected', () => asked !== null, { deadlineMs: 9_000 });
    const children = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => parentOf(pid) === process.pid && read(`/proc/${pid}/cmdline`).includes('doctor.ts'));
    assert.equal(children.length, 1);
    for (const file of ['cmdline', 'environ']) assert.ok(!read(`/proc/${children[0]}/${file}`).includes(secret), file);
    (asked as Socket | null)?.destroy();
    assert.doesNotMatch(JSON.stringify(await done), new RegExp(secret));
    await until('its process is gone', () => !existsSync(`/proc/${children[0]}`));
  },
);

test('whoever answers with floods, drops or silence: told in time, the process ended, nothing echoed', async (t) => {
  const page = 'HTTP/1.1 200 OK\r\n\r\nsecret page';
  const talks: Readonly<Record<string, (socket: Socket) => void>> = {
    flood,
    'flood after a proper answer': (socket) =>
      socket.on('data', (request: Buffer) => {
        if (request.readInt16BE(4) === 18 && request.readInt16BE(6) === 0) socket.write(versionsAnswer(request));
        else flood(socket);
      }),
    silence: () => undefined,
    'a web page': (socket) => socket.write(page),
  };
  for (const [name, talk] of Object.entries(talks)) {
    const report = await examined(destinationAt(await stranger(t, talk)), apart);
    failedStep(report);
    assert.doesNotMatch(JSON.stringify(report), /secret page/, name);
  }
});

test('a process that takes too much memory, or never comes back, is ended', async () => {
  const program = join(import.meta.dirname, '..', 'support', 'greedy-doctor.ts');
  const findings = { step: () => undefined, warning: () => undefined };
  const endingOf = (name: string, limitMs: number): Promise<Ending> =>
    examineApart({ ...destinationAt('127.0.0.1:1'), name }, systemClock, { topics: [], limitMs }, findings, program);
  const greedy = await endingOf('greedy', 60_000);
  assert.ok(greedy instanceof StepFailure);
  assert.match(greedy.message, /more than 128 MB/);
  const startedMs = performance.now();
  const hung = await endingOf('hung', 1_000);
  assert.ok(hung instanceof StepFailure);
  assert.match(hung.message, /did not come to an end in its time/);
  assert.ok(performance.now() - startedMs < 5_000);
});

function flood(socket: Socket): void {
  const garbage = randomBytes(1024 * 1024);
  // A frame as long as the guard lets pass, and another after it.
  garbage.writeInt32BE(0x00ff_ffff, 0);
  const pour = (): void => {
    while (!socket.destroyed && socket.write(garbage));
  };
  socket.on('drain', pour);
  pour();
}

function parentOf(pid: string): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Processes may end while one looks. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
