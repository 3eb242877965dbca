/**
 * Sends dead letters again, oldest first, each once: byte for byte what was rejected, or, where the record never became a
 * message, what the present mapping makes of it. A letter goes when its message is in Kafka and stays when it is rejected
 * again. A kill in the middle may leave letters that were delivered a moment before: sent once more, they carry the same
 * `headrace.redriven`, by which readers drop doubles (P45).
 */
import { isoTime, type Clock } from '../base/clock.ts';
import type { Delivery } from '../delivery/index.ts';
import type { MessageOwner } from '../delivery/ports.ts';
import {
  HeadraceError,
  type DeadLetter,
  type ErrorCode,
  type Held,
  type Message,
  type Outcome,
  type Rejection,
} from '../model/index.ts';
import type { Destinations } from './destinations.ts';
import type { Flow } from './flows.ts';
import { recordOfLetter } from './given-record.ts';
import { messageOf, REDRIVEN } from './letters.ts';
import type { DeadLetterStore } from './ports.ts';

export interface RedriveTools {
  readonly store: DeadLetterStore;
  readonly destinations: Destinations;
  readonly clock: Clock;
  /** The sync as it is now. Throws HeadraceError when there is none, or it is switched off. */
  flow(): Flow;
}

export interface Redriven {
  readonly delivered: number;
  /** Rejected again: kept, with the newer reason. */
  readonly rejected: number;
  /** The sync lets them pass no longer: forgotten. */
  readonly filtered: number;
  /** What was kept is no record that could be mapped anew, such as a broken line: kept. */
  readonly unreadable: number;
  /** Why it ended before its time; null when it went through all. */
  readonly stopped: { readonly code: ErrorCode; readonly reason: string; readonly remedy: string } | null;
  /** What a person should know beside; absent: nothing. */
  readonly notes?: readonly string[];
}

/** Letters on their way at once. */
export const PAGE = 200;

/** Codes that say nothing about the letter: what follows would meet the same. */
const OF_THE_DESTINATION: ReadonlySet<ErrorCode> = new Set([
  'topic_not_authorized',
  'topic_not_created',
  'cluster_not_authorized',
  'authentication_failed',
  'tls_failed',
  'kafka_unreachable',
  'kafka_unavailable',
  'kafka_unsupported',
  'kafka_unexpected',
  'delivery_timeout',
  'config_invalid',
]);

const CHANGED: Redriven['stopped'] = {
  code: 'conflict',
  reason: 'the settings of the destination changed before Kafka had answered',
  remedy: 'Redrive again. What is in Kafka already comes once more, with the same headrace.redriven.',
};

/** After it stopped: how long those in a send are waited for. Then they stay dead letters, written or not. */
const ANSWERED_WITHIN_MS = 10_000;

export type Prepared = Message | Rejection | { readonly state: 'filtered' } | { readonly state: 'unreadable' };

/** All dead letters of a sync that are in the state when it begins. Throws HeadraceError. */
export async function redriveStored(sync: string, tools: RedriveTools): Promise<Redriven> {
  const { store } = tools;
  const sum = { delivered: 0, rejected: 0, filtered: 0, unreadable: 0 };
  const [last] = await store.list({ sync, limit: 1 });
  let after = 0;
  // Up to the last one of now: what is rejected meanwhile is for the next time.
  while (last !== undefined && after < last.id) {
    const letters = (await store.page(sync, after, PAGE)).filter(({ id }) => id <= last.id);
    if (letters.length === 0) break;
    after = letters.at(-1)!.id;
    const page = await redrivePage(letters, tools);
    await store.remove([...page.delivered, ...page.filtered].map((index) => letters[index]!.id));
    for (const [index, { code, reason, field }] of page.rejected)
      await store.rejectedAgain(letters[index]!.id, { code, reason, field: field ?? null });
    sum.delivered += page.delivered.length;
    sum.filtered += page.filtered.length;
    sum.rejected += page.rejected.size;
    sum.unreadable += page.unreadable.length;
    if (page.stopped !== null) return { ...sum, stopped: page.stopped };
  }
  return { ...sum, stopped: null };
}

