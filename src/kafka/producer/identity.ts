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

/** An identity that is there or on its way, and the partitions it is given away for. */
interface Given {
  readonly identity: Promise<Identity>;
  readonly used: Set<string>;
}

/** As many serve all partitions; what is older is not given away any more, and serves on where it is in use. */
const KEPT = 32;

/**
 * One identity serves all partitions until a partition needs another: an identity is used at most once per partition,
 * because a second channel would begin again at sequence 0 and its first batch be taken for a duplicate and dropped.
 */
export class Identities {
  readonly #cluster: Cluster;
  #given: Given[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** An identity that has never written to this partition. Throws what the cluster threw. */
  async take(topic: string, partition: number): Promise<Identity> {
    const place = `${topic}/${partition}`;
    // Given away before it is there: whoever asks meanwhile for the same partition gets another, at the same time.
    const given = this.#given.find(({ used }) => !used.has(place)) ?? this.#another();
    given.used.add(place);
    try {
      return await given.identity;
    } catch (error) {
      this.#given = this.#given.filter((one) => one !== given);
      throw error;
    }
  }

  #another(): Given {
    const given: Given = { identity: this.#init(), used: new Set() };
    this.#given = [...this.#given.slice(1 - KEPT), given];
    return given;
  }

  async #init(): Promise<Identity> {
    const { producerId, producerEpoch } = await this.#cluster.ask((connection) =>
      connection.call(modules, null, 60_000, -1n, -1),
    );
    return { producerId, producerEpoch };
  }
}
