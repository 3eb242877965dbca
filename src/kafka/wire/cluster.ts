/** One cluster as we know it: bootstrap, brokers, topics and their leaders, one connection per broker. */
import { metadataV1, metadataV4, metadataV5, metadataV8, metadataV9, metadataV12 } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress } from '../../model/index.ts';
import { BrokerConnection, type ApiModule, type ConnectionSettings } from './connection.ts';

export interface TopicMetadata {
  readonly name: string;
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
  /** Whether asking for a missing topic lets the cluster create it. */
  readonly createTopics: boolean;
}

/** One connection that many share: dialled again when it is gone, by one caller for all. */
class ConnectionSlot {
  #opening: Promise<BrokerConnection> | null = null;

  async get(dial: () => Promise<BrokerConnection>): Promise<BrokerConnection> {
    for (;;) {
      const opening = this.#opening;
      const current = await opening?.catch(() => null);
      if (current?.usable === true) return current;
      // Somebody else found it gone first and dials already: two dials would leave one connection that nobody closes.
      if (this.#opening !== opening) continue;
      void current?.close();
      const fresh = dial();
      this.#opening = fresh;
      return fresh;
    }
  }

  async close(): Promise<void> {
    const current = await this.#opening?.catch(() => null);
    await current?.close();
  }
}

export class Cluster {
  readonly #settings: ClusterSettings;
  readonly #clock: Clock;
  readonly #topics = new Map<string, TopicMetadata>();
  #brokers = new Map<number, BrokerAddress>();
  readonly #control = new ConnectionSlot();
  readonly #nodes = new Map<number, { readonly address: BrokerAddress; readonly slot: ConnectionSlot }>();
  readonly #asking = new Map<string, Promise<TopicMetadata>>();
  #turn = 0;
  #closed = false;

  constructor(settings: ClusterSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Brokers as the cluster advertises them; empty before the first metadata. */
  get brokers(): ReadonlyMap<number, BrokerAddress> {
    return this.#brokers;
  }

  /** A topic from the cache unless older than `maxAgeMs`. One question at a time per topic. Throws when no broker answers. */
  async topic(name: string, maxAgeMs: number): Promise<TopicMetadata> {
    const known = this.#topics.get(name);
    if (known !== undefined && known.errorCode === 0 && this.#clock.monotonic() - known.readAtMs < maxAgeMs)
      return known;
    const asked = this.#asking.get(name);
    if (asked !== undefined) return asked;
    const question = this.#read([name])
      .then((topics) => topics[0]!)
      .finally(() => this.#asking.delete(name));
    this.#asking.set(name, question);
    return question;
  }

  /** The cached facts without asking. */
  cached(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  forget(name: string): void {
    this.#topics.delete(name);
  }

  /** All topics the credentials may see. */
  allTopics(): Promise<TopicMetadata[]> {
    return this.#read(null);
  }

  /** The connection to one broker for produce and fetch. Throws when it cannot be reached. */
  node(id: number): Promise<BrokerConnection> {
    const address = this.#brokers.get(id);
    if (address === undefined) return Promise.reject(new Error(`broker ${id} is not in the cluster's metadata`));
    let slot = this.#nodes.get(id);
    if (slot === undefined || !sameAddress(slot.address, address)) {
      void slot?.slot.close();
      slot = { address, slot: new ConnectionSlot() };
      this.#nodes.set(id, slot);
    }
    return slot.slot.get(() => this.#open(address));
  }

  /**
   * Any broker, for questions: its own connection, so that a slow produce never delays them. Bootstrap addresses and
   * known brokers are tried in turn, beginning elsewhere after each failure.
   */
  control(): Promise<BrokerConnection> {
    return this.#control.get(() => this.#dialAny());
  }

  async close(): Promise<void> {
    this.#closed = true;
    const slots = [this.#control, ...[...this.#nodes.values()].map(({ slot }) => slot)];
    await Promise.all(slots.map((slot) => slot.close()));
  }

  async #dialAny(): Promise<BrokerConnection> {
    const known = [...this.#brokers.values()];
    const addresses = [...this.#settings.brokers, ...known];
    const first = this.#turn % addresses.length;
    const errors: unknown[] = [];
    for (let i = 0; i < addresses.length; i++) {
      try {
        return await this.#open(addresses[(first + i) % addresses.length]!);
      } catch (error) {
        errors.push(error);
        this.#turn++;
      }
    }
    throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'no broker can be reached');
  }

  #open(address: BrokerAddress): Promise<BrokerConnection> {
    if (this.#closed) return Promise.reject(new Error('the destination is closed'));
    return BrokerConnection.open(address, this.#settings);
  }

  async #read(names: string[] | null): Promise<TopicMetadata[]> {
    const connection = await this.control();
    const create = names !== null && this.#settings.createTopics;
    const response = await connection.call(modules, names, create, false).catch((error: unknown) => {
      // The client throws when any topic carries an error, and hands the whole answer along.
      const whole = (error as { response?: MetadataResponse }).response;
      if (whole === undefined) throw error;
      return whole;
    });
    this.#brokers = new Map(
      response.brokers.map((broker) => [broker.nodeId, { host: broker.host, port: broker.port }]),
    );
    const readAtMs = this.#clock.monotonic();
    const topics = response.topics.map((topic) => describe(topic, readAtMs));
    for (const topic of topics) this.#topics.set(topic.name, topic);
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
    errorCode: topic.errorCode,
    internal: topic.isInternal,
    leaders,
    replicas,
    inSync,
    readAtMs,
  };
}

function sameAddress(a: BrokerAddress, b: BrokerAddress): boolean {
  return a.host === b.host && a.port === b.port;
}
