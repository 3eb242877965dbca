/** Producer identities (KIP-98): the id and epoch under which the brokers tell a batch sent twice from a new one. */
import {
  initProducerIdV0,
  initProducerIdV1,
  initProducerIdV2,
  initProducerIdV3,
  initProducerIdV4,
} from '@platformatic/kafka';
import type { ApiModule } from '../wire/connection.ts';
import type { Cluster } from '../wire/cluster.ts';

export interface Identity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

interface InitResponse {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}
type InitArgs = [transactionalId: null, timeoutMs: number, producerId: bigint, producerEpoch: number];
const modules = [
  initProducerIdV4,
  initProducerIdV3,
  initProducerIdV2,
  initProducerIdV1,
  initProducerIdV0,
] as unknown as readonly ApiModule<InitArgs, InitResponse>[];

/**
 * One identity serves all partitions until a partition needs another: an identity is used at most once per partition,
 * because a second channel would begin again at sequence 0 and its first batch be taken for a duplicate and dropped.
 */
export class Identities {
  readonly #cluster: Cluster;
  #current: Promise<{ identity: Identity; used: Set<string> }> | null = null;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** An identity that has never written to this partition. Throws what the cluster threw. */
  async take(topic: string, partition: number): Promise<Identity> {
    const place = `${topic}/${partition}`;
    for (;;) {
      const asked = (this.#current ??= this.#init());
      let current;
      try {
        current = await asked;
      } catch (error) {
        if (this.#current === asked) this.#current = null;
        throw error;
      }
      if (!current.used.has(place)) {
        current.used.add(place);
        return current.identity;
      }
      if (this.#current === asked) this.#current = null;
    }
  }

  async #init(): Promise<{ identity: Identity; used: Set<string> }> {
    const connection = await this.#cluster.control();
    const { producerId, producerEpoch } = await connection.call(modules, null, 60_000, -1n, -1);
    return { identity: { producerId, producerEpoch }, used: new Set() };
  }
}
