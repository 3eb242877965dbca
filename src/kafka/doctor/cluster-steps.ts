/** The steps that speak to the cluster with the client itself: login, versions, brokers, topics, permissions, a message. */
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress, DestinationConfig } from '../../model/index.ts';
import { createSecurity } from '../security/index.ts';
import { describeTopics, type ListedTopic } from '../topics/list.ts';
import { Cluster } from '../wire/cluster.ts';
import { findTopics, tryWriting, type TopicsFound } from './access.ts';
import { contact, mechanismsOf, type Contact, type ContactTools } from './contact.ts';
import { compareLogin } from './login.ts';
import { sendTestMessage } from './message.ts';
import { at, type Reached } from './reach.ts';
import { StepFailure } from './report.ts';
import { settle, tellSome, type Settled } from './settle.ts';
import { checkVersions } from './versions.ts';
import { topicWarnings } from './warnings.ts';

/** What a step found: it is well, or there was nothing to look at. */
export type Found = string | { readonly skipped: string };

/** More than any answer to our questions takes. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export interface ClusterTools extends ContactTools {
  readonly topics: readonly string[];
  readonly warn: (text: string) => void;
  /** The addresses of a name as they were found first. */
  readonly addressesOf: (host: string) => Promise<readonly string[]>;
  readonly reach: (broker: BrokerAddress) => Promise<Reached>;
  /** What each bootstrap address said, or why it said nothing. */
  readonly contacts: readonly Settled<Reached, Contact>[];
}

export class ClusterSteps {
  readonly #destination: DestinationConfig;
  readonly #clock: Clock;
  readonly #tools: ClusterTools;
  readonly #cluster: Cluster;
  #listed: readonly ListedTopic[] = [];
  #found: TopicsFound | null = null;

  constructor(tools: ClusterTools) {
    // Those that are no use were told of: nothing waits for them again.
    const brokers = tools.contacts.flatMap(({ value }) => value?.reached.broker ?? []);
    this.#destination = { ...tools.destination, brokers };
    this.#clock = tools.clock;
    this.#tools = tools;
    this.#cluster = openCluster(this.#destination, tools);
  }

  async login(): Promise<Found> {
    const first = this.#tools.contacts.find(({ value }) => value !== null)?.of;
    if (first === undefined) return { skipped: 'no broker answered' };
    const { sasl } = this.#destination;
    // What goes wrong here is told by the login itself, better.
    const offered = await mechanismsOf(first, { ...this.#tools, timeoutMs: 1_000 }).catch(() => undefined);
    if (offered !== undefined) compareLogin(this.#destination, offered, at(first.broker));
    if (sasl === null) return 'not used, and the listener does not ask for it';
    await this.#cluster.control();
    return `logged in by ${sasl.mechanism}`;
  }

  versions(): string {
    const good = this.#tools.contacts.filter(({ failure }) => failure === null);
    tellSome(good.length, this.#tools.contacts, this.#tools.warn);
    const { producer } = this.#destination;
    const details = good.map(({ of, value }) => checkVersions(at(of.broker), value!.ranges, producer));
    return [...new Set(details)].join('; ');
  }

  /** Every broker as the cluster advertises it must be reachable: messages go to them, not to the address given. */
  async brokers(): Promise<string> {
    await this.#cluster.allTopics();
    const brokers = [...this.#cluster.brokers].map(([id, address]) => ({ id, address }));
    if (brokers.length === 0)
      throw new StepFailure('the cluster names no brokers', 'Look into the log of the brokers.');
    const answers = await settle(brokers, async ({ id, address }) => {
      const { from, host } = await this.#tools.reach(address);
      await contact({ broker: address, host, from }, this.#tools);
      await this.#cluster.node(id);
      return from;
    });
    const failures = answers.filter(({ failure }) => failure !== null);
    if (failures.length === 0) {
      const list = answers.map(({ of, value }) => `${of.id} at ${at(of.address)} from ${value}`).join(', ');
      return `${brokers.length === 1 ? 'one broker' : `${brokers.length} brokers`}: ${list}`;
    }
    const causes = failures.map(
      ({ of, failure }) => `broker ${of.id} is advertised as ${at(of.address)}: ${failure!.message}`,
    );
    throw new StepFailure(
      causes.join('; '),
      'Every broker must be reachable at the address it advertises: correct advertised.listeners of the brokers for the listener used here, or make those names and ports reachable from this machine.',
    );
  }

  async topics(): Promise<string> {
    this.#listed = await describeTopics(this.#cluster);
    const wanted = this.#wantedTopics();
    const concerned = this.#listed.filter(({ topic }) => wanted.includes(topic));
    const warnings = topicWarnings(concerned, this.#cluster.brokers.size);
    if (wanted.length === 0 && this.#cluster.brokers.size === 1)
      this.#tools.warn('The cluster has one broker: what is written to it is lost with its disk.');
    for (const warning of warnings) this.#tools.warn(warning);
    if (this.#listed.length === 0) return 'no topic is visible (there is none, or the credentials may see none)';
    return this.#listed.length === 1 ? 'one topic is visible' : `${this.#listed.length} topics are visible`;
  }

  async topic(): Promise<Found> {
    const wanted = this.#wantedTopics();
    if (wanted.length === 0) return { skipped: 'no sync names a topic, and no test_topic is set' };
    this.#found = await findTopics(this.#cluster, this.#destination, wanted, this.#listed);
    for (const warning of this.#found.warnings) this.#tools.warn(warning);
    return this.#found.detail;
  }

  #wantedTopics(): readonly string[] {
    const { testTopic } = this.#destination;
    return [...new Set([...this.#tools.topics, ...(testTopic === null ? [] : [testTopic])])];
  }

  async write(): Promise<Found> {
    const found = this.#found ?? { present: [], missing: [] };
    const detail = await tryWriting(this.#cluster, this.#destination, found, this.#clock);
    return detail === '' ? { skipped: 'no topic to write to is known' } : detail;
  }

  async message(): Promise<Found> {
    const { testTopic } = this.#destination;
    if (testTopic === null) return { skipped: 'no test_topic is set' };
    return sendTestMessage(this.#destination, testTopic, this.#clock);
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

function openCluster(
  destination: DestinationConfig,
  { clock, timeoutMs, addressesOf }: Pick<ClusterTools, 'clock' | 'timeoutMs' | 'addressesOf'>,
): Cluster {
  const { brokers, clientId, producer } = destination;
  return new Cluster(
    {
      brokers,
      clientId,
      connectTimeoutMs: timeoutMs,
      requestTimeoutMs: timeoutMs,
      createTopics: false,
      // The brokers have their canonical names by now.
      clientDnsLookup: producer.clientDnsLookup === 'default' ? 'default' : 'use_all_dns_ips',
      security: createSecurity(destination, clock),
      maxFrameBytes: MAX_FRAME_BYTES,
      // What was looked at is what is dialled: a name that changes meanwhile leads nowhere else.
      resolver: {
        addressesOf,
        nameOf: () => Promise.reject(new Error('names are taken as given here')),
      },
    },
    clock,
  );
}
