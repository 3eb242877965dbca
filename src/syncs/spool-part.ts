/** What one request gives one destination that has a spool: in the lanes, or on the disk, each message at one place. */
import type { Delivery, Spool, SpoolOwner, SpooledMessage } from '../delivery/index.ts';
import type { IntakeOptions } from '../delivery/index.ts';
import type { MessageOwner } from '../delivery/ports.ts';
import type { Held, Outcome } from '../model/index.ts';

/** The request, as its parts see it. */
export interface SpoolingRequest extends MessageOwner {
  /** So many messages are on the disk, flushed. */
  safe(count: number): void;
  /** Messages could not be taken: the request is told to come again. */
  unavailable(reason: string, indexes: readonly number[]): void;
  /** Why its messages wait, for people. */
  waits(held: Held): void;
}

export class SpoolPart implements SpoolOwner {
  readonly #spool: Spool;
  readonly #delivery: Delivery;
  readonly #request: SpoolingRequest;
  /** Without an outcome, by index, in their order. */
  readonly #inLanes = new Map<number, SpooledMessage>();
  /** In a send when they were written to the disk: their outcome belongs to the spool. */
  #redirected: Map<number, { owner: MessageOwner; as: number }> | null = null;
  #toSpool: { index: number; item: SpooledMessage }[] = [];

  constructor(spool: Spool, delivery: Delivery, request: SpoolingRequest) {
    this.#spool = spool;
    this.#delivery = delivery;
    this.#request = request;
  }

  hand(index: number, item: SpooledMessage, options: IntakeOptions): void {
    if (this.#spool.spools(item.message.topic)) {
      this.#toSpool.push({ index, item });
      return;
    }
    this.#inLanes.set(index, item);
    this.#spool.follow(this);
    this.#delivery.accept(item.message, this, index, options);
  }

  /** Straight to the disk: its sync is parked. */
  park(index: number, item: SpooledMessage): void {
    this.#toSpool.push({ index, item });
  }

  /** Everything of the request has been handed: what goes to the disk goes there in one piece (P38). */
  commit(): void {
    if (this.#toSpool.length === 0) return;
    const items = this.#toSpool.map(({ item }) => item);
    const indexes = this.#toSpool.map(({ index }) => index);
    this.#toSpool = [];
    this.spooled(indexes, this.#spool.append(items));
  }

  /**
   * They have waited: to the disk with them, unless messages of the destination were delivered in the last `flowingMs`
   * (0: all the same). Whether they wait on.
   */
  late(flowingMs: number): boolean {
    if (this.#inLanes.size === 0) return false;
    if (this.#spool.hasDelivered(flowingMs)) return true;
    this.#spool.late(this);
    return false;
  }

  waiting(topic: string | null): { readonly index: number; readonly item: SpooledMessage }[] {
    const found = [];
    for (const [index, item] of this.#inLanes)
      if (topic === null || item.message.topic === topic) found.push({ index, item });
    return found;
  }

  redirect(index: number, owner: MessageOwner, as: number): void {
    this.#redirected ??= new Map();
    this.#redirected.set(index, { owner, as });
    this.#leave(index);
  }

  spooled(indexes: readonly number[], flushed: Promise<void>): void {
    for (const index of indexes) this.#leave(index);
    flushed.then(
      () => this.#request.safe(indexes.length),
      (refusal: Error) => this.#request.unavailable(refusal.message, indexes),
    );
  }

  refused(reason: string): void {
    this.#request.unavailable(reason, []);
  }

  settled(index: number, outcome: Outcome): void {
    const to = this.#redirected?.get(index);
    if (to !== undefined) {
      this.#redirected!.delete(index);
      to.owner.settled(to.as, outcome);
      return;
    }
    this.#leave(index);
    if (outcome.state === 'delivered') this.#spool.delivered();
    this.#request.settled(index, outcome);
  }

  isSafe(index: number): boolean {
    return this.#redirected?.has(index) === true;
  }

  held(held: Held | null): void {
    for (const owner of new Set([...(this.#redirected?.values() ?? [])].map((to) => to.owner))) owner.held(held);
    if (held === null) return;
    this.#request.waits(held);
    if (held.action !== 'wait') this.#spool.hold(held);
  }

  #leave(index: number): void {
    if (this.#inLanes.delete(index) && this.#inLanes.size === 0) this.#spool.unfollow(this);
  }
}
