/** A message on its way, with who waits for its outcome. */
import type { Held, Message, Outcome } from '../model/index.ts';
import type { AssignPartition, MessageOwner } from './ports.ts';

/** How one owner's messages are to be handled; the same for all it hands in. */
export interface IntakeOptions {
  /** The sync's own choice of partitions: its messages keep their places whatever others share the topic. */
  readonly assign: AssignPartition;
  /** The topic was computed from the record: when it is missing the message is rejected, not held. */
  readonly computedTopic: boolean;
  /** A sync may cut its batches smaller than its destination. */
  readonly batchBytes: number;
  readonly batchMessages: number;
}

export interface Entry {
  readonly message: Message;
  readonly owner: MessageOwner;
  /** What the owner gave with the message. */
  readonly index: number;
  readonly bytes: number;
  readonly options: IntakeOptions;
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
  readonly #told = new Map<MessageOwner, Held>();

  /** Tells each owner among the entries, once for one reason. */
  tell(entries: Iterable<Entry>, held: Held): void {
    for (const { owner } of entries) {
      const before = this.#told.get(owner);
      if (before?.code === held.code && before.action === held.action) continue;
      this.#told.set(owner, held);
      owner.held(held);
    }
  }

  /** Messages go on: everyone who was told otherwise hears it. */
  clear(): void {
    if (this.#told.size === 0) return;
    const owners = [...this.#told.keys()];
    this.#told.clear();
    for (const owner of owners) owner.held(null);
  }
}
