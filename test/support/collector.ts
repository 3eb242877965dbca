/** A collector on a real HTTP server at a free port, before an intake that remembers what it was given. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import type { EventsSourceConfig, SourceRecord } from '../../src/model/index.ts';
import { createCollector, serverOptions } from '../../src/sources/events/collector.ts';
import type { CollectorOptions, ObservedAnswer } from '../../src/sources/events/collector.ts';
import { WriteKeys } from '../../src/sources/events/write-keys.ts';
import type { EventIntake, IntakeAnswer } from '../../src/sources/ports.ts';

export const WRITE_KEY = 'web-key-1';

export function eventsSource(overrides: Partial<EventsSourceConfig> = {}): EventsSourceConfig {
  return {
    type: 'events',
    name: 'website',
    enabled: true,
    writeKey: new Secret(WRITE_KEY),
    maxEventBytes: 32 * 1024,
    maxBatchBytes: 500 * 1024,
    maxBatchEvents: 2500,
    ...overrides,
  };
}

/** Takes every event and says `safe`, unless told otherwise by `answer`. */
export class RecordingIntake implements EventIntake {
  draining = false;
  answer: () => Promise<IntakeAnswer> | IntakeAnswer = () => ({ state: 'safe' });
  readonly calls: { source: string; events: readonly SourceRecord[] }[] = [];

  async accept(source: string, events: readonly SourceRecord[]): Promise<IntakeAnswer> {
    this.calls.push({ source, events });
    return this.answer();
  }

  /** Every event so far, as the bytes that a sync would send. */
  get events(): Record<string, unknown>[] {
    return this.calls.flatMap((call) => call.events.map((event) => JSON.parse(String(event.bytes)))) as Record<
      string,
      unknown
    >[];
  }
}

export interface RunningCollector {
  readonly url: string;
  readonly port: number;
  readonly intake: RecordingIntake;
  readonly server: Server;
  readonly observed: ObservedAnswer[];
  /** What the next requests find. */
  useSources(sources: readonly EventsSourceConfig[]): void;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<PostAnswer>;
  close(): Promise<void>;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** `post` sends text and bytes as they are and anything else as JSON, with the key of `website` unless headers are given. */
export async function startCollector(
  options: Partial<CollectorOptions> & { sources?: never; server?: Partial<typeof serverOptions> } = {},
  sources: readonly EventsSourceConfig[] = [eventsSource()],
): Promise<RunningCollector> {
  const intake = new RecordingIntake();
  const observed: ObservedAnswer[] = [];
  let keys = new WriteKeys(sources);
  const observer = { answered: (answer: ObservedAnswer) => void observed.push(answer) };
  const collector = createCollector({ intake, clock: systemClock, observer, ...options, sources: () => keys });
  const server = createServer({ ...serverOptions, ...options.server }, (request, response) => {
    if (!collector.handle(request, response)) response.writeHead(404).end('{"not":"mine"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    intake,
    server,
    observed,
    useSources: (changed) => void (keys = new WriteKeys(changed)),
    async post(path, body, headers = { authorization: basic(WRITE_KEY) }) {
      const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
      const response = await fetch(url + path, { method: 'POST', body: raw as string, headers });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function basic(key: string, colon = ':'): string {
  return `Basic ${Buffer.from(key + colon).toString('base64')}`;
}
