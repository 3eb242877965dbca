/** What can happen to brokers: each fault returns when the cluster is well again, with what it measured in milliseconds. */
import type { KafkaNode, RunningKafka } from '../../src/local/kafka.ts';
import type { AckMeter } from './ack-meter.ts';
import { oracle } from './oracle.ts';
import type { Random } from './random.ts';
import { until } from './until.ts';

export type Figures = Record<string, number>;

/** Three brokers whose death is noticed soon; whoever kills one waits until all replicas are in sync again. */
export const threeBrokers = {
  brokers: 3,
  properties: {
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  },
} as const;

export class ClusterFaults {
  readonly #kafka: RunningKafka;
  readonly #meter: AckMeter;
  /** Those under load. */
  topics: readonly string[] = [];

  constructor(kafka: RunningKafka, meter: AckMeter) {
    this.#kafka = kafka;
    this.#meter = meter;
  }

  /** F5: the only broker dies and is started again at once. */
  async killOnly(): Promise<Figures> {
    const broker = this.#kafka.nodes[0]!;
    await broker.kill('SIGKILL');
    return { recoveryMs: await this.#recovery(() => broker.restart()) };
  }

  /** F6: the leader of a partition drawn from the load's dies. `electionMs`: until every partition has another leader. */
  async killLeader(random: Random): Promise<Figures> {
    const victim = await this.#leader(random);
    const began = performance.now();
    await victim.kill('SIGKILL');
    const others = this.#kafka.nodes.filter((node) => node !== victim);
    await until(`broker ${victim.id} leads nothing`, () => this.#leadsNothing(victim, others), { everyMs: 50 });
    const electionMs = performance.now() - began;
    await victim.restart();
    await this.inSync();
    return { electionMs };
  }

  /** F7: a broker stops for a while without closing its connections; the first bootstrap broker as often as all others. */
  async freeze(random: Random, ms: { from: number; to: number }): Promise<Figures> {
    const broker = random.chance(0.5) ? this.#kafka.nodes[0]! : random.pick(this.#kafka.nodes);
    const frozenMs = random.between(ms.from, ms.to);
    await broker.kill('SIGSTOP');
    try {
      await new Promise((resolve) => setTimeout(resolve, frozenMs));
    } finally {
      await broker.kill('SIGCONT');
    }
    await this.inSync();
    return { frozenMs };
  }

  /** F8: one broker after the other is stopped in order and started again; leadership goes back to where it belongs. */
  async roll(): Promise<Figures> {
    for (const broker of this.#kafka.nodes) {
      await broker.restart();
      await this.inSync();
      await this.#oracle().electPreferred();
    }
    return {};
  }

  /** F9: two of three die, one a moment after the other, and both come back. P19: the first leaves too few in sync. */
  async killTwo(random: Random, heldMs: { from: number; to: number }): Promise<Figures> {
    const [first, second] = random.shuffle(this.#kafka.nodes) as [KafkaNode, KafkaNode];
    await first.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, random.between(0, 4000)));
    await second.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, random.between(heldMs.from, heldMs.to)));
    const recoveryMs = await this.#recovery(() => Promise.all([first.restart(), second.restart()]));
    await this.inSync();
    return { recoveryMs };
  }

  /** From the moment that a broker answers until the first acknowledgement; 0 when that came before. */
  async #recovery(restart: () => Promise<unknown>): Promise<number> {
    const acked = this.#meter.next().then(() => performance.now());
    await restart();
    const ready = performance.now();
    return Math.max(0, (await acked) - ready);
  }

  async #leader(random: Random): Promise<KafkaNode> {
    const { partitions } = await this.#oracle().describe(random.pick(this.topics));
    const { leader } = random.pick(partitions);
    return this.#kafka.nodes.find((node) => node.id === leader) ?? random.pick(this.#kafka.nodes);
  }

  async #leadsNothing(victim: KafkaNode, others: readonly KafkaNode[]): Promise<boolean> {
    const at = oracle(others.map(({ port }) => `127.0.0.1:${port}`).join(','));
    const topics = await Promise.all(this.topics.map((topic) => at.describe(topic)));
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader !== -1 && leader !== victim.id));
  }

  /** Resolves when every replica of every partition is in sync. */
  async inSync(): Promise<void> {
    await until('all replicas are in sync', () => this.#allInSync(), { everyMs: 200, deadlineMs: 120_000 });
  }

  async #allInSync(): Promise<boolean> {
    const topics = await Promise.all(this.topics.map((topic) => this.#oracle().describe(topic)));
    return topics.every(({ partitions }) =>
      partitions.every(({ leader, replicas, inSync }) => leader !== -1 && inSync.length === replicas.length),
    );
  }

  #oracle(): ReturnType<typeof oracle> {
    return oracle(this.#kafka.bootstrap);
  }
}
