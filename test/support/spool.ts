/** A spool for tests: its files recorded, its delivery played. */
import type { Clock } from '../../src/base/clock.ts';
import type { Delivery, SpooledMessage } from '../../src/delivery/index.ts';
import type { SpoolFiles } from '../../src/delivery/spool/files.ts';
import type { RejectedMessage, SpoolOptions } from '../../src/delivery/spool/ports.ts';
import { Spool } from '../../src/delivery/spool/spool.ts';
import type { MessageOwner } from '../../src/delivery/ports.ts';
import { DELIVERED, WITHDRAWN, type Held, type Message, type Outcome } from '../../src/model/index.ts';
import { intake } from './delivery.ts';

export const FOLDER = '/data/spool/main';

/** Time that stands still but for short waits, which are over at the end of the turn; long ones never are. */
export function turnClock(): Clock & { passed: number } {
  const clock = {
    passed: 0,
    now: () => 1_700_000_000_000 + clock.passed,
    monotonic: () => clock.passed,
    sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
    after(ms: number, callback: () => void) {
      if (ms > 200) return () => undefined;
      const handle = setImmediate(callback);
      return () => clearImmediate(handle);
    },
  };
  return clock;
}

interface InLane {
  readonly message: Message;
  readonly owner: MessageOwner;
  readonly index: number;
}

/** What lanes are to the spool: takes messages in order, gives them back, settles them when told to. */
export class PlayedDelivery {
  full = false;
  /** Kafka is there: what is handed in is delivered at once. */
  flows = true;
  readonly delivered: string[] = [];
  lane: InLane[] = [];
  /** How many at the front are in a send. */
  inSend = 0;
  outcome: (message: Message) => Outcome = () => DELIVERED;

  accept(message: Message, owner: MessageOwner, index: number): void {
    this.lane.push({ message, owner, index });
    if (this.flows) this.settle();
  }

  takeBack(topic: string | null, matches: (owner: MessageOwner) => boolean): InLane[] {
    const taken = this.lane.filter(
      ({ message, owner }, at) => at >= this.inSend && (topic === null || message.topic === topic) && matches(owner),
    );
    this.lane = this.lane.filter((one) => !taken.includes(one));
    return taken;
  }

  /** As `takeBack`, and their owners are told. */
  withdraw(matches: (owner: MessageOwner) => boolean): number {
    const taken = this.takeBack(null, matches);
    for (const { owner, index } of taken) owner.settled(index, WITHDRAWN);
    return taken.length;
  }

  /** The first `count` have their outcome. */
  settle(count = this.lane.length): void {
    const settled = this.lane.splice(0, count);
    this.inSend = Math.max(0, this.inSend - count);
    for (const one of settled) this.#tell(one);
  }

  /** The first `count` of one topic have their outcome, whatever the others do. */
  settleTopic(topic: string, count: number): void {
    for (let left = count; left > 0; left--) {
      const at = this.lane.findIndex(({ message }) => message.topic === topic);
      if (at === -1) return;
      const [one] = this.lane.splice(at, 1);
      if (at < this.inSend) this.inSend--;
      this.#tell(one!);
    }
  }

  /** The topic cannot go on. */
  hold(held: Held): void {
    const concerned = this.lane.filter(({ message }) => held.topic === null || held.topic === message.topic);
    for (const owner of new Set(concerned.map((one) => one.owner))) owner.held(held);
  }

  get as(): Delivery {
    return this as unknown as Delivery;
  }

  #tell({ message, owner, index }: InLane): void {
    const outcome = this.outcome(message);
    if (outcome.state === 'delivered') this.delivered.push(String(message.value));
    owner.settled(index, outcome);
  }
}

export interface OpenedSpool {
  readonly spool: Spool;
  readonly warnings: string[];
  readonly rejected: RejectedMessage[];
}

export async function openSpool(files: SpoolFiles, options: Partial<SpoolOptions> = {}): Promise<OpenedSpool> {
  const warnings: string[] = [];
  const rejected: RejectedMessage[] = [];
  const spool = await Spool.open({
    files,
    folder: FOLDER,
    clock: turnClock(),
    maxBytes: 1 << 30,
    segmentBytes: 4096,
    reserveBytes: 0,
    route: () => intake,
    delivered: () => undefined,
    reject: async (letters) => void rejected.push(...letters),
    held: () => undefined,
    warned: (message) => void warnings.push(message),
    ...options,
  });
  return { spool, warnings, rejected };
}

/** A message whose value names it. */
export function item(id: string, given: Partial<Message> = {}): SpooledMessage {
  const key = given.key === undefined ? Buffer.from('k') : given.key;
  const message = {
    topic: 'orders',
    partition: null,
    partitionKey: key,
    key,
    value: Buffer.from(id),
    headers: [],
    timestampMs: 1,
    ...given,
  };
  return { message, route: '{"sync":"s"}', position: id };
}

/** Lets everything happen that can, as far as it comes without time passing. */
export async function turns(count = 12): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
