/** Keyed load through delivery and the Kafka sender in this process, noted so that the checker can judge the topic. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DestinationConfig, Held, Message, Outcome, ProducerSettings } from '../../src/model/index.ts';
import type { DeliveryObserver } from '../../src/delivery/index.ts';
import type { LaneBatch, SendResult } from '../../src/delivery/ports.ts';
import type { AckMeter } from './ack-meter.ts';
import { hashValue, type ExpectedRecord } from './check-topic.ts';
import { deliveryTo, intake as usual } from './delivery.ts';
import { Ledger } from './ledger.ts';
import type { Random } from './random.ts';

export interface FlowOptions {
  /** `host:port,…` of brokers or of a proxy before them. */
  readonly bootstrap: string;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
  readonly messages: number;
  readonly keys: readonly string[];
  readonly random: Random;
  readonly producer?: Partial<ProducerSettings>;
  /** Plain, without a login, unless given. */
  readonly login?: Partial<Pick<DestinationConfig, 'protocol' | 'tls' | 'sasl'>>;
  /** Java's partition of each key, for each number of partitions that occurs. */
  readonly javaPartition: (key: string, partitions: number) => number;
  /** This many of a hundred messages carry a timestamp that the broker refuses. */
  readonly poisonPercent?: number;
  /** Called with the number of messages that have their outcome, each time it has grown: faults are keyed to it. */
  readonly onProgress?: (settled: number) => void;
  /** Handed in at this pace, in small bursts; as fast as memory allows unless given. */
  readonly perSecond?: number;
  /** The load ends when this says so, and after `messages` at the latest. */
  readonly over?: () => boolean;
  /** Told of each delivered message, and how long it waited. */
  readonly meter?: AckMeter;
  /** Told of messages that waited long, and of the last attempts of their lane. */
  readonly onLate?: (waitedMs: number, attempts: string) => void;
  /** No outcome for so long is taken for a stall; 90 seconds unless given. */
  readonly stalledAfterSeconds?: number;
}

export interface FlowResult {
  readonly expected: readonly ExpectedRecord[];
  readonly ledger: Ledger;
  readonly delivered: number;
  readonly rejected: number;
  /** Attempts after which the same batch had to be sent again, but for want of a producer id. */
  readonly retried: number;
  /** Why messages had to wait, in the order in which it was told; null is "goes on again". */
  readonly held: readonly (Held | null)[];
}

/**
 * Of now: a broker that restarts forgets producers whose last message is older than a day *by its own timestamp*
 * (producer.id.expiration.ms), and then cannot tell a batch sent again from a new one (docs/PROMISES.md, Promise 5).
 */
const START_MS = Date.now() - 600_000;
/** Beyond what a topic takes by default (an hour ahead of the broker's clock). */
const REFUSED_MS = Date.UTC(2126, 0, 1);

/** Hands all messages in as fast as memory allows and resolves when each has its outcome. */
export async function flow(options: FlowOptions): Promise<FlowResult> {
  const producer = { bufferMemoryBytes: 8 * 1024 * 1024, ...options.producer };
  let retried = 0;
  const attempts = new Attempts();
  const observer: DeliveryObserver = {
    attempted(batch, result, tookMs) {
      // A broker that has just started gives out no producer ids for a moment.
      if (result.state === 'retry' && !result.reason.includes('COORDINATOR_LOAD_IN_PROGRESS')) retried++;
      attempts.note(batch, result, tookMs);
    },
  };
  const delivery = deliveryTo(options.bootstrap, producer, observer, options.login);
  const ledger = Ledger.inMemory();
  const expected: ExpectedRecord[] = [];
  const held: (Held | null)[] = [];
  let settled = 0;
  const counts = { delivered: 0, rejected: 0 };
  const owner = {
    settled(index: number, outcome: Outcome): void {
      const { id } = expected[index]!;
      if (ledger.state(id) !== 'unknown') throw new Error(`${id} has a second outcome`);
      if (outcome.state === 'delivered') counts.delivered++;
      if (outcome.state === 'rejected') counts.rejected++;
      ledger.settle([id], outcome.state === 'delivered' ? 'ok' : 'fail');
      const waitedMs = performance.now() - handedInMs[index]!;
      options.meter?.acked(waitedMs);
      const { topic, partition } = expected[index]!;
      if (waitedMs > 8000 && options.onLate !== undefined) options.onLate(waitedMs, attempts.of(topic, partition!));
      settled++;
      options.onProgress?.(settled);
    },
    held: (state: Held | null): void => void held.push(state),
  };
  const intake = { ...usual, batchBytes: Infinity, batchMessages: Infinity };
  const draw = options.random.stream('messages');
  const handedInMs: number[] = [];
  const pace = options.perSecond === undefined ? null : new Pace(options.perSecond, options.random.stream('pace'));
  const stalled = stallGuard(() => settled, attempts, options.stalledAfterSeconds ?? 90);
  try {
    await Promise.race([stalled.error, handIn()]);
  } finally {
    stalled.stop();
    await delivery.close(0);
  }
  return { expected, ledger, ...counts, retried, held };

  async function handIn(): Promise<void> {
    for (let i = 0; i < options.messages && options.over?.() !== true; i++) {
      if (pace !== null) await pace.turn();
      if (delivery.full) await delivery.whenRoom();
      // What is handed in within one turn goes together: small turns, so that batches differ in size.
      else if (draw.chance(0.02)) await new Promise((resolve) => setImmediate(resolve));
      const { message, record } = draft(i, draw, options);
      expected.push(record);
      ledger.begin([record.id]);
      handedInMs.push(performance.now());
      delivery.accept(message, owner, i, intake);
    }
    await delivery.whenIdle();
  }
}

