/** One cluster as we know it: bootstrap, brokers, topics and their leaders, one connection per broker. */
import { metadataV1, metadataV4, metadataV5, metadataV8, metadataV9, metadataV12 } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import { random } from '../../base/random.ts';
import type { BrokerAddress, ClientDnsLookup } from '../../model/index.ts';
import { SetupTimeouts, bootstrapBrokers, systemResolver, targetsOf, type Resolver } from './addresses.ts';
import { ConnectionSlot } from './connection-slot.ts';
import { firstToOpen } from './first-to-open.ts';
import { BrokerConnection, type ApiModule, type ConnectionSettings } from './connection.ts';

export interface TopicMetadata {
  readonly name: string;
  /** Another one when the topic is made anew; null: the brokers (before Kafka 2.8) do not tell. */
  readonly id: string | null;
  /** 0 when the broker told the topic well; else its error code, and no partitions. */
  readonly errorCode: number;
  readonly internal: boolean;
  /** Leader's node id by partition; -1 without a leader. */
  readonly leaders: readonly number[];
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
  readonly readAtMs: number;
}

/** What every version of the answer has that we read. */
interface MetadataResponse {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[];
  readonly topics: readonly {
    errorCode: number;
    name: string | null;
    topicId?: string | null;
    isInternal: boolean;
    partitions: readonly {
      errorCode: number;
      partitionIndex: number;
      leaderId: number;
      replicaNodes: readonly number[];
      isrNodes: readonly number[];
    }[];
  }[];
}

type MetadataArgs = [topics: string[] | null, create: boolean, operations: boolean];
// Newest first; not 10 and 11, whose topic ids bring nothing here.
const modules = [
  metadataV12,
  metadataV9,
  metadataV8,
  metadataV5,
  metadataV4,
  metadataV1,
] as unknown as readonly ApiModule<MetadataArgs, MetadataResponse>[];

export interface ClusterSettings extends ConnectionSettings {
  readonly brokers: readonly BrokerAddress[];
  /** Whether asking for a missing topic, to send to it, lets the cluster create it. */
  readonly createTopics: boolean;
  /** How far the time to connect grows with failures in a row; absent: it does not. */
  readonly connectTimeoutMaxMs?: number;
  /** `use_all_dns_ips` when absent. */
  readonly clientDnsLookup?: ClientDnsLookup;
  /** The system's when absent. */
  readonly resolver?: Resolver;
}

/** A broker that is well answers a question far sooner. */
const SILENT_MS = 1_000;
/** Between dials of a broker that cannot be reached: every lane asks for it in a rhythm of its own. */
const REST_MS = 100;

export class Cluster {
  readonly #settings: ClusterSettings;
  readonly #clock: Clock;
  readonly #topics = new Map<string, TopicMetadata>();
  #brokers = new Map<number, BrokerAddress>();
  readonly #control: ConnectionSlot<BrokerConnection>;
  readonly #nodes = new Map<
    number,
    { readonly address: BrokerAddress; readonly slot: ConnectionSlot<BrokerConnection> }
  >();
  readonly #asking = new Map<string, Promise<TopicMetadata>>();
  readonly #timeouts: SetupTimeouts;
  #turn = 0;
  #closed = false;

  constructor(settings: ClusterSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#control = new ConnectionSlot(clock, REST_MS);
    const { connectTimeoutMs, connectTimeoutMaxMs = connectTimeoutMs } = settings;
    this.#timeouts = new SetupTimeouts(connectTimeoutMs, connectTimeoutMaxMs, random);
  }

  /** Brokers as the cluster advertises them; empty before the first metadata. */
  get brokers(): ReadonlyMap<number, BrokerAddress> {
    return this.#brokers;
  }

