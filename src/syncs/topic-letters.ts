/**
 * The dead letters of a sync that lie in a topic: which of them are to come, which there are, and passing them over.
 *
 * A topic is never changed by reading it: for each partition and sync the state holds up to where the letters were sent
 * again or passed over. Several syncs, and several destinations, may share a topic: each has its own positions, and only
 * letters with its name in `headrace.sync` are its own.
 */
import type { Clock } from '../base/clock.ts';
import { TopicReader, type PartitionExtent, type TopicExtent } from '../kafka/index.ts';
import type { DeadLetter, DeadLetterGroup, DestinationConfig, LetterPosition } from '../model/index.ts';
import { fromMessage } from './letters.ts';
import type { DeadLetterStore, LetterPlace } from './ports.ts';

export interface TopicLetterTools {
  readonly store: Pick<DeadLetterStore, 'positions' | 'savePositions'>;
  readonly clock: Clock;
  readonly destination: DestinationConfig;
  readonly place: LetterPlace;
}

/** A dead letter with where it lies. */
export interface TopicLetter extends DeadLetter {
  readonly partition: number | null;
  readonly at: { readonly partition: number; readonly offset: bigint };
  /** When it was rejected, ISO 8601 UTC. */
  readonly time: string;
}

/** What of one partition is to come. */
export interface ToCome extends PartitionExtent {
  /** Offsets from `first` on that are done already. */
  readonly done: ReadonlySet<bigint>;
}

export interface OpenTopic {
  readonly reader: TopicReader;
  readonly extent: TopicExtent;
  readonly toCome: readonly ToCome[];
  /** What became of the saved positions, for people. */
  readonly notes: readonly string[];
}

export interface TopicLetters {
  readonly groups: readonly DeadLetterGroup[];
  /** Newest first. */
  readonly letters: readonly TopicLetter[];
  readonly notes: readonly string[];
}

/** How long a leader that is away is waited for by who looks, and by who sends again. */
const LOOK_PATIENCE_MS = 3_000;
export const SEND_PATIENCE_MS = 30_000;

/** What one listing reads at most: messages of all partitions, and time. */
const LISTED_MESSAGES = 100_000;
const LISTED_WITHIN_MS = 8_000;
const LISTED_BYTES = 32 * 1024 * 1024;
const CHUNK = 2_000;

