/** `headrace demo`: server, broker and example put together, and taken apart again. A front door. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from './base/clock.ts';
import { endOnCrash, firstSignal } from './base/signals.ts';
import { localKafka } from './broker.ts';
import type { StartOptions } from './cli/doors.ts';
import { playDemo, demoTopics, type DemoStage } from './cli/demo/script.ts';
import { DemoScreen } from './cli/demo/show.ts';
import { Output } from './cli/output.ts';
import { durationText } from './cli/text.ts';
import { dataFolderOf } from './config/data-folder.ts';
import { readEnvironment, type Environment } from './config/environment.ts';
import type { RunningKafka } from './local/index.ts';
import { HeadraceError, type DestinationConfig } from './model/index.ts';
import type { RunningServer } from './server.ts';
import { acquireDataLock, type DataLock } from './store/data-lock.ts';
import { readServerFile } from './store/server-file.ts';

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

  // First the lock: it tells whether a demo runs already, before a second one touches the first one's broker.
  const lock = lockFor(dataFolder);
  // Java starts while the server is still being loaded.
  const kafka = ownOrLocalKafka(environment, dataFolder, screen);
  kafka.catch(() => undefined); // told once the server is up
  const server = await startDemoServer(options, environment, dataFolder, lock).catch(async (error: unknown) => {
    await stopBroker(kafka);
    throw error;
  });
  endOnCrash((error) => server.telemetry.emit({ kind: 'crashed', error }));
  try {
    const play = kafka.then((running) => perform(server, running, environment, screen, stopping.signal));
    await Promise.race([play, signal]);
    const why = await signal;
    screen.say(`\nStopping on ${why} …`);
  } finally {
    stopping.abort();
    await server.stop('the end of the demo');
    await stopBroker(kafka);
  }
  screen.say('Stopped.');
  return 0;
}

/** One that was started to stay (headrace kafka start) is not ours to stop. */
async function stopBroker(kafka: Promise<RunningKafka | null>): Promise<void> {
  const running = await kafka.catch(() => null);
  if (running !== null && !running.stays) await running.stop();
}

/** Releases the lock when it fails. */
async function startDemoServer(
  { port, host }: Omit<StartOptions, 'config'>,
  environment: Environment,
  dataFolder: string,
  lock: DataLock,
): Promise<RunningServer> {
  const log = { stream: 'stderr', pretty: true, level: 'warn' } as const;
  try {
    const { startServer } = await import('./server.ts');
    return await startServer(environment, { dataFolder, port, host, config: null, log, lock });
  } catch (error) {
    lock.release();
    throw error;
  }
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
  const [{ applyFile }, { readFile }, { createTopics }] = await Promise.all([
    import('./api/apply-file.ts'),
    import('./config/file.ts'),
    import('./syncs/index.ts'),
  ]);
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
  const [{ tailMessage }, { tailTopic }] = await Promise.all([import('./api/service.ts'), import('./syncs/index.ts')]);
  for await (const message of tailTopic(destination, topic, { fromStart: false, ready }, systemClock, signal))
    yield tailMessage(message);
}

/** Throws, when the lock is another's, who that is in one sentence. */
function lockFor(dataFolder: string): DataLock {
  try {
    return acquireDataLock(dataFolder, { role: 'demo' });
  } catch (error) {
    const facts = readServerFile(dataFolder);
    if (!(error instanceof HeadraceError) || error.code !== 'conflict' || facts === null) throw error;
    throw new HeadraceError('conflict', `Headrace is running already (process ${facts.pid}, ${facts.address}).`);
  }
}
