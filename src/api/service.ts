/** The service: what Headrace can be asked to do, done in this process. Behind the API and behind the command line. */
import { isUtf8 } from 'node:buffer';
import { isoTime, type Clock } from '../base/clock.ts';
import { Pace } from '../base/pace.ts';
import { randomId } from '../base/random.ts';
import {
  ConfigurationError,
  HeadraceError,
  errorCodes,
  type Configuration,
  type ErrorCode,
  type DestinationConfig,
  type RunFacts,
  type WrittenObject,
} from '../model/index.ts';
import {
  checkDestination,
  listTopics,
  namedTopics,
  previewSync,
  problemsOf,
  refusedSettings,
  tailTopic,
  unknownSync,
  Syncs,
  type ActiveRun,
  type ListedLetter,
  type Previewed,
  type SyncsTools,
  type TailedMessage,
} from '../syncs/index.ts';
import type {
  CheckReport,
  DeadLetterAnswer,
  DeadLetterSummary,
  HeadraceService,
  Overlay,
  PlanAnswer,
  PreviewBytes,
  PreviewLine,
  PreviewOptions,
  RedriveAnswer,
  RunProgress,
  StatusAnswer,
  TailMessage,
  TailOptions,
  TopicSummary,
} from './contract/service.ts';
import type { ObjectsPort } from './ports.ts';

export interface ServiceTools extends SyncsTools {
  readonly objects: ObjectsPort;
  readonly syncs: Syncs;
  readonly clock: Clock;
  readonly version: string;
}

const PROGRESS_EVERY_MS = 200;
/** S20: each test of a connection is a process of its own, and a knock on somebody's door. */
const CHECK_EVERY_MS = 1_000;
const MAX_WAITING_CHECKS = 5;

export class Service implements HeadraceService {
  readonly #tools: ServiceTools;
  readonly #startedAt: string;
  readonly #checks: Pace;

  constructor(tools: ServiceTools) {
    this.#tools = tools;
    this.#checks = new Pace(tools.clock, CHECK_EVERY_MS, MAX_WAITING_CHECKS);
    this.#startedAt = isoTime(tools.clock.now());
  }

  /** Takes what is stored (with objects laid over it, which are not stored). */
  async load(over?: readonly WrittenObject[]): Promise<void> {
    this.#tools.syncs.apply(await this.#tools.objects.load(over));
  }

