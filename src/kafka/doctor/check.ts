/** Test Connection: one step after the other from the settings to the topics, each with its cause and remedy when it fails. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress, DestinationConfig } from '../../model/index.ts';
import { classifyError } from '../classify.ts';
import { describeTopics, type ListedTopic } from '../topics/list.ts';
import type { Cluster } from '../wire/cluster.ts';
import { openCluster } from '../wire/open.ts';
import { DNS_REMEDY, at, dial, probeSasl, probeVersions, type ApiRanges } from './probe.ts';
import { StepFailure, checkSteps, type DestinationReport, type StepName, type StepReport } from './report.ts';
import { topicWarnings } from './warnings.ts';
import { checkVersions } from './versions.ts';

/** The whole answers within this, whatever hangs. */
const TOTAL_MS = 9_500;
const STEP_MS = 3_000;
/** More than any answer to our questions takes. */
const MAX_FRAME_BYTES = 32 * 1024 * 1024;

/** Never throws, and never takes longer than 10 s. `topics`: those it is going to write to; absent: all that are visible. */
export async function checkDestination(
  destination: DestinationConfig,
  clock: Clock,
  topics: readonly string[] | null = null,
): Promise<DestinationReport> {
  const examination = new Examination(destination, clock, topics);
  return examination.report();
}

/** What a step found: it is well, or there was nothing to look at. */
type Found = string | { readonly skipped: string };
type Work = () => Found | Promise<Found>;

class Examination {
  readonly #destination: DestinationConfig;
  readonly #clock: Clock;
  readonly #wanted: readonly string[] | null;
  readonly #cluster: Cluster;
  readonly #startedMs: number;
  readonly #steps: StepReport[] = [];
  readonly #warnings: string[] = [];
  /** Bootstrap addresses that took a connection. */
  #reachable: readonly BrokerAddress[] = [];
  /** What each of them said it speaks, or why it said nothing. */
  #offered: readonly Settled<ApiRanges>[] = [];