/** The topic as it is now beside what the state holds of it. Throws HeadraceError; close the reader after use. */
export async function openLetters(tools: TopicLetterTools, patienceMs: number): Promise<OpenTopic> {
  const { store, clock, destination, place } = tools;
  const reader = new TopicReader(destination, clock, place.topic, patienceMs);
  try {
    const extent = await reader.extent();
    const saved = new Map((await store.positions(place)).map((one) => [one.partition, one]));
    const notes = new Set<string>();
    const toCome = extent.partitions.map((partition) =>
      whatComes(place.topic, extent.topicId, partition, saved.get(partition.partition), notes),
    );
    return { reader, extent, toCome, notes: [...notes] };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** Where a partition goes on after a saved position that may be older than the topic. */
export function whatComes(
  topic: string,
  topicId: string | null,
  extent: PartitionExtent,
  saved: LetterPosition | undefined,
  notes: Set<string>,
): ToCome {
  const { first, end } = extent;
  if (saved === undefined) return { ...extent, done: new Set() };
  const another = saved.topicId !== null && topicId !== null && saved.topicId !== topicId;
  if (another || saved.next > end) {
    notes.add(
      `The topic ${topic} was made anew since dead letters in it were last sent again: it counts from its start.`,
    );
    return { ...extent, done: new Set() };
  }
  if (saved.next < first) {
    notes.add(
      `The topic ${topic} has deleted messages that were not looked at (retention, from offset ${saved.next} to ${first} of partition ${extent.partition}): dead letters among them are gone.`,
    );
    return { ...extent, done: new Set(saved.done.filter((offset) => offset >= first)) };
  }
  return { ...extent, first: saved.next, done: new Set(saved.done) };
}

/** The letters of one sync among messages, without those that are done. */
export function lettersIn(
  sync: string,
  partition: number,
  messages: readonly (Parameters<typeof fromMessage>[0] & { readonly offset: bigint })[],
  done: ReadonlySet<bigint>,
): TopicLetter[] {
  return messages.flatMap((message) => {
    const letter = done.has(message.offset) ? null : fromMessage(message);
    return letter?.sync === sync ? [{ ...letter, at: { partition, offset: message.offset } }] : [];
  });
}

/**
 * What there is after the saved positions: by code, and the newest `limit` one by one. Bounded in memory and time: the
 * newest messages are read first, and a note says where it ended. Throws HeadraceError.
 */
export async function listLetters(tools: TopicLetterTools, limit: number): Promise<TopicLetters> {
  const { clock, place } = tools;
  const startedMs = clock.monotonic();
  const { reader, toCome, notes } = await openLetters(tools, LOOK_PATIENCE_MS);
  try {
    const listing = new Listing(limit);
    const left = new Map(toCome.filter(({ first, end }) => first < end).map((one) => [one.partition, one]));
    let room = LISTED_MESSAGES;
    while (left.size > 0 && room > 0 && clock.monotonic() - startedMs < LISTED_WITHIN_MS) {
      for (const { partition, first, end, done } of left.values()) {
        const from = end - first > CHUNK ? end - BigInt(CHUNK) : first;
        room -= Number(end - from);
        for (let next = from; next < end;) {
          const stretch = await reader.read(partition, next, end);
          for (const letter of lettersIn(place.sync, partition, stretch.messages, done)) listing.add(letter);
          next = stretch.next;
        }
        if (from === first) left.delete(partition);
        else left.set(partition, { partition, first, end: from, done });
      }
    }
    const unread = [...left.values()].reduce((sum, { first, end }) => sum + Number(end - first), 0);
    const cut =
      unread === 0
        ? []
        : [
            `Only the newest messages of the topic ${place.topic} were read: the counts leave out ${unread} older ones.`,
          ];
    return { groups: listing.groups, letters: listing.newest(), notes: [...notes, ...cut, ...listing.notes] };
  } finally {
    await reader.close();
  }
}

/** Passes over all that lies there now, for one sync. Nothing is deleted from the topic. Throws HeadraceError. */
export async function passLetters(tools: TopicLetterTools): Promise<void> {
  const { reader, extent } = await openLetters(tools, LOOK_PATIENCE_MS);
  await reader.close();
  const positions = extent.partitions.map(({ partition, end }) => ({
    partition,
    next: end,
    done: [],
    topicId: extent.topicId,
  }));
  await tools.store.savePositions(tools.place, positions);
}

/** Counts by code; keeps the newest letters, as many as are wanted and as memory allows. */
class Listing {
  readonly #limit: number;
  readonly #groups = new Map<string, { -readonly [K in keyof DeadLetterGroup]: DeadLetterGroup[K] }>();
  #letters: TopicLetter[] = [];
  #bytes = 0;
  #dropped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get groups(): readonly DeadLetterGroup[] {
    return [...this.#groups.values()];
  }

  get notes(): readonly string[] {
    return this.#dropped ? ['Not all of those asked for are listed: they are too large together.'] : [];
  }

  add(letter: TopicLetter): void {
    const { code, reason, time } = letter;
    const group = this.#groups.get(code);
    if (group === undefined) this.#groups.set(code, { code, count: 1, firstAt: time, lastAt: time, example: reason });
    else {
      group.count++;
      if (time < group.firstAt) group.firstAt = time;
      if (time >= group.lastAt) [group.lastAt, group.example] = [time, reason];
    }
    this.#letters.push(letter);
    this.#bytes += weight(letter);
    if (this.#letters.length > this.#limit * 2 + CHUNK || this.#bytes > LISTED_BYTES * 2) this.newest();
  }

  newest(): readonly TopicLetter[] {
    this.#letters.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : Number(b.at.offset - a.at.offset)));
    let bytes = 0;
    let count = 0;
    while (count < Math.min(this.#limit, this.#letters.length)) {
      bytes += weight(this.#letters[count]!);
      if (bytes > LISTED_BYTES && count > 0) break;
      count++;
    }
    this.#dropped ||= count < Math.min(this.#limit, this.#letters.length);
    this.#letters = this.#letters.slice(0, count);
    this.#bytes = this.#letters.reduce((sum, letter) => sum + weight(letter), 0);
    return this.#letters;
  }
}

function weight({ key, value, raw }: DeadLetter): number {
  return 200 + (key?.length ?? 0) + (value?.length ?? 0) + (raw?.length ?? 0);
}
