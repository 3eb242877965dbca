/** Gives a broker's data folder its identity, once; what is there stays. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from '../base/random.ts';
import { LocalKafkaError } from './errors.ts';
import { classPath, type JavaOptions } from './java.ts';

/** The cluster id of a folder that was formatted before. */
export function clusterIdOf(nodeFolder: string): string | null {
  const path = join(nodeFolder, 'data', 'meta.properties');
  if (!existsSync(path)) return null;
  return /^cluster\.id=(.+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? null;
}

export function newClusterId(): string {
  return kafkaUuid();
}

/**
 * Formats `<nodeFolder>/data` unless it is formatted. Kafka's own tool does it the first time; what it writes besides
 * ids (the feature levels of this version) is kept beside the jars, and saves the next ones a second of Java each.
 */
export async function formatNode(
  nodeFolder: string,
  nodeId: number,
  clusterId: string,
  java: JavaOptions,
): Promise<void> {
  if (clusterIdOf(nodeFolder) !== null) return;
  const template = join(java.jars, 'bootstrap.checkpoint');
  const data = join(nodeFolder, 'data');
  const bootstrap = join(data, 'bootstrap.checkpoint');
  if (!existsSync(template)) {
    await runStorageTool(nodeFolder, clusterId, java);
    copyFileSync(bootstrap, `${template}.${process.pid}`);
    renameSync(`${template}.${process.pid}`, template);
    return;
  }
  mkdirSync(data, { recursive: true });
  copyFileSync(template, bootstrap);
  const identity = { version: '1', 'cluster.id': clusterId, 'node.id': String(nodeId), 'directory.id': kafkaUuid() };
  const text = Object.entries(identity).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(join(data, 'meta.properties'), text.join(''));
}

function runStorageTool(nodeFolder: string, clusterId: string, java: JavaOptions): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', 'server.properties'];
  const flags = ['-XX:TieredStopAtLevel=1', '-Dlog4j2.configurationFile=log4j2.properties'];
  return new Promise((resolve, reject) => {
    const child = spawn(java.command, [...flags, '-cp', classPath(java.jars), ...tool], {
      cwd: nodeFolder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const failed = (why: string): void =>
      reject(
        new LocalKafkaError(
          'format_failed',
          `Kafka could not format ${nodeFolder}: ${why}.`,
          'Is Java 17 or newer on PATH?',
        ),
      );
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', (error) => failed(error.message));
    child.once('close', (code) => (code === 0 ? resolve() : failed(said.trim().split('\n').slice(-3).join(' '))));
  });
}

/** 16 random bytes as Kafka writes them; none begins with a dash, which its tools would take for an option. */
function kafkaUuid(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}
