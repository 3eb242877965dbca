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

interface Pending {
  readonly data: PartitionData;
  readonly resolve: (answer: PartitionAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export class LeaderQueues {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #waiting = new Map<number, Pending[]>();

  constructor(cluster: Cluster, settings: ProducerSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  /** The partition's own answer. Rejects when the request had none: then the outcome is unknown. */
  send(leader: number, data: PartitionData): Promise<PartitionAnswer> {
    return new Promise((resolve, reject) => {
      const pending = { data, resolve, reject };
      const waiting = this.#waiting.get(leader);
      if (waiting !== undefined) {
        waiting.push(pending);
        return;
      }
      this.#waiting.set(leader, [pending]);
      // Lanes that became ready in the same turn arrive here in the same run of microtasks.
      queueMicrotask(() => this.#flush(leader));
    });
  }

  #flush(leader: number): void {
    const waiting = this.#waiting.get(leader)!;
    this.#waiting.delete(leader);
    let group: Pending[] = [];
    let bytes = 0;
    for (const pending of waiting) {
      const size = pending.data.records.length;
      if (group.length > 0 && bytes + size > this.#settings.maxRequestBytes) {
        void this.#request(leader, group);
        group = [];
        bytes = 0;
      }
      group.push(pending);
      bytes += size;
    }
    void this.#request(leader, group);
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
    const { acks, requestTimeoutMs } = this.#settings;
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
