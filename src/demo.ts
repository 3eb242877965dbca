/** `headrace demo` and the local Kafka: server, broker and example put together, and taken apart again. A front door. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyFile } from './api/apply-file.ts';
import { tailMessage } from './api/service.ts';
import { systemClock } from './base/clock.ts';
import type { StartOptions } from './cli/doors.ts';
import { playDemo, demoTopics, type DemoStage } from './cli/demo/script.ts';
import { DemoScreen } from './cli/demo/show.ts';
import { Output } from './cli/output.ts';
import { durationText } from './cli/text.ts';
import { readEnvironment, readFile, type Environment } from './config/index.ts';
import { LocalKafkaError, startLocalKafka, stopLocalKafka, type RunningKafka } from './local/index.ts';
import { HeadraceError, type DestinationConfig } from './model/index.ts';
import { dataFolderOf } from './open.ts';
import { startServer, type RunningServer } from './server.ts';
import { endOnCrash, firstSignal } from './start.ts';
import { readServerFile } from './store/index.ts';
import { createTopics, tailTopic } from './syncs/index.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');
const PARTITIONS = 3;

/** Resolves with the exit code once a signal ended it. Throws HeadraceError when it cannot start; nothing is left running then. */
export async function runDemo(options: Omit<StartOptions, 'config'>): Promise<number> {
  const environment = readEnvironment();
  const dataFolder = dataFolderOf(options.data, environment);
  const output = new Output({ stdout: process.stdout, stderr: process.stderr, colour: !environment.noColor });
  const screen = new DemoScreen(output);
  const stopping = new AbortController();
  const signal = firstSignal();
  void signal.then(() => stopping.abort());

  const { port, host } = options;
  const log = { stream: 'stderr', pretty: true, level: 'warn' } as const;
  // First the server: its lock tells whether a demo runs already, before a second one touches the first one's broker.
  const server = await startServer(environment, { dataFolder, port, host, config: null, log }).catch((error) => {
    throw runningAlready(error, dataFolder);
  });
  endOnCrash(server);
  const kafka = ownOrLocalKafka(environment, dataFolder, screen);
  try {
    const play = kafka.then((running) => perform(server, running, environment, screen, stopping.signal));
    await Promise.race([play, signal]);
    const why = await signal;
    screen.say(`\nStopping on ${why} …`);
  } finally {
    stopping.abort();
    await server.stop('the end of the demo');
    const running = await kafka.catch(() => null);
    // One that was started to stay (headrace kafka start) is not ours to stop.
    if (running !== null && !running.stays) await running.stop();
  }
  screen.say('Stopped.');
  return 0;
}

/** Null: a cluster of the user's own. */
async function ownOrLocalKafka(
  environment: Environment,
  dataFolder: string,
  screen: DemoScreen,
): Promise<RunningKafka | null> {
  if (environment.kafkaBrokers !== null) {
    screen.say(`Using the Kafka at ${environment.kafkaBrokers} (KAFKA_BROKERS).`);
    return null;
  }
  const startedMs = systemClock.monotonic();
  screen.say('Starting a local Apache Kafka …');
  const kafka = await localKafka(dataFolder, false);
  const took = durationText(systemClock.monotonic() - startedMs);
  screen.say(`Kafka ${kafka.adopted ? 'was running already' : 'is ready'} on ${kafka.bootstrap} (${took}).`);
  return kafka;
}

async function perform(
  server: RunningServer,
  kafka: RunningKafka | null,
  environment: Environment,
  screen: DemoScreen,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const { service, syncs } = server;
  await applyFile(service, readFile(join(EXAMPLES, 'demo.yaml')));
  const destination = syncs.configuration.destinations.get('main');
  const source = syncs.configuration.sources.get('website');
  if (destination === undefined || source?.type !== 'events')
    throw new HeadraceError('config_invalid', 'examples/demo.yaml lacks the destination main or the source website.');
  const wanted = demoTopics.map((topic) => ({ topic, partitions: PARTITIONS }));
  await createTopics(destination, wanted, systemClock);
  const events = readFileSync(join(EXAMPLES, 'data', 'events.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const stage: DemoStage = {
    service,
    address: server.address,
    brokers: kafka?.bootstrap ?? environment.kafkaBrokers ?? '',
    clock: systemClock,
    events,
    writeKey: source.writeKey.reveal(),
    tail: (topic, ready, end) => liveMessages(destination, topic, ready, end),
  };
  await playDemo(stage, screen, signal);
}

async function* liveMessages(
  destination: DestinationConfig,
  topic: string,
  ready: () => void,
  signal: AbortSignal,
): ReturnType<DemoStage['tail']> {
  for await (const message of tailTopic(destination, topic, { fromStart: false, ready }, systemClock, signal))
    yield tailMessage(message);
}

function localKafka(dataFolder: string, stays: boolean): Promise<RunningKafka> {
  return startLocalKafka({ folder: join(dataFolder, 'kafka'), stays }).catch((error: unknown) => {
    if (!(error instanceof LocalKafkaError)) throw error;
    throw new HeadraceError('conflict', error.message, { remedy: error.remedy, cause: error });
  });
}

/** `headrace kafka start`: it goes on after this process. */
export async function startKafkaToStay(
  data: string | null,
): Promise<{ bootstrap: string; pid: number | null; started: boolean }> {
  const kafka = await localKafka(dataFolderOf(data, readEnvironment()), true);
  return { bootstrap: kafka.bootstrap, pid: kafka.nodes[0]?.pid ?? null, started: !kafka.adopted };
}

/** False when none was running. */
export function stopKafka(data: string | null): Promise<boolean> {
  return stopLocalKafka(join(dataFolderOf(data, readEnvironment()), 'kafka'));
}

/** The lock is another's: who that is, in one sentence. */
function runningAlready(error: unknown, dataFolder: string): unknown {
  const facts = readServerFile(dataFolder);
  if (!(error instanceof HeadraceError) || error.code !== 'conflict' || facts === null) return error;
  return new HeadraceError('conflict', `Headrace is running already (process ${facts.pid}, ${facts.address}).`);
}
