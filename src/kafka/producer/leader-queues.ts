/** Batches on their way to each broker: those that are ready at the same time share a request. */
import type { ProducerSettings } from '../../model/index.ts';
import type { Cluster } from '../wire/cluster.ts';
import {
  PRODUCE_KEY,
  PRODUCE_VERSIONS,
  isFlexibleProduce,
  readProduceResponse,
  writeProduceRequest,
  type PartitionAnswer,
  type PartitionData,
} from '../wire/produce.ts';
import { UnsupportedApi, type BrokerConnection } from '../wire/connection.ts';
import { refuseCompression } from '../wire/releases.ts';

interface Pending {
  readonly data: PartitionData;
  readonly resolve: (answer: PartitionAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Small requests under way to one broker. It answers a connection's requests one after the other, so more would only wait
 * there; here the batches of other lanes join them meanwhile, and the broker has fewer, larger requests to answer.
 */
const SMALL_UNDER_WAY = 2;
/** Full ones keep the broker busy while the next are made. */
const FULL_UNDER_WAY = 5;
const FULL_BYTES = 256 * 1024;

interface LeaderQueue {
  readonly leader: number;
  waiting: Pending[];
  underWay: number;
  flushPlanned: boolean;
}

export class LeaderQueues {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #queues = new Map<number, LeaderQueue>();

  constructor(cluster: Cluster, settings: ProducerSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  /** The partition's own answer. Rejects when the request had none: then the outcome is unknown. */
  send(leader: number, data: PartitionData): Promise<PartitionAnswer> {
    return new Promise((resolve, reject) => {
      const queue = this.#queue(leader);
      queue.waiting.push({ data, resolve, reject });
      if (queue.flushPlanned) return;
      queue.flushPlanned = true;
      // Lanes that became ready in the same turn arrive here in the same run of microtasks.
      queueMicrotask(() => {
        queue.flushPlanned = false;
        this.#flush(queue);
      });
    });
  }

  #queue(leader: number): LeaderQueue {
    let queue = this.#queues.get(leader);
    if (queue === undefined) {
      queue = { leader, waiting: [], underWay: 0, flushPlanned: false };
      this.#queues.set(leader, queue);
    }
    return queue;
  }

  /** As many requests as may be under way, each with as many batches as fit. */
  #flush(queue: LeaderQueue): void {
    while (queue.waiting.length > 0 && mayStart(queue)) {
      const group = this.#nextGroup(queue);
      queue.underWay++;
      void this.#request(queue.leader, group).then(() => {
        queue.underWay--;
        this.#flush(queue);
      });
    }
  }

  #nextGroup(queue: LeaderQueue): Pending[] {
    let count = 0;
    let bytes = 0;
    for (const { data } of queue.waiting) {
      if (count > 0 && bytes + data.records.length > this.#settings.maxRequestBytes) break;
      bytes += data.records.length;
      count++;
    }
    return queue.waiting.splice(0, count);
  }

  /** Never rejects: every pending batch is resolved or rejected on its own. */
  async #request(leader: number, group: readonly Pending[]): Promise<void> {
    try {
      const connection = await this.#cluster.node(leader);
      const answers = await this.#produce(connection, group);
      for (const pending of group) {
        const { topic, partition } = pending.data;
        const answer = answers.find((one) => one.partition === partition && one.topic === topic);
        if (answer === undefined) pending.reject(new Error(`the broker did not answer for ${topic}/${partition}`));
        else pending.resolve(answer);
      }
    } catch (error) {
      for (const pending of group) pending.reject(error);
    }
  }

  async #produce(connection: BrokerConnection, group: readonly Pending[]): Promise<readonly PartitionAnswer[]> {
    const version = connection.version(PRODUCE_KEY, PRODUCE_VERSIONS);
    if (version === null) throw new UnsupportedApi(PRODUCE_KEY, connection.range(PRODUCE_KEY));
    const { acks, requestTimeoutMs, compression } = this.#settings;
    const { host, port } = connection.address;
    refuseCompression(`${host}:${port}`, (apiKey) => connection.range(apiKey), compression);
    const data = group.map((pending) => pending.data);
    // The broker gives up a little before we do, so that its answer still arrives.
    const payload = writeProduceRequest(version, acks, Math.floor(requestTimeoutMs * 0.8), data);
    const flexible = isFlexibleProduce(version);
    const answer = connection.request(
      PRODUCE_KEY,
      version,
      payload,
      (reader) => readProduceResponse(version, reader),
      flexible,
    );
    if (acks !== 0) return answer;
    await answer;
    return data.map(({ topic, partition }) => ({
      topic,
      partition,
      errorCode: 0,
      errorMessage: null,
      baseOffset: -1n,
      recordErrors: [],
    }));
  }
}

function mayStart({ waiting, underWay }: LeaderQueue): boolean {
  if (underWay < SMALL_UNDER_WAY) return true;
  return underWay < FULL_UNDER_WAY && waiting.reduce((bytes, { data }) => bytes + data.records.length, 0) >= FULL_BYTES;
}
