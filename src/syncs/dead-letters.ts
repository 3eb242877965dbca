/** The dead letters of a sync wherever they lie, in the own state and in its destination's topic: listed, sent again, forgotten. */
import type { Clock } from '../base/clock.ts';
import {
  HeadraceError,
  type Configuration,
  type DeadLetter,
  type DeadLetterGroup,
  type ErrorCode,
} from '../model/index.ts';
import type { Destinations } from './destinations.ts';
import { isActive, unknownSync, type Flow } from './flows.ts';
import type { DeadLetterSink, DeadLetterStore } from './ports.ts';
import { redriveStored, type Redriven } from './redrive.ts';
import { redriveTopic } from './redrive-topic.ts';
import { listLetters, passLetters, type TopicLetterTools } from './topic-letters.ts';

export interface DeadLetterTools {
  readonly store: DeadLetterStore;
  /** Where what is rejected again in a topic is kept. */
  readonly sink: DeadLetterSink;
  readonly destinations: Destinations;
  readonly clock: Clock;
  configuration(): Configuration;
  flows(): ReadonlyMap<string, Flow>;
}

export interface ListedLetter extends DeadLetter {
  /** A number in the state; topic, partition and offset in a topic. */
  readonly id: string;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
}

export interface ListedLetters {
  readonly total: number;
  /** Most first. `inTopic`: how many of them lie in the topic. */
  readonly groups: readonly (DeadLetterGroup & { readonly inTopic: number })[];
  /** Newest first. */
  readonly letters: readonly ListedLetter[];
  /** Where new ones go, and whose cluster it is in; null: into the state. */
  readonly topic: string | null;
  readonly destination: string | null;
  /** What a person should know beside, such as why the topic could not be read. */
  readonly notes: readonly string[];
}

export interface Cleared {
  readonly removed: number;
  readonly notes: readonly string[];
}

export class DeadLetters {
  readonly #tools: DeadLetterTools;
  readonly #redriving = new Set<string>();

  constructor(tools: DeadLetterTools) {
    this.#tools = tools;
  }

  /** What there is: the newest `limit` one by one. A topic that cannot be read is a note. Throws HeadraceError. */
  async list(sync: string, limit: number): Promise<ListedLetters> {
    const { store } = this.#tools;
    const topic = this.#topic(sync);
    const [stored, counts, inTopic] = await Promise.all([
      store.list({ sync, limit }),
      store.count({ sync }),
      topic === null ? NONE : listLetters(topic, limit).catch(asNote),
    ]);
    if (counts.length === 0 && topic === null) this.#mustBeKnown(sync);
    const letters = [
      ...stored.map((letter) => ({ ...letter, id: String(letter.id) })),
      ...inTopic.letters.map(({ at, time, ...letter }) => ({
        ...letter,
        id: `${topic!.place.topic}/${at.partition}/${at.offset}`,
        createdAt: time,
      })),
    ].sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
    const groups = merged(counts, inTopic.groups);
    return {
      total: groups.reduce((sum, { count }) => sum + count, 0),
      groups,
      letters: letters.slice(0, limit),
      topic: topic?.place.topic ?? null,
      destination: topic?.place.destination ?? null,
      notes: inTopic.notes,
    };
  }

  /** Sends them again, each once: those in the state, then those in the topic. Throws HeadraceError. */
  async redrive(sync: string): Promise<Redriven> {
    if (this.#redriving.has(sync)) {
      throw new HeadraceError('conflict', `The dead letters of ${sync} are being sent again already.`, {
        remedy: 'Wait for its end.',
      });
    }
    this.#redriving.add(sync);
    try {
      return await this.#redrive(sync);
    } finally {
      this.#redriving.delete(sync);
    }
  }

