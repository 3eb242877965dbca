/** Batches on their way to each broker: those that are ready at the same time share a request. */
import { systemClock, type Clock } from '../../base/clock.ts';
import type { ProducerSettings } from '../../model/index.ts';
import type { Cluster } from '../wire/cluster.ts';
import {
  PRODUCE_KEY,
  PRODUCE_VERSIONS,
  besideBatchBytes,
  envelopeBytes,
  isFlexibleProduce,
  readProduceResponse,
  writeProduceRequest,
  type PartitionAnswer,
  type PartitionData,
  type ProduceAnswer,
} from '../wire/produce.ts';
import { UnsupportedApi, type BrokerConnection } from '../wire/connection.ts';
import { refuseCompression } from '../wire/releases.ts';

interface Pending {
  readonly data: PartitionData;
  readonly resolve: (answer: PartitionAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Nobody waits for it any more: it is not sent, unless it was already. */
  isGivenUp: boolean;
}

/** A batch on its way. */
export interface Sending {
  /** The partition's own answer. Rejects when the request had none: then the outcome is unknown. */
  readonly answer: Promise<PartitionAnswer>;
  /** It goes elsewhere now: where it was not sent yet it will not be. */
  readonly giveUp: () => void;
}

/**
 * Small requests under way to one broker. It answers a connection's requests one after the other, so more would only wait
 * there; here the batches of other lanes join them meanwhile, and the broker has fewer, larger requests to answer.
 */
const SMALL_UNDER_WAY = 2;
/** Full ones keep the broker busy while the next are made: as many as `max_in_flight` allows. */
const FULL_BYTES = 256 * 1024;

interface LeaderQueue {
  readonly leader: number;
  waiting: Pending[];
  underWay: number;
  flushPlanned: boolean;
  /** Monotonic: a quota of the broker lets nothing through before. */
  pausedUntilMs: number;
  /** The last answer told of a quota that is used up: then one request at a time, that none waits unread. */
  throttled: boolean;
}

export class LeaderQueues {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #clock: Clock;
  readonly #envelopeBytes: number;
  readonly #queues = new Map<number, LeaderQueue>();

  constructor(cluster: Cluster, settings: ProducerSettings, clientId: string, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#envelopeBytes = envelopeBytes(clientId);
    this.#cluster = cluster;
    this.#settings = settings;
  }

  send(leader: number, data: PartitionData): Sending {
    const { promise: answer, resolve, reject } = Promise.withResolvers<PartitionAnswer>();
    const pending: Pending = { data, resolve, reject, isGivenUp: false };
    const queue = this.#queue(leader);
    queue.waiting.push(pending);
    if (!queue.flushPlanned) {
      queue.flushPlanned = true;
      // Lanes that became ready in the same turn arrive here in the same run of microtasks.
      queueMicrotask(() => {
        queue.flushPlanned = false;
        this.#flush(queue);
      });
    }
    const giveUp = (): void => {
      pending.isGivenUp = true;
      queue.waiting = queue.waiting.filter((one) => one !== pending);
    };
    return { answer, giveUp };
  }

  #queue(leader: number): LeaderQueue {
    let queue = this.#queues.get(leader);
    if (queue === undefined) {
      queue = { leader, waiting: [], underWay: 0, flushPlanned: false, pausedUntilMs: 0, throttled: false };
      this.#queues.set(leader, queue);
    }
    return queue;
  }

  /** As many requests as may be under way, each with as many batches as fit. */
  #flush(queue: LeaderQueue): void {
    if (this.#clock.monotonic() < queue.pausedUntilMs) return;
    while (queue.waiting.length > 0 && mayStart(queue, this.#settings.maxInFlight)) {
      const group = this.#nextGroup(queue);
      queue.underWay++;
      void this.#request(queue, group).then(() => {
        queue.underWay--;
        this.#flush(queue);
      });
    }
  }

  /** Never more bytes than `max_request_size`, envelope included; never two batches of a partition: one would be lost. */
  #nextGroup(queue: LeaderQueue): Pending[] {
    const { waiting } = queue;
    const group: Pending[] = [];
    const later: Pending[] = [];
    let bytes = this.#envelopeBytes;
    let anyBeside = false;
    let index = 0;
    for (; index < waiting.length; index++) {
      const pending = waiting[index]!;
      const { topic, records } = pending.data;
      const more = records.length + besideBatchBytes(topic);
      if (group.length > 0 && bytes + more > this.#settings.maxRequestBytes) break;
      anyBeside ||= pending.data.beside === true;
      if (anyBeside && group.some(({ data }) => samePartition(data, pending.data))) {
        later.push(pending);
        continue;
      }
      group.push(pending);
      bytes += more;
    }
    queue.waiting = later.length === 0 ? waiting.slice(index) : [...later, ...waiting.slice(index)];
    return group;
  }

  /** Never rejects: every pending batch is resolved or rejected on its own. */
  async #request(queue: LeaderQueue, all: readonly Pending[]): Promise<void> {
    let group = all;
    try {
      const connection = await this.#cluster.node(queue.leader);
      // The connection may have been long in coming: what has gone to another broker meanwhile is not sent here too.
      group = all.filter(({ isGivenUp }) => !isGivenUp);
      if (group.length === 0) return;
      const { answers, throttleMs } = await this.#produce(connection, group);
      queue.throttled = throttleMs > 0;
      if (queue.throttled) this.#pause(queue, throttleMs);
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

  /** P22: a request sent meanwhile would wait unread at the broker, and be taken for lost. */
  #pause(queue: LeaderQueue, ms: number): void {
    const untilMs = this.#clock.monotonic() + ms;
    if (untilMs <= queue.pausedUntilMs) return;
    queue.pausedUntilMs = untilMs;
    this.#clock.after(ms + 1, () => this.#flush(queue));
  }

  async #produce(connection: BrokerConnection, group: readonly Pending[]): Promise<ProduceAnswer> {
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
    const answers = data.map(({ topic, partition }) => ({
      topic,
      partition,
      errorCode: 0,
      errorMessage: null,
      baseOffset: -1n,
      recordErrors: [],
    }));
    return { answers, throttleMs: 0 };
  }
}

function mayStart({ waiting, underWay, throttled }: LeaderQueue, maxInFlight: number): boolean {
  if (throttled) return underWay === 0;
  if (underWay < Math.min(SMALL_UNDER_WAY, maxInFlight)) return true;
  if (underWay >= maxInFlight) return false;
  // Those that may overtake one another gain by it, however small they are.
  if (waiting.some(({ data }) => data.beside === true)) return true;
  return waiting.reduce((bytes, { data }) => bytes + data.records.length, 0) >= FULL_BYTES;
}

function samePartition(a: PartitionData, b: PartitionData): boolean {
  return a.partition === b.partition && a.topic === b.topic;
}
