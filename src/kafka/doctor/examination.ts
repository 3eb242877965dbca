/** One examination of a destination: step after step, each bounded in time, each told as it ends. */
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress, DestinationConfig } from '../../model/index.ts';
import { createEncryption } from '../security/tls.ts';
import { bootstrapBrokers, systemResolver } from '../wire/addresses.ts';
import type { ClusterSteps, Found } from './cluster-steps.ts';
import { contact, isEncrypted, type Contact, type ContactTools } from './contact.ts';
import { addressesOf, at, reach, type Reached } from './reach.ts';
import { checkSteps, failed, skipped, StepFailure, type StepName, type StepReport } from './report.ts';
import { asFailure, settle, tellSome, type Settled } from './settle.ts';
import { certificateText, ownCertificates, TlsFailure } from './tls.ts';
import { certificateWarnings, settingsWarnings } from './warnings.ts';

const STEP_MS = 3_000;
/** What is to be found out. */
export interface Question {
  /** Topics it is going to write to. */
  readonly topics: readonly string[];
  /** For the whole. */
  readonly limitMs: number;
}

/** Told while it goes on: whatever ends it, what was found so far stands. */
export interface Findings {
  step(report: StepReport): void;
  warning(text: string): void;
}

/** Never throws. */
export async function examine(
  destination: DestinationConfig,
  clock: Clock,
  question: Question,
  findings: Findings,
): Promise<void> {
  await new Examination(destination, clock, question, findings).run();
}

class Examination {
  readonly #destination: DestinationConfig;
  readonly #clock: Clock;
  readonly #question: Question;
  readonly #findings: Findings;
  readonly #tools: ContactTools;
  #cluster: ClusterSteps | null = null;
  readonly #startedMs: number;
  readonly #addresses = new Map<string, readonly string[]>();
  /** The brokers to begin with, as they are named to them: as written, or by canonical name. */
  #bootstrap: readonly BrokerAddress[];
  /** Bootstrap addresses that took a connection. */
  #reached: readonly Reached[] = [];
  /** What each of them said, or why it said nothing. */
  #contacts: readonly Settled<Reached, Contact>[] = [];

  constructor(destination: DestinationConfig, clock: Clock, question: Question, findings: Findings) {
    this.#destination = destination;
    this.#clock = clock;
    this.#question = question;
    this.#findings = findings;
    this.#startedMs = clock.monotonic();
    this.#bootstrap = destination.brokers;
    const encryption = destination.tls === null ? null : createEncryption(destination.tls, destination.name);
    this.#tools = { destination, encryption, clock, timeoutMs: STEP_MS };
  }