  /** Forgets those in the state and passes over those in the topic; those of one code only in the state. Throws HeadraceError. */
  async clear(sync: string, code: ErrorCode | null): Promise<Cleared> {
    const { store } = this.#tools;
    const topic = this.#topic(sync);
    if (code !== null || topic === null) {
      const removed = await store.clear(sync, ...(code === null ? [] : [code]));
      if (removed === 0) this.#mustBeKnown(sync);
      const notes =
        topic === null
          ? []
          : [`Those in the topic ${topic.place.topic} stay: they are passed over all together, without a code.`];
      return { removed, notes };
    }
    const before = await listLetters(topic, 1).catch(asNote);
    let notes = before.notes;
    try {
      await passLetters(topic);
      notes = [
        ...notes,
        `The topic ${topic.place.topic} keeps its messages as long as its retention says; they are passed over.`,
      ];
    } catch (error) {
      notes = asNote(error).notes;
    }
    const passed = before.groups.reduce((sum, { count }) => sum + count, 0);
    return { removed: passed + (await store.clear(sync)), notes };
  }

  async #redrive(sync: string): Promise<Redriven> {
    const { store, clock, destinations, sink } = this.#tools;
    const redrive = { store, clock, destinations, flow: () => this.#flow(sync) };
    const fromState = await redriveStored(sync, redrive);
    const topic = this.#topic(sync);
    if (topic === null || fromState.stopped !== null) return fromState;
    redrive.flow();
    try {
      const { notes = [], ...fromTopic } = await redriveTopic({ ...topic, redrive, sink });
      return {
        delivered: fromState.delivered + fromTopic.delivered,
        rejected: fromState.rejected + fromTopic.rejected,
        filtered: fromState.filtered + fromTopic.filtered,
        unreadable: fromState.unreadable + fromTopic.unreadable,
        stopped: fromTopic.stopped,
        ...(notes.length === 0 ? {} : { notes }),
      };
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error;
      if (error.code === 'topic_missing') return { ...fromState, notes: asNote(error).notes };
      const { code, message, remedy = '' } = error;
      return { ...fromState, stopped: { code, reason: message.replace(/\.$/, ''), remedy } };
    }
  }

  /** Null: the sync's destination names no topic for them, or there is no such sync. */
  #topic(sync: string): TopicLetterTools | null {
    const { store, clock } = this.#tools;
    const { syncs, destinations } = this.#tools.configuration();
    const destination = destinations.get(syncs.get(sync)?.destination ?? '');
    const topic = destination?.deadLetters?.topic;
    if (destination === undefined || topic === undefined) return null;
    return { store, clock, destination, place: { destination: destination.name, topic, sync } };
  }

  #mustBeKnown(sync: string): void {
    const configuration = this.#tools.configuration();
    if (!configuration.syncs.has(sync)) throw unknownSync(sync, configuration);
  }

  #flow(sync: string): Flow {
    const flow = this.#tools.flows().get(sync);
    const configuration = this.#tools.configuration();
    if (flow === undefined) throw unknownSync(sync, configuration);
    if (isActive(flow, configuration)) return flow;
    throw new HeadraceError('conflict', `${sync}, its source or its destination is switched off.`, {
      remedy: 'Switch it on with `headrace enable`.',
    });
  }
}

const NONE = { groups: [], letters: [], notes: [] } as const;

/** A topic that cannot be read does not hide what lies in the state. */
function asNote(error: unknown): Awaited<ReturnType<typeof listLetters>> {
  if (!(error instanceof HeadraceError)) throw error;
  return {
    ...NONE,
    notes: [`Dead letters in the topic are not counted: ${error.message} ${error.remedy ?? ''}`.trimEnd()],
  };
}

function merged(
  stored: readonly DeadLetterGroup[],
  inTopic: readonly DeadLetterGroup[],
): (DeadLetterGroup & { readonly inTopic: number })[] {
  const groups = new Map(stored.map((group) => [group.code, { ...group, inTopic: 0 }]));
  for (const group of inTopic) {
    const other = groups.get(group.code);
    const newer = other === undefined || group.lastAt >= other.lastAt ? group : other;
    groups.set(group.code, {
      code: group.code,
      count: group.count + (other?.count ?? 0),
      firstAt: other === undefined || group.firstAt < other.firstAt ? group.firstAt : other.firstAt,
      lastAt: newer.lastAt,
      example: newer.example,
      inTopic: group.count,
    });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}