/** So many in a second, handed in in bursts of a few hundredths of a second each; what a stall held up is not made up for. */
class Pace {
  readonly #perSecond: number;
  readonly #random: Random;
  #left = 0;
  #atMs = performance.now();

  constructor(perSecond: number, random: Random) {
    this.#perSecond = perSecond;
    this.#random = random;
  }

  /** Resolves when the next message may be handed in. */
  async turn(): Promise<void> {
    while (this.#left <= 0) {
      await sleep(this.#random.between(5, 40));
      const nowMs = performance.now();
      this.#left = Math.floor((Math.min(nowMs - this.#atMs, 200) * this.#perSecond) / 1000);
      this.#atMs = nowMs;
    }
    this.#left--;
  }
}

/** What became of the last attempts of each lane: tells where a load is held up. */
class Attempts {
  readonly #lanes = new Map<string, string[]>();

  note({ topic, partition, messages }: LaneBatch, result: SendResult, tookMs: number): void {
    const lane = `${topic}/${partition}`;
    const reason = result.state === 'retry' ? result.reason : result.state === 'held' ? result.held.reason : '';
    const at = new Date().toISOString().slice(11, 23);
    const told = `${at} ${result.state} ${reason} after ${Math.round(tookMs)} ms (${messages.length})`;
    this.#lanes.set(lane, [...(this.#lanes.get(lane) ?? []).slice(-7), told]);
  }

  of(topic: string, partition: number): string {
    return `${topic}/${partition}: ${this.#lanes.get(`${topic}/${partition}`)?.join('; ') ?? 'no attempt'}`;
  }

  failing(): string {
    const lanes = [...this.#lanes].filter(([, told]) => !told.at(-1)!.includes(' written '));
    return lanes.map(([lane, told]) => `${lane}: ${told.slice(-3).join('; ')}`).join(' | ');
  }
}

/** Fails when nothing has been settled for a while: a lane that died would wait for ever. */
function stallGuard(
  progress: () => number,
  attempts: Attempts,
  afterSeconds: number,
): { error: Promise<never>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const error = new Promise<never>((_, reject) => {
    let [last, ticks] = [progress(), 0];
    timer = setInterval(() => {
      ticks = progress() === last ? ticks + 1 : 0;
      last = progress();
      if (ticks >= afterSeconds)
        reject(new Error(`stalled: ${last} messages settled, and none for ${ticks} s; ${attempts.failing()}`));
    }, 1000);
  });
  return { error, stop: () => clearInterval(timer) };
}

/** Keys of many scripts and lengths, all different. */
export function drawKeys(random: Random, count: number): string[] {
  const stems = ['user-', 'ключ-', '鍵', 'ü ', '🔑', ''];
  return Array.from(
    { length: count },
    (_, index) => `${random.pick(stems)}${random.text(random.between(0, 20))}${index}`,
  );
}

function draft(i: number, draw: Random, options: FlowOptions): { message: Message; record: ExpectedRecord } {
  const topic = draw.pick(options.topics);
  const key = draw.pick(options.keys);
  const id = String(i);
  const poison = draw.chance((options.poisonPercent ?? 0) / 100);
  const value = Buffer.from(`{"id":${i},"text":"${draw.text(draw.between(1, 12)).repeat(draw.between(1, 40))}"}`);
  const keyBytes = Buffer.from(key);
  const headers = [['id', Buffer.from(id)] as const, ['lane', Buffer.from(`${topic.name}/${key}`)] as const];
  const timestampMs = poison ? REFUSED_MS : START_MS + i;
  return {
    message: { topic: topic.name, partition: null, partitionKey: keyBytes, key: keyBytes, value, headers, timestampMs },
    record: {
      id,
      topic: topic.name,
      key,
      sequence: i,
      partition: options.javaPartition(key, topic.partitions),
      valueHash: hashValue(value),
      headers,
      timestampMs,
    },
  };
}
