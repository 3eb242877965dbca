/** A message on its way, with who waits for its outcome. */
import type { Held, Message, Outcome } from '../model/index.ts';
import type { MessageOwner } from './ports.ts';

/** How one owner's messages are to be handled; the same for all it hands in. */
export interface IntakeOptions {
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

/** Tells each owner among the entries once. */
export function tellHeld(entries: Iterable<Entry>, held: Held | null): void {
  const told = new Set<MessageOwner>();
  for (const { owner } of entries) {
    if (told.has(owner)) continue;
    told.add(owner);
    owner.held(held);
  }
}
