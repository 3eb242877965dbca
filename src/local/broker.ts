/** One broker: a Java process in its own folder, that can be killed and started again. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { LocalKafkaError } from './errors.ts';
import { classArchiveFlags, classPath, type JavaOptions } from './java.ts';
import { liveBrokers } from './probe.ts';
import { endProcess, isAlive, recordOf, signalProcess, waitForExit, type ProcessRecord } from './processes.ts';
import { logProperties, propertiesText, type NodePorts } from './properties.ts';

export interface BrokerSettings {
  readonly ports: NodePorts;
  readonly folder: string;
  readonly java: JavaOptions;
  readonly flags: readonly string[];
  readonly startTimeoutMs: number;
  /** Called whenever another process runs, or none: the place to write it down. */
  readonly onProcess: (record: ProcessRecord | null) => void;
}

/** Writes what the broker reads when it starts. */
export function writeBrokerFiles(folder: string, properties: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'server.properties'), propertiesText(properties));
  writeFileSync(join(folder, 'log4j2.properties'), logProperties);
}

export class Broker {
  readonly id: number;
  readonly port: number;
  readonly listenerPorts: Readonly<Record<string, number>>;
  readonly #settings: BrokerSettings;
  #record: ProcessRecord | null;

  /** `record`: the process that runs already, when one is taken over. */
  constructor(settings: BrokerSettings, record: ProcessRecord | null = null) {
    this.#settings = settings;
    this.#record = record;
    this.id = settings.ports.id;
    this.port = settings.ports.port;
    this.listenerPorts = settings.ports.listenerPorts;
  }

  /** Null while it does not run. */
  get pid(): number | null {
    return this.running ? (this.#record?.pid ?? null) : null;
  }

  get running(): boolean {
    return this.#record !== null && isAlive(this.#record);
  }

  /** Starts the process; `ready` waits for it. */
  launch(): void {
    const { folder, java, flags } = this.#settings;
    const output = openSync(join(folder, 'console.log'), 'w');
    const own = [
      '-Dlog4j2.configurationFile=log4j2.properties',
      `-Djava.io.tmpdir=${emptyFolder(join(folder, 'tmp'))}`,
    ];
    const args = [
      ...classArchiveFlags(java.jars),
      ...flags,
      ...own,
      '-cp',
      classPath(java.jars),
      'kafka.Kafka',
      'server.properties',
    ];
    // A group of its own: Ctrl-C in a terminal reaches Headrace, which drains before it stops the broker.
    const child = spawn(java.command, args, { cwd: folder, detached: true, stdio: ['ignore', output, output] });
    closeSync(output);
    child.once('error', () => {}); // told by `ready`: there is no process
    child.unref();
    this.#record = child.pid === undefined ? null : recordOf(child.pid);
    this.#settings.onProcess(this.#record);
  }

  /** Resolves when the broker answers and knows itself and `others` as live. */
  async ready(others: readonly number[] = []): Promise<void> {
    const { startTimeoutMs, folder } = this.#settings;
    const wanted = [this.id, ...others];
    const deadline = systemClock.monotonic() + startTimeoutMs;
    for (;;) {
      const live = await liveBrokers(this.port);
      if (wanted.every((id) => live.includes(id))) return;
      if (!this.running) throw this.#ended();
      if (systemClock.monotonic() > deadline) break;
      await systemClock.sleep(25);
    }
    const after = `Kafka broker ${this.id} was not ready after ${startTimeoutMs / 1000} s.`;
    throw new LocalKafkaError('start_timeout', after, `See ${join(folder, 'kafka.log')}.`);
  }

  /** Sends a signal (SIGKILL unless told); for one that ends the process, resolves when it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#record === null) return;
    signalProcess(this.#record, signal);
    if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return;
    await waitForExit(this.#record, 60_000);
    this.#settings.onProcess(null);
  }

  /** Same port, same data; ends it first when it runs. Resolves when it is ready. */
  async restart(): Promise<void> {
    await this.stop();
    this.launch();
    await this.ready();
  }

  /** An orderly stop; killed when it takes longer than `graceMs`. */
  async stop(graceMs = 15_000): Promise<void> {
    if (this.#record === null) return;
    await endProcess(this.#record, graceMs);
    this.#record = null;
    this.#settings.onProcess(null);
  }

  #ended(): LocalKafkaError {
    const { folder, java } = this.#settings;
    if (this.#record === null)
      return new LocalKafkaError(
        'java_missing',
        `Java could not be started as "${java.command}".`,
        'Install Java 17 or newer.',
      );
    const cause = lastWords(folder);
    const message = `Kafka broker ${this.id} ended while starting${cause ? `: ${cause}` : ''}.`;
    return new LocalKafkaError('start_failed', message, `See ${join(folder, 'kafka.log')} and console.log beside it.`);
  }
}

/** What a killed process unpacked there goes. */
function emptyFolder(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}

/** The last error that the broker logged, else the last line it printed. */
function lastWords(folder: string): string {
  const lines = (name: string): string[] => {
    const path = join(folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };
  const error = lines('kafka.log').findLast((line) => / (ERROR|FATAL) /.test(line));
  const exception = lines('kafka.log').findLast((line) => /^(Caused by: )?[\w.]+(Exception|Error): /.test(line));
  return (exception ?? error ?? lines('console.log').at(-1) ?? '').slice(0, 300);
}
