/** The demo from the first row to the waiting: rows of a file and posted events, each seen again as it comes out of Kafka. */
import type { HeadraceService, TailMessage } from '../../api/contract/service.ts';
import type { Clock } from '../../base/clock.ts';
import { HeadraceError, type RunFacts } from '../../model/index.ts';
import { countText, durationText } from '../text.ts';
import type { DemoScreen } from './show.ts';

export interface DemoStage {
  readonly service: HeadraceService;
  /** Of the collector, e.g. `http://127.0.0.1:8080`. */
  readonly address: string;
  readonly brokers: string;
  readonly clock: Clock;
  /** JSON texts, each with its `type`. */
  readonly events: readonly string[];
  readonly writeKey: string;
  /** Reads a topic live; `ready` is called when nothing written from then on is missed. */
  tail(topic: string, ready: () => void, signal: AbortSignal): AsyncIterable<TailMessage>;
}

export const demoTopics = ['demo.orders', 'demo.tracks', 'demo.identifies'] as const;
const topicOfType: Readonly<Record<string, (typeof demoTopics)[number]>> = {
  track: 'demo.tracks',
  identify: 'demo.identifies',
};
const SEEN_WITHIN_MS = 20_000;

/** Resolves when everything sent was seen again and the screen shows what comes. Tails go on until the signal aborts. */
export async function playDemo(stage: DemoStage, screen: DemoScreen, signal: AbortSignal): Promise<void> {
  const startedMs = stage.clock.monotonic();
  await watchTopics(stage, screen, signal);
  screen.say('\nRows of examples/data/orders.csv, as they are read back from Kafka:');
  const run = await sendRows(stage, signal);
  await seen(stage, screen, 'demo.orders', run.counts.delivered);
  screen.goLive();

  screen.say('\nEvents of examples/data/events.jsonl, posted to the collector and read back:');
  const expected = new Map<string, number>();
  for (const event of stage.events) {
    const { type } = JSON.parse(event) as { type: string };
    await post(stage, type, event);
    const topic = topicOfType[type];
    if (topic !== undefined) expected.set(topic, (expected.get(topic) ?? 0) + 1);
  }
  for (const [topic, count] of expected) await seen(stage, screen, topic, count);
  await tellCounts(stage, screen, run, stage.clock.monotonic() - startedMs);
  tellAddresses(stage, screen);
}

async function watchTopics(stage: DemoStage, screen: DemoScreen, signal: AbortSignal): Promise<void> {
  await Promise.all(
    demoTopics.map(
      (topic) =>
        new Promise<void>((resolve, reject) => {
          const show = async (): Promise<void> => {
            for await (const message of stage.tail(topic, resolve, signal)) screen.show(message);
          };
          show().catch(reject);
        }),
    ),
  );
}

/** Each start sends all rows again, also when the last one was ended in the middle. */
async function sendRows({ service }: DemoStage, signal: AbortSignal): Promise<RunFacts> {
  await service.reset('orders');
  let facts: RunFacts | null = null;
  for await (const progress of service.run('orders', 'demo', signal)) facts = progress.run;
  if (facts?.state === 'succeeded') return facts;
  const { code = 'internal', message = 'it told nothing', remedy } = facts?.error ?? {};
  const why = `The run of orders is ${facts?.state ?? 'lost'}: ${message}`;
  throw new HeadraceError(code, why, remedy === undefined ? {} : { remedy });
}

async function post({ address, writeKey }: DemoStage, type: string, body: string): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const response = await fetch(`${address}/v1/${type}`, { method: 'POST', headers, body });
  const answer = await response.text();
  if (response.ok) return;
  throw new HeadraceError('internal', `The collector answered an example event with ${response.status}: ${answer}`);
}

async function seen({ clock }: DemoStage, screen: DemoScreen, topic: string, count: number): Promise<void> {
  const enough = new AbortController();
  const late = clock.sleep(SEEN_WITHIN_MS, enough.signal).then(() => 'late' as const);
  const outcome = await Promise.race([screen.whenSeen(topic, count), late]);
  enough.abort();
  if (outcome !== 'late') return;
  throw new HeadraceError(
    'kafka_unavailable',
    `Only ${screen.seen(topic)} of ${count} messages of ${topic} came back.`,
    {
      remedy: 'Look into the log of the broker, and start again.',
    },
  );
}

async function tellCounts({ service }: DemoStage, screen: DemoScreen, run: RunFacts, tookMs: number): Promise<void> {
  const { syncs } = await service.status();
  screen.say('');
  for (const { name, kind, counts } of syncs) {
    const { read, delivered, rejected, filtered } = kind === 'table' ? run.counts : counts;
    const parts = [`${countText(read)} read`, `${countText(delivered)} delivered`];
    if (rejected > 0) parts.push(`${countText(rejected)} rejected`);
    if (filtered > 0) parts.push(`${countText(filtered)} filtered`);
    screen.say(`  ${name.padEnd(20)}${parts.join(', ')}`);
  }
  screen.say(`  all of it in ${durationText(tookMs)}`);
}

function tellAddresses({ address, brokers, writeKey }: DemoStage, screen: DemoScreen): void {
  const event = '{"userId": "you", "event": "Hello Kafka", "properties": {"from": "my terminal"}}';
  screen.say(`
Headrace is up:
  page        ${address}/
  collector   ${address}/v1/track  (write key: ${writeKey})
  Kafka       ${brokers}, topics ${demoTopics.join(', ')}

Paste this into another terminal, and see your own event arrive here:

  curl -u ${writeKey}: ${address}/v1/track -H 'Content-Type: application/json' \\
    -d '${event}'

Ctrl-C stops everything.
`);
}
