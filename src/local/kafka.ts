/** A real Apache Kafka on loopback, from its published jars: one broker or three, started, killed, restarted and stopped. */
import { join, resolve } from 'node:path';
import { Broker, writeBrokerFiles } from './broker.ts';
import {
  claimFolder,
  endRecorded,
  readRecord,
  removeRecord,
  self,
  writeRecord,
  type ClusterRecord,
} from './cluster-record.ts';
import { LocalKafkaError } from './errors.ts';
import { clusterIdOf, formatNode, newClusterId } from './format.ts';
import { classPath, defaultJars, fastStartFlags, KAFKA_VERSION, type JavaOptions } from './java.ts';
import { freePorts, isFree, LOOPBACK, portHolder } from './ports.ts';
import { isAlive, type ProcessRecord } from './processes.ts';
import { serverProperties, type ListenerOptions, type NodePorts } from './properties.ts';

export interface KafkaOptions {
  /** Holds data, logs and the record of the processes. What is in it from before is kept and served again. */
  readonly folder: string;
  /** 1 unless given. */
  readonly brokers?: 1 | 3;
  readonly version?: string;
  /** Folder of the jars; the checkout's own for the version unless given. */
  readonly jars?: string;
  /** The command; `java` unless given. */
  readonly java?: string;
  /** Client port of each broker; free ones unless given. */
  readonly ports?: readonly number[];
  /** Further listeners beside the plain one, each on a free port of every broker. */
  readonly listeners?: readonly ListenerOptions[];
  /** Broker properties, in Kafka's own names; they win over ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Heap of each broker, as Java writes it; 512m unless given. */
  readonly heap?: string;
  /** JVM flags instead of those for a fast start. */
  readonly jvm?: readonly string[];
  /** 60,000 unless given. */
  readonly startTimeoutMs?: number;
  /** Brokers that run in the folder already: take them over (the default), or end them and start anew. */
  readonly running?: 'adopt' | 'end';
  /** Recorded for whoever adopts it: it is meant to outlive this process. */
  readonly stays?: boolean;
}

export interface KafkaNode {
  readonly id: number;
  readonly port: number;
  /** By name of the further listener. */
  readonly listenerPorts: Readonly<Record<string, number>>;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** SIGKILL unless told; resolves when the process is gone (SIGSTOP and SIGCONT: at once). */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Same port, same data; resolves when it is ready. Ends it first when it runs. */
  restart(): Promise<void>;
  /** An orderly stop; killed when it takes longer than `graceMs` (15,000 unless given). */
  stop(graceMs?: number): Promise<void>;
}

export interface RunningKafka {
  /** `host:port,...` of the plain listeners. */
  readonly bootstrap: string;
  readonly nodes: readonly KafkaNode[];
  /** Brokers of an earlier process were taken over. */
  readonly adopted: boolean;
  /** Someone has asked, also since it was started, that it outlive the process that started it. */
  readonly stays: boolean;
  /** `host:port,...` of a further listener. */
  bootstrapOf(listener: string): string;
  /** Stops all brokers; data stay. `kill` does not wait for an orderly end: for data that nobody needs. */
  stop(options?: { kill?: boolean }): Promise<void>;
}

/** Starts Kafka and resolves when every broker answers and knows all others. Throws LocalKafkaError. */
export async function startKafka(given: KafkaOptions): Promise<RunningKafka> {
  const options = { ...given, folder: resolve(given.folder) };
  const adopted = await adopt(options);
  if (adopted !== null) return adopted;
  await endRecorded(options.folder);
  // Ports that we choose ourselves may be taken by another before the broker has them: then others are chosen.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startNew(options);
    } catch (error) {
      const mayHelp = options.ports === undefined && attempt < 3 && /already in use/.test(String(error));
      if (!mayHelp) throw error;
    }
  }
}

async function refuseTaken(port: number): Promise<void> {
  if (await isFree(port)) return;
  const holder = portHolder(port);
  const by = holder === null ? 'another process' : `process ${holder.pid} (${holder.command})`;
  const remedy = `Stop it, or use it as it is where it is a Kafka: KAFKA_BROKERS=${LOOPBACK}:${port}.`;
  throw new LocalKafkaError('port_taken', `Port ${port} on ${LOOPBACK} is taken by ${by}.`, remedy);
}

