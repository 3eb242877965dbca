/** Apache Kafka of former times for tests, from its published jars: with its ZooKeeper where it needs one. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broker, writeBrokerFiles } from '../../src/local/broker.ts';
import { claimFolder, writeRecord, type ClusterRecord } from '../../src/local/cluster-record.ts';
import { classPath, fastStartFlags } from '../../src/local/java.ts';
import { freePorts, isFree, LOOPBACK } from '../../src/local/ports.ts';
import { recordOf, type ProcessRecord } from '../../src/local/processes.ts';
import { ownFolder, ownKafka } from './kafka.ts';
import { until } from './until.ts';

export type OldVersion = '1.0.2' | '2.8.2' | '3.9.2';

/** Where set-up puts the jars of an old version. */
export function oldJars(version: OldVersion): string {
  return join(import.meta.dirname, '..', '..', '.cache', 'old-kafka', version);
}

/**
 * The address of one broker of that version with a plain listener. Stopped when the file's tests are over.
 * 1.0.2 and 2.8.2 run on ZooKeeper (that of 1.0.2), 3.9.2 without.
 */
export async function oldKafka(
  version: OldVersion,
  properties: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (version === '3.9.2') return (await ownKafka({ version, jars: oldJars(version), properties })).bootstrap;
  const folder = await ownFolder();
  const record = claimFolder(folder, version, false);
  const [zooKeeperPort, port] = (await freePorts(2)) as [number, number];
  const flags = [...fastStartFlags, '-Xmx384m', '-Dlog4j.configuration=file:log4j.properties'];
  const zooKeeper = await startZooKeeper(join(folder, 'zookeeper'), zooKeeperPort, flags);
  const noteBroker = (broker: ProcessRecord | null): void => writeRecord(folder, withNodes(record, zooKeeper, broker));
  noteBroker(null);
  const node = join(folder, 'node-1');
  writeBrokerFiles(node, { ...onZooKeeper(zooKeeperPort, port), ...properties });
  writeFileSync(join(node, 'log4j.properties'), logProperties);
  const broker = new Broker({
    ports: { id: 1, port, controllerPort: 0, listenerPorts: {} },
    folder: node,
    java: { command: 'java', jars: oldJars(version) },
    flags,
    startTimeoutMs: 60_000,
    onProcess: noteBroker,
  });
  broker.launch();
  await broker.ready();
  return `${LOOPBACK}:${port}`;
}

async function startZooKeeper(folder: string, port: number, flags: readonly string[]): Promise<ProcessRecord> {
  mkdirSync(folder, { recursive: true });
  const settings = { dataDir: 'data', clientPort: port, clientPortAddress: LOOPBACK, maxClientCnxns: 0, tickTime: 500 };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, 'zookeeper.properties'), lines.join(''));
  writeFileSync(join(folder, 'log4j.properties'), logProperties);
  const output = openSync(join(folder, 'console.log'), 'w');
  const main = ['org.apache.zookeeper.server.ZooKeeperServerMain', 'zookeeper.properties'];
  const child = spawn('java', [...flags, '-cp', classPath(oldJars('1.0.2')), ...main], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  child.unref();
  await until('ZooKeeper listens', async () => !(await isFree(port)), { everyMs: 50 });
  return recordOf(child.pid!)!;
}

/** Both processes, so that whoever clears away finds them. */
function withNodes(record: ClusterRecord, zooKeeper: ProcessRecord, broker: ProcessRecord | null): ClusterRecord {
  const ports = { port: 0, controllerPort: 0, listenerPorts: {} };
  return {
    ...record,
    nodes: [
      { id: 1, ...ports, process: broker },
      { id: 2, ...ports, process: zooKeeper },
    ],
  };
}

function onZooKeeper(zooKeeperPort: number, port: number): Record<string, string> {
  return {
    'broker.id': '1',
    listeners: `PLAINTEXT://${LOOPBACK}:${port}`,
    'zookeeper.connect': `${LOOPBACK}:${zooKeeperPort}`,
    'zookeeper.connection.timeout.ms': '30000',
    'log.dirs': 'data',
    'auto.create.topics.enable': 'false',
    'default.replication.factor': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '16777216',
  };
}

const logProperties = `log4j.rootLogger=INFO, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.File=kafka.log
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
`;