  /**
   * A topic from the cache unless older than `maxAgeMs`. One question at a time per topic. Who only looks never makes the
   * cluster create it. Throws when no broker answers.
   */
  async topic(name: string, maxAgeMs: number, purpose: 'send' | 'look' = 'send'): Promise<TopicMetadata> {
    const known = this.#topics.get(name);
    if (known !== undefined && this.#clock.monotonic() - known.readAtMs < maxAgeMs) return known;
    const key = `${purpose} ${name}`;
    const asked = this.#asking.get(key);
    if (asked !== undefined) return asked;
    const question = this.#read([name], purpose === 'send' && this.#settings.createTopics)
      .then((topics) => topics[0]!)
      .finally(() => this.#asking.delete(key));
    this.#asking.set(key, question);
    return question;
  }

  /** The cached facts without asking. */
  cached(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  forget(name: string): void {
    this.#topics.delete(name);
  }

  /** Whether one broker knows the topic with a leader for each partition; true for one that cannot be asked. */
  async knows(id: number, name: string): Promise<boolean> {
    try {
      const connection = await this.node(id);
      const { topics } = await connection.call(modules, [name], false, false);
      return topics.every((topic) => topic.errorCode === 0 && topic.partitions.every(({ leaderId }) => leaderId >= 0));
    } catch (error) {
      return (error as { response?: MetadataResponse }).response === undefined;
    }
  }

  /** All topics the credentials may see. */
  allTopics(): Promise<TopicMetadata[]> {
    return this.#read(null, false);
  }

  /** The connection to one broker for produce and fetch. Throws when it cannot be reached. */
  node(id: number): Promise<BrokerConnection> {
    const address = this.#brokers.get(id);
    if (address === undefined) return Promise.reject(new Error(`broker ${id} is not in the cluster's metadata`));
    let slot = this.#nodes.get(id);
    if (slot === undefined || !sameAddress(slot.address, address)) {
      void slot?.slot.close();
      slot = { address, slot: new ConnectionSlot(this.#clock, REST_MS) };
      this.#nodes.set(id, slot);
    }
    return slot.slot.get(() => this.#open(address));
  }

  /**
   * Any broker, for questions: its own connection, so that a slow produce never delays them. Bootstrap addresses and
   * known brokers are tried in turn, the next one as soon as one has failed or says nothing for a while.
   */
  control(): Promise<BrokerConnection> {
    return this.#control.get(() => this.#dialAny());
  }

  /**
   * Asks any broker. One that says nothing for a while is given up for questions, and another one is asked beside it: a
   * frozen broker must not cost the time that a request may take. Only for what may be asked twice. Throws when no broker
   * answers.
   */
  async ask<T>(question: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const connection = await this.control();
    const first = question(connection);
    const answered = new AbortController();
    first.finally(() => answered.abort()).catch(() => undefined);
    await this.#clock.sleep(SILENT_MS, answered.signal);
    if (answered.signal.aborted || this.#closed) return first;
    // Not before its own answer: the search for another broker may take long, also where somebody else has begun it.
    return Promise.any([first, this.#anotherThan(connection).then(question)]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const slots = [this.#control, ...[...this.#nodes.values()].map(({ slot }) => slot)];
    await Promise.all(slots.map((slot) => slot.close()));
  }

  async #anotherThan(connection: BrokerConnection): Promise<BrokerConnection> {
    await this.#control.giveUp(connection);
    return this.control();
  }

  async #dialAny(): Promise<BrokerConnection> {
    const { brokers, clientDnsLookup = 'use_all_dns_ips', resolver = systemResolver } = this.#settings;
    const bootstrap = await bootstrapBrokers(brokers, clientDnsLookup, resolver);
    const addresses = distinct([...bootstrap, ...this.#brokers.values()]);
    const first = this.#turn % addresses.length;
    const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)];
    // The next question begins elsewhere: whoever dials has just lost a broker, or never had one.
    this.#turn = first + 1;
    return firstToOpen(inTurn, (address) => this.#open(address), this.#clock);
  }

  /** One address of a broker after the other until one answers. */
  async #open(broker: BrokerAddress): Promise<BrokerConnection> {
    const { clientDnsLookup = 'use_all_dns_ips', resolver = systemResolver } = this.#settings;
    const connectTimeoutMs = this.#timeouts.nextMs(broker);
    let failure: unknown;
    try {
      for (const { host } of await targetsOf(broker, clientDnsLookup, resolver)) {
        if (this.#closed) throw new Error('the destination is closed');
        try {
          const connection = await BrokerConnection.open(broker, { ...this.#settings, connectTimeoutMs }, host);
          this.#timeouts.connected(broker);
          return connection;
        } catch (error) {
          failure = error;
        }
      }
    } catch (error) {
      failure = error;
    }
    this.#timeouts.failed(broker);
    throw failure;
  }

  async #read(names: string[] | null, create: boolean): Promise<TopicMetadata[]> {
    const response = await this.ask((connection) =>
      connection.call(modules, names, create, false).catch((error: unknown) => {
        // The client throws when any topic carries an error, and hands the whole answer along.
        const whole = (error as { response?: MetadataResponse }).response;
        if (whole === undefined) throw error;
        return whole;
      }),
    );
    this.#brokers = new Map(
      response.brokers.map((broker) => [broker.nodeId, { host: broker.host, port: broker.port }]),
    );
    const readAtMs = this.#clock.monotonic();
    const topics = response.topics.map((topic) => describe(topic, readAtMs));
    // P12: names that are not there are not kept, however many are asked for.
    for (const topic of topics) {
      if (topic.errorCode === 0) this.#topics.set(topic.name, topic);
      else this.#topics.delete(topic.name);
    }
    return topics;
  }
}

function describe(topic: MetadataResponse['topics'][number], readAtMs: number): TopicMetadata {
  const leaders: number[] = [];
  const replicas: number[] = [];
  const inSync: number[] = [];
  for (const partition of topic.partitions) {
    leaders[partition.partitionIndex] = partition.errorCode === 5 ? -1 : partition.leaderId;
    replicas[partition.partitionIndex] = partition.replicaNodes.length;
    inSync[partition.partitionIndex] = partition.isrNodes.length;
  }
  return {
    name: topic.name ?? '',
    id: topic.topicId ?? null,
    errorCode: topic.errorCode,
    internal: topic.isInternal,
    leaders,
    replicas,
    inSync,
    readAtMs,
  };
}

/** Bootstrap brokers are mostly known ones too: none is tried twice. */
function distinct(addresses: readonly BrokerAddress[]): BrokerAddress[] {
  return [...new Map(addresses.map((address) => [`${address.host}:${address.port}`, address])).values()];
}

function sameAddress(a: BrokerAddress, b: BrokerAddress): boolean {
  return a.host === b.host && a.port === b.port;
}