/** The brokers of the folder when all of them run and answer; null when there is anything to start. */
async function adopt(options: KafkaOptions): Promise<RunningKafka | null> {
  const record = readRecord(options.folder);
  if (options.running === 'end' || record === null || record.nodes.length === 0) return null;
  const wanted = record.version === versionOf(options) && record.nodes.length === (options.brokers ?? 1);
  const portsFit = record.nodes.every(({ port }, index) => (options.ports?.[index] ?? port) === port);
  if (!wanted || !portsFit || !record.nodes.every((node) => node.process !== null && isAlive(node.process)))
    return null;
  const taken = { ...record, owner: self(), stays: record.stays || (options.stays ?? false) };
  const cluster = assemble(options, taken, true);
  try {
    await Promise.all(cluster.brokers.map((broker) => broker.ready()));
  } catch {
    return null;
  }
  writeRecord(options.folder, taken);
  return cluster.running;
}

async function startNew(options: KafkaOptions): Promise<RunningKafka> {
  const java = javaOf(options);
  classPath(java.jars);
  const claim = claimFolder(options.folder, versionOf(options), options.stays ?? false);
  try {
    for (const port of options.ports ?? []) await refuseTaken(port);
    const nodes = await choosePorts(options);
    const clusterId = clusterIdOf(nodeFolder(options, 1)) ?? newClusterId();
    for (const node of nodes) {
      const folder = nodeFolder(options, node.id);
      writeBrokerFiles(folder, serverProperties(node, nodes, options.listeners ?? [], options.properties ?? {}));
      await formatNode(folder, node.id, clusterId, java);
    }
    const record = { ...claim, nodes: nodes.map((node) => ({ ...node, process: null })) };
    const { brokers, running } = assemble(options, record, false);
    for (const broker of brokers) broker.launch();
    const ids = nodes.map((node) => node.id);
    await Promise.all(brokers.map((broker) => broker.ready(ids)));
    return running;
  } catch (error) {
    await endRecorded(options.folder, 0);
    removeRecord(options.folder);
    throw error;
  }
}

/** Brokers and the handle to them; every change of a process is written to the record. */
function assemble(
  options: KafkaOptions,
  first: ClusterRecord,
  adopted: boolean,
): { brokers: Broker[]; running: RunningKafka } {
  let record = first;
  const noteProcess = (id: number, process: ProcessRecord | null): void => {
    const stays = readRecord(options.folder)?.stays ?? record.stays;
    record = { ...record, stays, nodes: record.nodes.map((node) => (node.id === id ? { ...node, process } : node)) };
    writeRecord(options.folder, record);
  };
  const brokers = record.nodes.map(
    ({ process, ...ports }) =>
      new Broker(
        {
          ports,
          folder: nodeFolder(options, ports.id),
          java: javaOf(options),
          flags: [`-Xmx${options.heap ?? '512m'}`, ...(options.jvm ?? fastStartFlags)],
          startTimeoutMs: options.startTimeoutMs ?? 60_000,
          onProcess: (running) => noteProcess(ports.id, running),
        },
        process,
      ),
  );
  const join = (ports: number[]): string => ports.map((port) => `${LOOPBACK}:${port}`).join(',');
  const running: RunningKafka = {
    bootstrap: join(brokers.map((broker) => broker.port)),
    nodes: brokers,
    adopted,
    get stays() {
      return readRecord(options.folder)?.stays ?? false;
    },
    bootstrapOf: (listener) => join(brokers.map((broker) => broker.listenerPorts[listener] ?? 0)),
    async stop({ kill = false } = {}) {
      await endRecorded(options.folder, kill ? 0 : undefined);
    },
  };
  return { brokers, running };
}

async function choosePorts(options: KafkaOptions): Promise<NodePorts[]> {
  const count = options.brokers ?? 1;
  const listeners = options.listeners ?? [];
  const free = await freePorts(count * (2 + listeners.length), options.ports);
  const next = (): number => free.pop() ?? 0;
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    port: options.ports?.[index] ?? next(),
    controllerPort: next(),
    listenerPorts: Object.fromEntries(listeners.map(({ name }) => [name, next()])),
  }));
}

function versionOf(options: KafkaOptions): string {
  return options.version ?? KAFKA_VERSION;
}

function javaOf(options: KafkaOptions): JavaOptions {
  return { command: options.java ?? 'java', jars: resolve(options.jars ?? defaultJars(versionOf(options))) };
}

function nodeFolder(options: KafkaOptions, id: number): string {
  return join(options.folder, `node-${id}`);
}
