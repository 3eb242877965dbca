/**
 * What a parked sync left on the disk: not messages yet, but records, which go on as if they came now once the sync goes
 * on. They stand in queues of their own, under names that no topic can have, so that they hold up nobody.
 */
import { WITHDRAWN, type Rejection } from '../../model/index.ts';
import type { Released, SpoolOptions } from './ports.ts';
import type { Handed, TopicQueue } from './topic-queue.ts';

const TRY_AGAIN_MS = 1_000;
const AT_ONCE = 200;
/** What goes on for longer than this gives the room of those behind it to other topics. */
const SLOW_MS = 2_000;
const PREFIX = 'sync/';

/** Where the records of a parked sync stand in the spool. */
export function parkedTopic(sync: string): string {
  return PREFIX + encodeURIComponent(sync);
}

/** Whether it is the place of a sync's records and no topic. */
export function isParked(topic: string): boolean {
  return topic.startsWith(PREFIX);
}

interface Waiting {
  readonly sequence: number;
  readonly handed: Handed;
}

type Options = Pick<SpoolOptions, 'parked' | 'release' | 'unusable' | 'clock' | 'warned'>;

export class Releases {
  readonly #options: Options;
  readonly #waiting = new Map<TopicQueue, Waiting[]>();
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Whether the queue holds records of a sync and no messages. */
  concerns({ topic }: TopicQueue): boolean {
    return isParked(topic);
  }

  /** Whether nothing of the queue may go on now. */
  holdBack(queue: TopicQueue): boolean {
    return this.concerns(queue) && (this.#options.parked?.(syncOf(queue)) ?? true);
  }

  /** They go on in their order; the queue is told what became of each. */
  add(queue: TopicQueue, sequence: number, handed: Handed): void {
    const waiting = this.#waiting.get(queue);
    if (waiting !== undefined) {
      waiting.push({ sequence, handed });
      return;
    }
    const first = [{ sequence, handed }];
    this.#waiting.set(queue, first);
    void this.#run(queue, first);
  }

  /** What is not safe by now is released again after the next start. */
  close(): void {
    this.#closed = true;
  }

  async #run(queue: TopicQueue, waiting: Waiting[]): Promise<void> {
    // Those that are read in the same turn go together.
    await Promise.resolve();
    while (waiting.length > 0 && !this.#closed) {
      const group = waiting.slice(0, AT_ONCE);
      const rejections = this.#rejections(queue, group);
      const usable = group.filter(({ sequence }) => !rejections.has(sequence));
      const cancel = this.#options.clock.after(SLOW_MS, () => makeRoom(queue, waiting, group.length), { unref: true });
      const released = usable.length === 0 || (await this.#release(queue, usable));
      cancel();
      const left = usable.filter((_one, at) => !(typeof released === 'boolean' ? released : released[at]));
      // Promise 5: what is safe does not go again with what is not.
      waiting.splice(0, group.length, ...left);
      for (const one of usable) if (!left.includes(one)) queue.released(one.sequence);
      for (const [sequence, rejection] of rejections) queue.settled(sequence, rejection);
      if (left.length === 0) continue;
      // One is tried at a time from now on.
      makeRoom(queue, waiting, 1);
      await this.#options.clock.sleep(TRY_AGAIN_MS);
      for (const { sequence } of waiting.splice(0)) queue.settled(sequence, WITHDRAWN);
    }
    this.#waiting.delete(queue);
  }

  /** Promise 4: what can never go on is a dead letter, and done once that is stored. */
  #rejections(queue: TopicQueue, group: readonly Waiting[]): ReadonlyMap<number, Rejection> {
    const rejections = new Map<number, Rejection>();
    for (const { sequence, handed } of group) {
      const rejection = this.#options.unusable?.(syncOf(queue), handed) ?? null;
      if (rejection !== null) rejections.set(sequence, rejection);
    }
    return rejections;
  }

  async #release(queue: TopicQueue, group: readonly Waiting[]): Promise<Released> {
    try {
      const items = group.map(({ handed }) => handed);
      return (await this.#options.release?.(syncOf(queue), items)) ?? false;
    } catch (error) {
      this.#options.warned(`Events of a parked sync cannot go on: ${(error as Error).message}; it is tried again.`);
      return false;
    }
  }
}

/** All but the first go back to the disk. Promise 3: before those do, and none overtakes them. */
function makeRoom(queue: TopicQueue, waiting: Waiting[], keep: number): void {
  queue.blocked ??= 'stalled';
  for (const { sequence } of waiting.splice(keep)) queue.settled(sequence, WITHDRAWN);
}

function syncOf({ topic }: TopicQueue): string {
  return decodeURIComponent(topic.slice(PREFIX.length));
}
