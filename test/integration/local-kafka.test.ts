/** The local Kafka: started, killed, adopted and stopped. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  localKafkaStatus,
  startKafka,
  startLocalKafka,
  stopLocalKafka,
  type LocalKafkaError,
} from '../../src/local/index.ts';
import { defaultJars } from '../../src/local/java.ts';
import { freePorts } from '../../src/local/ports.ts';
import { isAlive, recordOf } from '../../src/local/processes.ts';
import { ownKafka, uniqueTopic } from '../support/kafka.ts';
import { oracle } from '../support/oracle.ts';

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-kafka-'));
  folders.push(folder);
  return folder;
}
after(async () => {
  for (const folder of folders) {
    await stopLocalKafka(folder);
    rmSync(folder, { recursive: true });
  }
});

const freePort = async (): Promise<number> => (await freePorts(1))[0] ?? 0;

function isLocalKafkaError(code: string, text: RegExp): (error: unknown) => true {
  return (error) => {
    const { code: actual, message, remedy } = error as LocalKafkaError;
    assert.equal(actual, code, String(error));
    assert.match(`${message} ${remedy}`, text);
    return true;
  };
}

describe('one broker', () => {
  it('keeps port and data when it is killed and started again, and when it is stopped and started anew', async () => {
    const folder = newFolder();
    const kafka = await startKafka({ folder });
    const [node] = kafka.nodes;
    assert.ok(node);
    const topic = uniqueTopic('kept');
    const java = oracle(kafka.bootstrap);
    await java.createTopic(topic);
    await java.produce(topic, [{ key: 'a', value: 'before the kill' }]);

    const killed = node.pid;
    await node.kill();
    assert.equal(node.pid, null);
    assert.ok(killed !== null && recordOf(killed) === null, 'the process is gone');
    await node.restart();
    assert.notEqual(node.pid, killed);
    await java.produce(topic, [{ key: 'a', value: 'before the stop' }]);

    await kafka.stop();
    assert.equal((await localKafkaStatus(folder)).state, 'stopped');
    const again = await startKafka({ folder });
    const values = (await oracle(again.bootstrap).readAll(topic)).map((record) => String(record.value));
    assert.deepEqual(values, ['before the kill', 'before the stop']);
    await again.stop({ kill: true });
    assert.equal(existsSync(join(folder, 'kafka.pid.json')), false);
  });

  it(
    'runs in a process group of its own and listens on loopback only',
    { skip: process.platform !== 'linux' },
    async () => {
      const kafka = await startKafka({ folder: newFolder() });
      const pid = kafka.nodes[0]?.pid;
      const group = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')[2];
      assert.equal(Number(group), pid);
      const inodes = listeners(pid ?? 0);
      assert.ok(inodes.length >= 2, 'client and controller port');
      for (const address of inodes) assert.match(address, /^(0100007F|0{16}FFFF00000100007F)$/);
      await kafka.stop({ kill: true });
    },
  );

  it('takes extra listeners and properties', async () => {
    const kafka = await ownKafka({
      listeners: [{ name: 'SECOND', protocol: 'PLAINTEXT', advertisedHost: 'localhost' }],
      properties: { 'num.partitions': '3' },
    });
    const topic = uniqueTopic('by-the-second-listener');
    const java = oracle(kafka.bootstrapOf('SECOND'));
    await java.createTopic(topic);
    assert.notEqual(kafka.bootstrapOf('SECOND'), kafka.bootstrap);
    assert.equal((await java.describe(topic)).partitions.length, 1);
    await java.produce(topic, [{ key: null, value: 'x' }]);
    await kafka.stop({ kill: true });
  });

  it('is formatted by the tool of Kafka the first time, and from what that left the next time', async () => {
    const jars = newFolder();
    const cached = defaultJars();
    for (const name of readdirSync(cached))
      if (name.endsWith('.jar')) symlinkSync(join(cached, name), join(jars, name));
    for (const time of ['by the tool', 'by the template']) {
      const folder = newFolder();
      const kafka = await startKafka({ folder, jars });
      const topic = uniqueTopic('formatted');
      await oracle(kafka.bootstrap).createTopic(topic);
      await oracle(kafka.bootstrap).produce(topic, [{ key: null, value: time }]);
      await kafka.stop({ kill: true });
      assert.ok(existsSync(join(jars, 'bootstrap.checkpoint')));
      const data = readdirSync(join(folder, 'node-1/data'));
      assert.ok(data.includes('meta.properties') && data.includes('bootstrap.checkpoint'), time);
    }
  });

  it('says in its error why it could not start', async () => {
    const folder = newFolder();
    const refused = startKafka({ folder, properties: { 'num.network.threads': 'many' } });
    await assert.rejects(refused, isLocalKafkaError('start_failed', /many.*num\.network\.threads.*kafka\.log/));
    assert.equal(existsSync(join(folder, 'kafka.pid.json')), false);
    await assert.rejects(
      startKafka({ folder, java: 'no-such-java' }),
      isLocalKafkaError('java_missing', /no-such-java.*Install/),
    );
    await assert.rejects(startKafka({ folder, jars: folder }), isLocalKafkaError('jars_missing', /npm run setup/));
  });
});

describe('three brokers', () => {
  it('form one cluster that serves while one of them is dead', async () => {
    const kafka = await ownKafka({ brokers: 3 });
    const java = oracle(kafka.bootstrap);
    const topic = uniqueTopic('replicated');
    await java.createTopic(topic, { partitions: 3, replication: 3 });
    const leaders = (await java.describe(topic)).partitions.map(({ leader }) => leader);
    assert.deepEqual(
      leaders.toSorted((a, b) => a - b),
      [1, 2, 3],
    );

    await kafka.nodes[0]?.kill();
    const sent = await java.produce(
      topic,
      [0, 1, 2].map((partition) => ({ partition, key: null, value: 'x' })),
    );
    assert.deepEqual(
      sent.map(({ offset }) => offset),
      [0, 0, 0],
    );
    await kafka.nodes[0]?.restart();
    assert.equal((await java.readAll(topic)).length, 3);
    const pids = kafka.nodes.map(({ pid }) => pid ?? 0);
    await kafka.stop();
    assert.deepEqual(pids.map(recordOf), [null, null, null]);
  });
});

describe('the local Kafka', () => {
  it('stays after the process that started it, and is taken over, seen and stopped by others', async () => {
    const folder = newFolder();
    const port = await freePort();
    const options = JSON.stringify({ folder, port });
    const start = `import { startLocalKafka } from ${JSON.stringify(join(import.meta.dirname, '../../src/local/index.ts'))};
      await startLocalKafka(${options}); process.kill(process.pid, 'SIGKILL');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', start], { stdio: 'inherit' });
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);

    const status = await localKafkaStatus(folder);
    assert.deepEqual([status.state, status.bootstrap], ['running', `127.0.0.1:${port}`]);
    const kafka = await startLocalKafka({ folder, port, stays: true });
    assert.equal(kafka.adopted, true);
    assert.equal(kafka.stays, true);
    assert.equal(kafka.nodes[0]?.pid, status.pid);
    await kafka.nodes[0]?.kill();
    await kafka.nodes[0]?.restart();
    assert.equal(await stopLocalKafka(folder), true);
    assert.equal(await stopLocalKafka(folder), false);
    assert.deepEqual(await localKafkaStatus(folder), { state: 'stopped', bootstrap: null, pid: null });
  });

  it('says who has the port, and what to do', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const who = process.platform === 'linux' ? `process ${process.pid} \\(` : '';
    const text = new RegExp(`Port ${port} .*taken by .*${who}.*KAFKA_BROKERS=127.0.0.1:${port}`);
    try {
      await assert.rejects(startLocalKafka({ folder: newFolder(), port }), isLocalKafkaError('port_taken', text));
    } finally {
      other.close();
    }
  });

  it('leaves a process alone that has the recorded pid but is another', async () => {
    const folder = newFolder();
    const port = await freePort();
    const first = await startLocalKafka({ folder, port });
    await first.nodes[0]?.kill();
    const path = join(folder, 'kafka.pid.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    const bystander = spawn('sleep', ['600']);
    try {
      record.nodes[0].process = { pid: bystander.pid, identity: 'started at another time' };
      writeFileSync(path, JSON.stringify(record));

      assert.equal((await localKafkaStatus(folder)).state, 'stopped');
      const kafka = await startLocalKafka({ folder, port });
      assert.equal(kafka.adopted, false);
      const living = recordOf(bystander.pid ?? 0);
      assert.ok(living && isAlive(living));
      await kafka.stop({ kill: true });
    } finally {
      bystander.kill();
    }
  });

  it('is started once when two start it at the same time', async () => {
    const folder = newFolder();
    const port = await freePort();
    const both = await Promise.allSettled([startLocalKafka({ folder, port }), startLocalKafka({ folder, port })]);
    const [failed] = both.filter((result) => result.status === 'rejected');
    assert.equal(both.filter((result) => result.status === 'fulfilled').length, 1);
    assert.ok(failed);
    isLocalKafkaError('already_starting', new RegExp(`Process ${process.pid} is starting`))(failed.reason);
    await stopLocalKafka(folder);
  });
});

/** Local addresses, in the kernel's hexadecimal form, of the sockets that a process listens on. */
function listeners(pid: number): string[] {
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1),
  );
  const own = new Set(socketsOf(pid));
  const fields = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[3] === '0A' && own.has(row[9] ?? ''));
  return fields.map((row) => (row[1] ?? '').split(':')[0] ?? '');
}

function socketsOf(pid: number): string[] {
  const files = readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
  return files.flatMap((file) => /^socket:\[(\d+)\]$/.exec(file)?.[1] ?? []);
}