  async run(): Promise<void> {
    const first: Partial<Record<StepName, () => Found | Promise<Found>>> = {
      settings: () => this.#settings(),
      dns: () => this.#resolve(),
      tcp: () => this.#connect(),
      tls: () => this.#encryption(),
    };
    for (const step of checkSteps) {
      const work = first[step] ?? (await this.#later(step));
      if (!(await this.#do(step, work))) break;
    }
    if (this.#cluster !== null) await this.#within(this.#cluster.close(), 300).catch(() => undefined);
  }

  /** The client is loaded once something that may be a broker has answered: until then the doctor stays small and quick. */
  async #later(step: StepName): Promise<() => Found | Promise<Found>> {
    if (this.#contacts.every(({ value }) => value === null)) return () => this.#nobody(step);
    if (this.#cluster === null) {
      const { ClusterSteps } = await import('./cluster-steps.ts');
      this.#cluster = new ClusterSteps({
        ...this.#tools,
        topics: this.#question.topics,
        warn: (text) => this.#findings.warning(text),
        addressesOf: (host) => this.#addressesOf(host),
        reach: (broker) => this.#reach(broker),
        contacts: this.#contacts,
      });
    }
    const cluster = this.#cluster;
    const later: Partial<Record<StepName, () => Found | Promise<Found>>> = {
      sasl: () => cluster.login(),
      versions: () => cluster.versions(),
      brokers: () => cluster.brokers(),
      topics: () => cluster.topics(),
      topic: () => cluster.topic(),
      write: () => cluster.write(),
      message: () => cluster.message(),
    };
    return later[step]!;
  }

  /** False when it failed. */
  async #do(step: StepName, work: () => Found | Promise<Found>): Promise<boolean> {
    const startedMs = this.#clock.monotonic();
    const leftMs = this.#question.limitMs - this.#since(this.#startedMs);
    try {
      if (leftMs <= 0)
        throw new StepFailure('the time of the whole test is used up', 'Try again when this machine has less to do.');
      const found = await this.#within(Promise.try(work), Math.min(leftMs, STEP_MS + 500));
      const tookMs = this.#since(startedMs);
      if (typeof found !== 'string') this.#findings.step(skipped(step, found.skipped, tookMs));
      else this.#findings.step({ step, state: 'ok', detail: found, cause: null, remedy: null, link: null, tookMs });
      return true;
    } catch (error) {
      this.#findings.step(failed(step, await asFailure(error), this.#since(startedMs)));
      return false;
    }
  }

  #settings(): string {
    const { brokers, protocol, tls } = this.#destination;
    for (const warning of settingsWarnings(this.#destination)) this.#findings.warning(warning);
    // Certificates and keys are read and put together now, so that what is wrong with them is told as such.
    const [first] = brokers;
    if (first !== undefined) this.#tools.encryption?.(first);
    for (const warning of certificateWarnings(ownCertificates(tls), this.#clock.now())) this.#findings.warning(warning);
    return `${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'} named, protocol ${protocol}`;
  }

  async #resolve(): Promise<string> {
    const hosts = [...new Set(this.#destination.brokers.map(({ host }) => host))];
    const answers = await settle(hosts, (host) => this.#addressesOf(host));
    const found = answers.filter(({ failure }) => failure === null);
    tellSome(found.length, answers, this.#warn);
    await this.#takeCanonicalNames();
    return found
      .map(({ of, value }) => (value!.includes(of) ? `${of} is an address` : `${of} is ${value!.join(', ')}`))
      .join('; ');
  }

  /** As delivery does: what is dialled, and what certificates must be made for, is the canonical name then. */
  async #takeCanonicalNames(): Promise<void> {
    const { brokers, producer } = this.#destination;
    const found = brokers.filter(({ host }) => this.#addresses.has(host));
    const addressesOf = (host: string): Promise<readonly string[]> => this.#addressesOf(host);
    const resolver = { ...systemResolver, addressesOf };
    this.#bootstrap = await bootstrapBrokers(found, producer.clientDnsLookup, resolver);
    tellSome(1, await settle(this.#bootstrap, ({ host }) => addressesOf(host)), this.#warn);
  }

  async #connect(): Promise<string> {
    const known = this.#bootstrap.filter(({ host }) => this.#addresses.has(host));
    const answers = await settle(known, (broker) => this.#reach(broker));
    this.#reached = answers.flatMap(({ value }) => (value === null ? [] : [value]));
    tellSome(this.#reached.length, answers, this.#warn);
    return `connected to ${this.#reached.map(({ broker, from }) => `${at(broker)} from ${from}`).join(', ')}`;
  }

  /** A plain destination that meets an encrypted listener fails here too. */
  async #encryption(): Promise<Found> {
    this.#contacts = await settle(this.#reached, (reached) => contact(reached, this.#tools));
    const good = this.#contacts.flatMap(({ value }) => (value === null ? [] : [value]));
    const fault = this.#contacts.find(({ failure }) => failure instanceof TlsFailure)?.failure;
    if (good.length === 0 && fault) throw fault;
    const { protocol } = this.#destination;
    if (!isEncrypted(this.#destination)) return { skipped: `not used: the destination's protocol is ${protocol}` };
    if (good.length === 0) return { skipped: 'no broker answered: see the step versions' };
    for (const { reached, encrypted } of good) {
      const shown = (encrypted?.chain ?? []).map((facts) => ({
        what: `the certificate of ${at(reached.broker)}`,
        facts,
      }));
      for (const warning of certificateWarnings(shown, this.#clock.now())) this.#findings.warning(warning);
    }
    return [...new Set(good.map(({ encrypted }) => encryptedText(encrypted)))].join('; ');
  }

  /** Not one of the addresses is a broker's. */
  #nobody(step: StepName): Found {
    if (step === 'sasl') return { skipped: 'no broker answered: see the next step' };
    tellSome(0, this.#contacts, this.#warn);
    return { skipped: 'no broker answered' };
  }

  readonly #warn = (text: string): void => this.#findings.warning(text);

  async #addressesOf(host: string): Promise<readonly string[]> {
    const known = this.#addresses.get(host);
    if (known !== undefined) return known;
    const found = await addressesOf(host, this.#clock, STEP_MS);
    this.#addresses.set(host, found);
    return found;
  }

  async #reach(broker: BrokerAddress): Promise<Reached> {
    const addresses = await this.#addressesOf(broker.host);
    const dialled = this.#destination.producer.clientDnsLookup === 'default' ? addresses.slice(0, 1) : addresses;
    return reach(broker, dialled, this.#clock, STEP_MS);
  }

  async #within<T>(work: Promise<T>, limitMs: number): Promise<T> {
    const late = Promise.withResolvers<never>();
    const cancel = this.#clock.after(Math.max(0, limitMs), () =>
      late.reject(
        new StepFailure(
          `no answer within ${(Math.max(0, limitMs) / 1000).toFixed(1)} s`,
          'Check the network, and the log of the brokers.',
        ),
      ),
    );
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      cancel();
    }
  }

  #since(startedMs: number): number {
    return Math.round(this.#clock.monotonic() - startedMs);
  }
}

function encryptedText(encrypted: Contact['encrypted']): string {
  if (encrypted === null) return 'not encrypted';
  const [own, ...others] = encrypted.chain;
  if (own === undefined) return `${encrypted.protocol}, no certificate shown`;
  // The root signs itself: nobody is "by way of" it.
  const over = others.length === 0 ? '' : `; signed with ${others.map(certificateText).join('; ')}`;
  return `${encrypted.protocol}, ${certificateText(own)}, for ${own.names}${over}`;
}
