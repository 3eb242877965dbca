/** The whole program taking events over HTTP under faults: its configuration, the load on it, and the verdict at the end. */
import type { TestContext } from 'node:test';
import type { CheckInput, Verdict } from './check-topic.ts';
import { CollectorLoad } from './collector-load.ts';
import type { FaultRun } from './fault-test.ts';
import { drawKeys } from './flow.ts';
import { startHeadrace, type LaunchOptions, type Server } from './headrace.ts';
import { newTopic } from './kafka.ts';
import { partitionTable, readTopics } from './scenario.ts';
import { setUp, type Setup } from './setup.ts';
import { until } from './until.ts';

export interface ChaosCollectorOptions {
  /** Of brokers that nobody breaks while the topic is made. */
  readonly bootstrap: string;
  /** Where Headrace dials, e.g. a proxy. */
  readonly through?: string;
  readonly connections?: number;
  /** 6 unless given. */
  readonly partitions?: number;
  /** Of the destination `main`, beside its brokers. */
  readonly destination?: object;
}

export interface ChaosCollector {
  readonly load: CollectorLoad;
  readonly setup: Setup;
  readonly topic: string;
  readonly start: (options?: LaunchOptions) => Promise<Server>;
  /** Resolves when nothing that was taken waits any more. */
  readonly settled: (server: Server) => Promise<void>;
  /** Nothing may be there twice unless `maxDuplicates` says so. */
  readonly judge: (options?: Pick<Partial<CheckInput>, 'maxDuplicates' | 'unknownMayRepeat'>) => Promise<Verdict>;
}

const WRITE_KEY = 'chaos-key';

export async function chaosCollector(
  t: TestContext,
  run: FaultRun,
  options: ChaosCollectorOptions,
): Promise<ChaosCollector> {
  const { bootstrap, through = bootstrap, connections = 64, partitions = 6, destination = {} } = options;
  const topic = await newTopic(bootstrap, 'chaos-collector', { partitions });
  const keys = drawKeys(run.random.stream('keys'), 64 * 8);
  const load = new CollectorLoad({
    writeKey: WRITE_KEY,
    topic,
    partitions,
    javaPartition: await partitionTable(keys, [partitions]),
    keys,
    connections,
    random: run.random.stream('load'),
  });
  t.after(() => load.close());
  const message = { topic, key: '$.userId', headers: { id: '$.messageId' }, payload: { '@path': '$.' } };
  const setup = setUp(t, {
    destinations: { main: { brokers: through, ...destination } },
    sources: { website: { type: 'events', write_key: WRITE_KEY } },
    syncs: { tracks: { source: 'website', destination: 'main', types: ['track'], message } },
  });
  return {
    load,
    setup,
    topic,
    start: (launch) => startHeadrace({ data: setup.data, config: setup.config, deadlineMs: 120_000, ...launch }),
    async settled(server) {
      const empty = async (): Promise<boolean> => {
        const { destinations } = await status(server);
        return destinations.every(
          ({ pendingMessages, spool }) => pendingMessages === 0 && (spool?.messages ?? 0) === 0,
        );
      };
      await until('nothing waits any more', empty, { deadlineMs: 120_000 });
    },
    judge: (allowed) =>
      run.judge({
        expected: load.expected,
        ledger: load.ledger,
        read: readTopics(bootstrap, [topic]),
        maxDuplicates: 0,
        ...allowed,
        checkValue: (id, record) => load.checkValue(id, record),
      }),
  };
}

interface Status {
  readonly destinations: readonly {
    readonly pendingMessages: number;
    readonly spool?: { readonly messages: number; readonly bytes: number } | null;
  }[];
}

async function status(server: Server): Promise<Status> {
  const headers = { authorization: `Bearer ${server.token}` };
  return (await (await fetch(`${server.address}/api/status`, { headers })).json()) as Status;
}

/** Messages handed in and without an outcome, by the server's own account. */
export async function pending(server: Server): Promise<number> {
  return (await metric(server, 'headrace_pending_messages')) ?? 0;
}

/** The sum of a metric over its labels; null where there is none of the name. */
export async function metric(server: Server, name: string): Promise<number | null> {
  const text = await (await fetch(`${server.address}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map((match) =>
    Number(match[1]),
  );
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** Resolves when so many events more than now were answered 200. */
export async function acknowledged(load: CollectorLoad, more: number): Promise<void> {
  const at = load.acknowledged + more;
  await until(`${at} acknowledged`, () => load.acknowledged >= at, { everyMs: 1, deadlineMs: 60_000 });
}
