/** A folder of one test: a configuration file, data files, a data folder, and the real program run in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { headrace, startHeadrace, type Exit, type LaunchOptions, type Server } from './headrace.ts';

export interface Workplace {
  readonly folder: string;
  /** Done after the test, while the folder is still there. */
  after(close: () => unknown): void;
  /** The data folder; nothing is in it until something puts it there. */
  readonly data: string;
  readonly config: string;
  write(name: string, text: string): string;
  /** Writes the configuration file. */
  configure(yaml: string): void;
  /** `headrace <args> --data <data>`, to its end. */
  run(args: readonly string[], options?: LaunchOptions): Promise<Exit>;
  /** The same, its standard output parsed as one JSON value. */
  json<T = Record<string, unknown>>(args: readonly string[], options?: LaunchOptions): Promise<T>;
  /** A server on the data folder; killed after the test if it still runs. */
  start(options?: LaunchOptions & { config?: boolean; port?: number; args?: readonly string[] }): Promise<Server>;
}

export function workplace(t: TestContext): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
  const closers: (() => unknown)[] = [];
  t.after(async () => {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  });
  const data = join(folder, 'data');
  const config = join(folder, 'headrace.yaml');
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const run: Workplace['run'] = (args, options) => headrace([...args, '--data', data], { cwd: folder, ...options });
  return {
    folder,
    data,
    config,
    write,
    after: (close) => void closers.push(close),
    configure: (yaml) => void write('headrace.yaml', yaml),
    run,
    async json(args, options) {
      const { stdout, stderr } = await run([...args, '--json'], options);
      try {
        return JSON.parse(stdout) as never;
      } catch (error) {
        throw new Error(`no JSON on standard output:\n${stdout}\n${stderr}`, { cause: error });
      }
    },
    async start({ config: withConfig = true, ...options } = {}) {
      const server = await startHeadrace({ cwd: folder, ...options, data, ...(withConfig ? { config } : {}) });
      closers.push(() => (server.running ? server.kill() : null));
      return server;
    },
  };
}

/** A destination `main`, a files source `files` on the folder itself, an events source `web`, and the syncs given. */
export function yamlFor(bootstrap: string, syncs: string): string {
  return `destinations: {main: {brokers: '${bootstrap}'}}
sources:
  files: {type: files, path: .}
  web: {type: events, write_key: web-key}
syncs:
${syncs}`;
}

/** One table sync reading `file`, its whole rows as values, keyed by id. */
export function fileSync(name: string, file: string, topic: string): string {
  return `  ${name}: {source: files, destination: main, read: {file: ${file}}, message: {topic: ${topic}, key: $.id, payload: $.}}\n`;
}

/** One event sync, keyed by user. */
export function eventSync(name: string, topic: string): string {
  return `  ${name}: {source: web, destination: main, message: {topic: ${topic}, key: $.userId, payload: $.}}\n`;
}

export function rows(count: number): string {
  return Array.from({ length: count }, (_, id) => `{"id":${id},"n":1.10}\n`).join('');
}

/** Posts one track event; answers the status. */
export async function track(address: string, userId: string, event = 'E'): Promise<number> {
  const headers = { authorization: `Basic ${Buffer.from('web-key:').toString('base64')}` };
  const body = JSON.stringify({ userId, event });
  const response = await fetch(`${address}/v1/track`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}