export interface RedrivenPage {
  /** Indexes of letters. */
  readonly delivered: readonly number[];
  readonly filtered: readonly number[];
  readonly rejected: ReadonlyMap<number, Rejection>;
  readonly unreadable: readonly number[];
  readonly stopped: Redriven['stopped'];
}

/** Some letters through the sync and its destination as they are now, in their order. */
export async function redrivePage(letters: readonly DeadLetter[], tools: RedriveTools): Promise<RedrivenPage> {
  const { clock, destinations } = tools;
  const flow = tools.flow();
  const open = destinations.get(flow.sync.destination);
  if (open === null) throw new HeadraceError('not_found', `There is no destination ${flow.sync.destination}.`);
  await open.predecessor;
  const sending = new Sending(open.delivery, clock);
  const filtered: number[] = [];
  const unreadable: number[] = [];
  for (const [index, letter] of letters.entries()) {
    const prepared = prepare(letter, flow, clock.now());
    if (!('state' in prepared)) {
      await open.delivery.whenRoom();
      sending.hand(prepared, index, { ...flow.options, heldIsRejected: true });
    } else if (prepared.state === 'filtered') filtered.push(index);
    else if (prepared.state === 'unreadable') unreadable.push(index);
    else sending.rejected.set(index, prepared);
  }
  await sending.end();
  // Copies: what is answered after it stopped changes nothing any more.
  const { stopped } = sending;
  return { delivered: [...sending.delivered], filtered, rejected: new Map(sending.rejected), unreadable, stopped };
}

/** What becomes of a dead letter now. */
export function prepare(letter: DeadLetter, flow: Flow, nowMs: number): Prepared {
  const message = messageOf(letter);
  if (message !== null) return message;
  const record = recordOfLetter(letter, flow, nowMs);
  if (record === null) return { state: 'unreadable' };
  if (flow.passes !== null && !flow.passes(record)) return { state: 'filtered' };
  const mapped = flow.mapping.map(record, {
    sync: flow.sync.name,
    source: flow.sync.source,
    syncedAt: isoTime(nowMs),
    syncedAtMs: nowMs,
    run: letter.run,
  });
  if ('state' in mapped) return mapped;
  return { ...mapped, headers: [...mapped.headers, [REDRIVEN, Buffer.from(letter.identity ?? '')]] };
}

/** The dead letters of a page that are on their way. */
class Sending implements MessageOwner {
  readonly delivered: number[] = [];
  readonly rejected = new Map<number, Rejection>();
  stopped: Redriven['stopped'] = null;
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  #open = 1;
  #ended: () => void = () => undefined;
  readonly #end = new Promise<void>((resolve) => (this.#ended = resolve));

  constructor(delivery: Delivery, clock: Clock) {
    this.#delivery = delivery;
    this.#clock = clock;
  }

  hand(message: Message, index: number, options: Parameters<Delivery['accept']>[3]): void {
    this.#open++;
    this.#delivery.accept(message, this, index, options);
  }

  /** Resolves when all that were handed in have their outcome, or when it stopped and an answer does not come. */
  end(): Promise<void> {
    this.#close();
    return this.#end;
  }

  settled(index: number, outcome: Outcome): void {
    if (outcome.state === 'delivered') this.delivered.push(index);
    if (outcome.state === 'rejected') {
      const { code, reason } = outcome;
      if (OF_THE_DESTINATION.has(code)) this.stopped ??= { code, reason, remedy: '' };
      else this.rejected.set(index, outcome);
    }
    if (outcome.state === 'withdrawn') this.stopped ??= CHANGED;
    this.#close();
  }

  held(held: Held | null): void {
    if (held === null || held.action === 'wait') return;
    const { code, reason, remedy } = held;
    if (this.stopped === null) this.#clock.after(ANSWERED_WITHIN_MS, this.#ended, { unref: true });
    this.stopped ??= { code, reason, remedy };
    this.#delivery.withdraw((owner) => owner === this);
  }

  #close(): void {
    this.#open--;
    if (this.#open === 0) this.#ended();
  }
}
