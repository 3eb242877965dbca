/** A message on its way, with who waits for its outcome. */
import { backoffMs, refusedMs, type Backoff } from '../base/backoff.ts';
import type { Held, Message, Ordering, Outcome } from '../model/index.ts';
import type { AssignPartition, MessageOwner } from './ports.ts';

/** How one owner's messages are to be handled; the same for all it hands in. */
export interface IntakeOptions {
  /** The sync's own choice of partitions: its messages keep their places whatever others share the topic. */
  readonly assign: AssignPartition;
  /** The topic was computed from the record: when it is missing the message is rejected, not held. */
  readonly computedTopic: boolean;
  /** What is parked or refused is rejected at once: its owner has another place for it. */
  readonly heldIsRejected?: true;
  /** A sync may cut its batches smaller than its destination. */
  readonly batchBytes: number;
  readonly batchMessages: number;
  /** `key` when absent. `none`: its messages go beside the others, and may overtake one another. */
  readonly ordering?: Ordering;
  /** Makes a message that is too large smaller; absent: it is rejected. */
  readonly shrink?: Shrink;
}

/**
 * A smaller message of the same record: short enough that `excessOf` (bytes over the limit) is 0 or less, or as short as it
 * gets. Null when nothing of it can be cut.
 */
export type Shrink = (message: Message, excessOf: (message: Message) => number) => Message | null;

export interface Entry {
  /** In the order of handing in. */
  readonly sequence: number;
  readonly message: Message;
  readonly owner: MessageOwner;
  /** What the owner gave with the message. */
  readonly index: number;
  readonly bytes: number;
  readonly options: IntakeOptions;
}

/** A topic that is missing or has no sound name: where the record chose it, the record is at fault. */
export function faultOfComputedTopic({ code }: Held): boolean {
  return code === 'topic_missing' || code === 'topic_invalid';
}

/**
 * How long to wait before what is held up is tried again; `attempt` 1 is the first time. Half as long at most for a broker
 * that cannot be reached: when it is back it is found within half a second, and has another half to answer (G6).
 */
export function heldMs(held: Held, attempt: number, backoff: Backoff, unreachable = isUnreachable(held)): number {
  if (held.action === 'stop') return refusedMs();
  if (!unreachable) return backoffMs(backoff, attempt);
  return backoffMs({ ...backoff, maxMs: Math.max(backoff.firstMs, backoff.maxMs / 2) }, attempt);
}

/** No broker answered, or not the one that was asked. */
export function isUnreachable({ code }: { readonly code: Held['code'] }): boolean {
  return code === 'kafka_unreachable';
}

/** What was to pass by itself and has not: it is tried on, and its owners are told that a person is to look. */
export function parked(held: Held, within: string): Held {
  return {
    ...held,
    action: 'park',
    code: 'delivery_timeout',
    reason: `not delivered ${within}: ${held.reason}`,
    remedy: held.remedy === '' ? 'Check that the brokers run and can be reached.' : held.remedy,
  };
}

/** Told about everything that leaves delivery, exactly once per entry. */
export interface Ledger {
  settle(entry: Entry, outcome: Outcome): void;
}

/**
 * Who was told why its messages wait. Owners are told after an attempt that failed while their messages were there:
 * what held up others before may be over.
 */
export class Holds {
  /** Weak: whoever was told and took its messages back is gone, however long the hold lasts (Promise 9). */
  #told = new WeakMap<MessageOwner, Held>();
  #any = false;

  /** Tells each owner, once for one reason. */
  tell(owners: ReadonlySet<MessageOwner>, held: Held): void {
    for (const owner of owners) {
      const before = this.#told.get(owner);
      if (before?.code === held.code && before.action === held.action) continue;
      this.#told.set(owner, held);
      this.#any = true;
      owner.held(held);
    }
  }

  /** Messages go on: those of the owners who were told otherwise hear it. */
  clear(owners: () => ReadonlySet<MessageOwner>): void {
    if (!this.#any) return;
    const told = this.#told;
    this.#told = new WeakMap();
    this.#any = false;
    for (const owner of owners()) if (told.has(owner)) owner.held(null);
  }
}