  constructor(destination: DestinationConfig, clock: Clock, wanted: readonly string[] | null) {
    this.#destination = destination;
    this.#clock = clock;
    this.#wanted = wanted;
    this.#startedMs = clock.monotonic();
    this.#cluster = openCluster(destination, clock, {
      connectTimeoutMs: STEP_MS,
      requestTimeoutMs: STEP_MS,
      maxFrameBytes: MAX_FRAME_BYTES,
    });
  }

  async report(): Promise<DestinationReport> {
    const work: Readonly<Record<StepName, Work | string>> = {
      settings: () => this.#settings(),
      dns: () => this.#resolve(),
      tcp: () => this.#connect(),
      tls: `not used: the destination's protocol is ${this.#destination.protocol}`,
      sasl: () => this.#sasl(),
      versions: () => this.#versions(),
      brokers: () => this.#brokers(),
      topics: () => this.#topics(),
      topic: 'not yet: whether the topics of its syncs exist is not checked so far',
      write: 'not yet: the permission to write is not checked so far',
      message: this.#destination.testTopic === null ? 'no test_topic is set' : 'not yet',
    };
    for (const step of checkSteps) await this.#do(step, work[step]);
    await this.#within(this.#cluster.close(), 500).catch(() => undefined);
    return {
      destination: this.#destination.name,
      ok: this.#steps.every((step) => step.state !== 'failed'),
      steps: this.#steps,
      warnings: this.#warnings,
      tookMs: this.#since(this.#startedMs),
    };
  }

  async #do(step: StepName, work: Work | string): Promise<void> {
    const startedMs = this.#clock.monotonic();
    const add = (state: StepReport['state'], detail: string, failure?: StepFailure): void => {
      const cause = failure?.message ?? null;
      const remedy = failure?.remedy ?? null;
      this.#steps.push({ step, state, detail, cause, remedy, tookMs: this.#since(startedMs) });
    };
    if (this.#steps.some((earlier) => earlier.state === 'failed')) return add('skipped', 'not reached');
    if (typeof work === 'string') return add('skipped', work);
    const leftMs = TOTAL_MS - this.#since(this.#startedMs);
    try {
      const found = await this.#within(Promise.try(work), Math.min(leftMs, STEP_MS + 500));
      if (typeof found === 'string') add('ok', found);
      else add('skipped', found.skipped);
    } catch (error) {
      const failure = error instanceof StepFailure ? error : asFailure(error);
      add('failed', failure.message, failure);
    }
  }

  #settings(): string {
    const { brokers, protocol } = this.#destination;
    if (!this.#destination.enabled) this.#warnings.push('The destination is switched off.');
    return `${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'} named, protocol ${protocol}`;
  }

  async #resolve(): Promise<string> {
    const hosts = [...new Set(this.#destination.brokers.map(({ host }) => host))];
    const answers = await Promise.all(hosts.map((host) => this.#lookUp(host)));
    const found = answers.filter((answer) => typeof answer === 'string');
    const failures = answers.filter((answer) => typeof answer !== 'string');
    if (found.length === 0) throw failures[0]!;
    this.#warnings.push(...failures.map(({ message }) => `One of the brokers is no use: ${message}.`));
    return found.join('; ');
  }

  async #lookUp(host: string): Promise<string | StepFailure> {
    if (isIP(host) !== 0) return `${host} is an address`;
    try {
      const addresses = await this.#within(lookup(host, { all: true }), STEP_MS);
      return `${host} is ${addresses.map(({ address }) => address).join(', ')}`;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return new StepFailure(`the name ${host} does not resolve (${code ?? 'no answer'})`, DNS_REMEDY);
    }
  }

  async #connect(): Promise<string> {
    const { brokers } = this.#destination;
    const answers = await settle(brokers, (address) => dial(address, this.#clock, STEP_MS));
    const failures = answers.filter(({ failure }) => failure !== null);
    this.#reachable = answers.filter(({ failure }) => failure === null).map(({ address }) => address);
    if (this.#reachable.length === 0) throw merge(failures.map(({ failure }) => failure!));
    this.#warnings.push(...failures.map(({ failure }) => `One of the brokers is no use: ${failure!.message}.`));
    return `connected to ${this.#reachable.map((address) => at(address)).join(', ')}`;
  }

  /** A plain destination asks whether the listener expects SASL: it would close the connection without a reason. */
  async #sasl(): Promise<Found> {
    this.#offered = await settle(this.#reachable, (address) => probeVersions(address, this.#clock, STEP_MS));
    const address = this.#offered.find(({ failure }) => failure === null)?.address;
    if (address === undefined) return { skipped: 'no broker answered: see the next step' };
    const mechanisms = await probeSasl(address, this.#clock, 500).catch(() => null);
    if (mechanisms === null || mechanisms.length === 0) return 'not used, and the listener does not ask for it';
    throw new StepFailure(
      `the listener ${at(address)} expects SASL (it offers ${mechanisms.join(', ')})`,
      'Set `sasl` on the destination, or name the port of a listener without it.',
    );
  }

  #versions(): string {
    const good = this.#offered.filter(({ failure }) => failure === null);
    const failures = this.#offered.filter(({ failure }) => failure !== null).map(({ failure }) => failure!);
    if (good.length === 0) throw merge(failures);
    this.#warnings.push(...failures.map(({ message }) => `One of the brokers is no use: ${message}.`));
    const details = good.map(({ address, value }) => checkVersions(at(address), value!, this.#destination.producer));
    return [...new Set(details)].join('; ');
  }

  /** Every broker as the cluster advertises it must be reachable: messages go to them, not to the address given. */
  async #brokers(): Promise<string> {
    await this.#cluster.allTopics();
    const brokers = [...this.#cluster.brokers];
    if (brokers.length === 0)
      throw new StepFailure('the cluster names no brokers', 'Look into the log of the brokers.');
    const addresses = brokers.map(([, address]) => address);
    const answers = await settle(addresses, (address) => probeVersions(address, this.#clock, STEP_MS - 500));
    const failures = answers.flatMap(({ failure }, index) => (failure === null ? [] : [{ failure, index }]));
    const list = brokers.map(([id, address]) => `${id} at ${at(address)}`).join(', ');
    if (failures.length === 0) return `${brokers.length === 1 ? 'one broker' : `${brokers.length} brokers`}: ${list}`;
    const causes = failures.map(
      ({ failure, index }) =>
        `broker ${brokers[index]![0]} is advertised as ${at(addresses[index]!)}: ${failure.message}`,
    );
    throw new StepFailure(
      causes.join('; '),
      'Correct `advertised.listeners` of the brokers so that each can be reached from this machine, or start the broker.',
    );
  }

  async #topics(): Promise<string> {
    const visible = await describeTopics(this.#cluster);
    const wanted = this.#wanted;
    const concerned = wanted === null ? visible : visible.filter(({ topic }) => wanted.includes(topic));
    this.#warnings.push(...topicWarnings(concerned, this.#destination.producer.acks, this.#cluster.brokers.size));
    return count(visible);
  }

  /** A step's work with a time limit of its own, for what keeps no limit itself. */
  async #within<T>(work: Promise<T>, limitMs: number): Promise<T> {
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      const told = new StepFailure(
        `no answer within ${(Math.max(0, limitMs) / 1000).toFixed(1)} s`,
        'Check the network, and the log of the brokers.',
      );
      cancel = this.#clock.after(Math.max(0, limitMs), () => reject(told));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      cancel();
    }
  }

  #since(startedMs: number): number {
    return Math.round(this.#clock.monotonic() - startedMs);
  }
}

interface Settled<T> {
  readonly address: BrokerAddress;
  readonly value: T | null;
  readonly failure: StepFailure | null;
}

function settle<T>(
  addresses: readonly BrokerAddress[],
  task: (address: BrokerAddress) => Promise<T>,
): Promise<Settled<T>[]> {
  return Promise.all(
    addresses.map(async (address): Promise<Settled<T>> => {
      try {
        return { address, value: await task(address), failure: null };
      } catch (error) {
        return { address, value: null, failure: error instanceof StepFailure ? error : asFailure(error) };
      }
    }),
  );
}

function merge(failures: readonly StepFailure[]): StepFailure {
  return new StepFailure(failures.map(({ message }) => message).join('; '), failures[0]!.remedy);
}

function asFailure(error: unknown): StepFailure {
  const { reason, remedy } = classifyError(error);
  return new StepFailure(reason, remedy);
}

function count(topics: readonly ListedTopic[]): string {
  if (topics.length === 0) return 'no topic is visible (there is none, or the credentials may see none)';
  return topics.length === 1 ? 'one topic is visible' : `${topics.length} topics are visible`;
}