  plan(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanAnswer> {
    return this.#tools.objects.plan(objects, options);
  }

  async apply(objects: readonly WrittenObject[], options: { prune: boolean }): Promise<PlanAnswer> {
    const plan = await this.#tools.objects.apply(objects, options);
    await this.load();
    return plan;
  }

  export(): Promise<readonly WrittenObject[]> {
    return this.#tools.objects.export();
  }

  async setEnabled(name: string, enabled: boolean): Promise<void> {
    await this.#tools.objects.setEnabled(name, enabled);
    await this.load();
  }

  async check(destination: string, over?: Overlay): Promise<CheckReport> {
    // What is refused before anything is dialled is the first step of the same report.
    const configuration = await this.#configuration(over).catch((error: unknown) => {
      const report = error instanceof ConfigurationError ? refusedSettings(destination, error.problems) : null;
      if (report === null) throw error;
      return report;
    });
    if ('steps' in configuration) return configuration;
    if (!configuration.destinations.has(destination)) {
      const report = refusedSettings(destination, configuration.problems ?? []);
      if (report !== null) return report;
    }
    const config = this.#destination(destination, configuration);
    if (!(await this.#checks.turn()))
      throw new HeadraceError(
        'overloaded',
        `Connections are tested once a second, and ${MAX_WAITING_CHECKS} tests wait already.`,
        { remedy: 'Try again in a few seconds.' },
      );
    return checkDestination(config, namedTopics(config, configuration), this.#tools.clock);
  }

  async topics(destination: string, over?: Overlay, all = false): Promise<readonly TopicSummary[]> {
    const config = this.#destination(destination, await this.#configuration(over));
    const topics = await listTopics(config, this.#tools.clock, { all });
    return topics.map(topicSummary);
  }

  async preview(sync: string, options: PreviewOptions): Promise<readonly PreviewLine[]> {
    const { clock, openFiles } = this.#tools;
    const atMs = options.at === null ? clock.now() : Date.parse(options.at);
    if (Number.isNaN(atMs))
      throw new HeadraceError('config_invalid', `${options.at} is no time.`, {
        path: '--at',
        remedy: 'Write it as ISO 8601, e.g. 2026-01-31T12:00:00Z.',
      });
    const { limit, record, recordText } = options;
    const run = options.run ?? randomId();
    const request = { sync, limit, record, atMs, run, ...(recordText === undefined ? {} : { recordText }) };
    return this.#overlaid(options.over, async (syncs) =>
      (await previewSync(syncs, openFiles, request)).map(previewLine),
    );
  }

  async *run(sync: string, cause: RunFacts['cause'], signal: AbortSignal): AsyncIterable<RunProgress> {
    const active = await this.#tools.syncs.runs.start(sync, cause);
    const cancel = (): void => active.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      yield* this.#progress(active);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  runs(sync: string | null, limit: number): Promise<readonly RunFacts[]> {
    return this.#tools.runs.list({ ...(sync === null ? {} : { sync }), limit });
  }

  async cancel(run: string): Promise<RunFacts> {
    const active = this.#tools.syncs.runs.active().find((one) => one.id === run || one.sync === run);
    if (active === undefined)
      throw new HeadraceError('not_found', `No run ${run} is under way.`, {
        remedy: 'List the runs with `headrace runs`.',
      });
    active.cancel();
    return active.ended;
  }

  async reset(sync: string): Promise<void> {
    const { syncs, runs } = this.#tools;
    if (!syncs.configuration.syncs.has(sync)) throw unknownSync(sync, syncs.configuration);
    if (syncs.runs.active().some((one) => one.sync === sync)) {
      throw new HeadraceError('conflict', `A run of ${sync} is under way.`, { remedy: 'Cancel it first.' });
    }
    await runs.forget(sync);
  }

  async deadLetters(sync: string, limit: number): Promise<DeadLetterAnswer> {
    const { groups, letters, notes, ...listed } = await this.#tools.syncs.deadLetters.list(sync, limit);
    const byCode = groups.map((group) => ({ ...group, remedy: errorCodes[group.code]?.remedy ?? null }));
    return { ...listed, byCode, letters: letters.map(summaryOf), ...(notes.length === 0 ? {} : { notes }) };
  }

  redrive(sync: string): Promise<RedriveAnswer> {
    return this.#tools.syncs.redrive(sync);
  }

  async clearDeadLetters(sync: string, code: string | null): Promise<{ removed: number; notes?: readonly string[] }> {
    if (code !== null && !Object.hasOwn(errorCodes, code)) {
      throw new HeadraceError('not_found', `${code} is no code of an error.`, { path: 'code' });
    }
    const { removed, notes } = await this.#tools.syncs.deadLetters.clear(sync, code as ErrorCode | null);
    return { removed, ...(notes.length === 0 ? {} : { notes }) };
  }

  async *tail(topic: string, options: TailOptions, signal: AbortSignal): AsyncIterable<TailMessage> {
    const configuration = await this.#configuration(options.over);
    const destination = this.#destination(options.destination ?? onlyDestination(configuration), configuration);
    for await (const message of tailTopic(
      destination,
      topic,
      { fromStart: options.fromStart },
      this.#tools.clock,
      signal,
    )) {
      yield tailMessage(message);
    }
  }

  status(): Promise<StatusAnswer> {
    const { syncs, version } = this.#tools;
    const { configuration, flows } = syncs;
    const destinations = [...configuration.destinations.values()].map(({ name, enabled }) => {
      const pending = syncs.destinations.opened(name)?.delivery.pending;
      const held =
        [...flows.values()].find((flow) => flow.sync.destination === name && flow.held !== null)?.held?.reason ?? null;
      const spool = syncs.spools?.status(name) ?? null;
      return { name, enabled, pendingMessages: pending?.messages ?? 0, pendingBytes: pending?.bytes ?? 0, spool, held };
    });
    const sources = [...configuration.sources.values()].map(({ name, type, enabled }) => ({ name, type, enabled }));
    const all = [...flows.values()].map(({ sync, kind, counts, held }) => ({
      name: sync.name,
      enabled: sync.enabled,
      kind,
      counts: { ...counts },
      held: held?.reason ?? null,
    }));
    return Promise.resolve({ version, startedAt: this.#startedAt, destinations, sources, syncs: all });
  }

  async *#progress(active: ActiveRun): AsyncIterable<RunProgress> {
    const { clock } = this.#tools;
    let before = { atMs: clock.monotonic(), read: active.facts().counts.read };
    for (;;) {
      const wait = new AbortController();
      const ended = await Promise.race([active.ended, clock.sleep(PROGRESS_EVERY_MS, wait.signal).then(() => null)]);
      wait.abort();
      const run = ended ?? active.facts();
      const nowMs = clock.monotonic();
      const perSecond = ((run.counts.read - before.read) / Math.max(1, nowMs - before.atMs)) * 1000;
      before = { atMs: nowMs, read: run.counts.read };
      const waits = ended === null ? active.waits() : null;
      yield { run, ...active.progress(), perSecond: Math.round(perSecond), waits, finished: ended !== null };
      if (ended !== null) return;
    }
  }

  /** What is stored and runs, or with objects laid over it. */
  async #configuration(over: Overlay | undefined): Promise<Configuration> {
    return over === undefined ? this.#tools.syncs.configuration : this.#tools.objects.load(over);
  }

  /** The task with syncs of their own when objects are laid over what is stored: what runs is not touched. */
  async #overlaid<T>(over: Overlay | undefined, task: (syncs: Syncs) => Promise<T>): Promise<T> {
    if (over === undefined) return task(this.#tools.syncs);
    const syncs = new Syncs(this.#tools);
    syncs.apply(await this.#tools.objects.load(over));
    try {
      return await task(syncs);
    } finally {
      await syncs.close(0);
    }
  }

  #destination(name: string, configuration: Configuration): DestinationConfig {
    const config = configuration.destinations.get(name);
    if (config !== undefined) return config;
    // It is there, and cannot be used: why is what helps.
    const problems = problemsOf(name, configuration.problems ?? []);
    if (problems.length > 0) throw new ConfigurationError(problems);
    throw new HeadraceError('not_found', `There is no destination ${name}.`, {
      remedy: `There are: ${[...configuration.destinations.keys()].join(', ') || 'none'}.`,
    });
  }
}

function onlyDestination({ destinations }: Configuration): string {
  const names = [...destinations.keys()];
  if (names.length === 1) return names[0]!;
  throw new HeadraceError(
    'config_invalid',
    names.length === 0 ? 'No destination is configured.' : `There are several destinations: ${names.join(', ')}.`,
    { path: '--destination', remedy: 'Name the one.' },
  );
}

function topicSummary({ topic, partitions, replication, cleanupPolicy, maxMessageBytes }: TopicSummary): TopicSummary {
  return { topic, partitions, replication, cleanupPolicy, maxMessageBytes };
}

function previewLine(previewed: Previewed): PreviewLine {
  const { result, position, partition, partitionBy, lints } = previewed;
  if ('state' in result) {
    const reason = result.state === 'rejected' ? `${result.code}: ${result.reason}` : result.reason;
    return {
      passed: result.state === 'rejected',
      message: null,
      reason,
      position,
      partitionBy: null,
      bytes: null,
      lints,
    };
  }
  const message = {
    topic: result.topic,
    partition,
    key: shown(result.key),
    headers: result.headers.map(([name, value]) => [name, shown(value)] as const),
    timestamp: result.timestampMs,
    value: shown(result.value),
  };
  return { passed: true, message, reason: null, position, partitionBy, bytes: result.value?.length ?? 0, lints };
}

/** A message as read from Kafka, its bytes as text where they are text. */
export function tailMessage(message: TailedMessage): TailMessage {
  const { topic, partition, offset, timestampMs, key, headers, value } = message;
  return {
    topic,
    partition,
    offset: String(offset),
    timestamp: timestampMs,
    key: shown(key),
    headers: headers.map(([name, content]) => [name, shown(content)] as const),
    value: shown(value),
  };
}

function summaryOf(letter: ListedLetter): DeadLetterSummary {
  return {
    id: letter.id,
    sync: letter.sync,
    run: letter.run,
    code: letter.code,
    reason: letter.reason,
    field: letter.field,
    position: letter.position ?? '',
    topic: letter.topic,
    partition: letter.partition,
    key: shown(letter.key),
    value: shown(letter.value ?? letter.raw),
    createdAt: letter.createdAt,
  };
}

function shown(bytes: Buffer | null): PreviewBytes {
  if (bytes === null) return null;
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}
