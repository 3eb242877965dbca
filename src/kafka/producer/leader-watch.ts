/** Looks, while a batch is unanswered for long, whether its partition has another leader: the old one may never answer. */
import type { Clock } from '../../base/clock.ts';
import type { TopicMetadata } from '../wire/cluster.ts';

/** A leader that is well answers far sooner; one that is frozen would cost the time that a request may take. */
const UNANSWERED_MS = 1_000;
const LOOK_EVERY_MS = 500;

export interface Watched {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
}

interface Unanswered extends Watched {
  readonly sinceMs: number;
  readonly moved: () => void;
}

/** A topic as the cluster knows it, not older than `maxAgeMs`. Throws when no broker answers. */
type Look = (topic: string, maxAgeMs: number) => Promise<Pick<TopicMetadata, 'errorCode' | 'leaders'>>;

export class LeaderWatch {
  readonly #look: Look;
  readonly #clock: Clock;
  readonly #unanswered = new Set<Unanswered>();
  #planned = false;

  constructor(look: Look, clock: Clock) {
    this.#look = look;
    this.#clock = clock;
  }

  /** `moved` is called at most once, unless what is returned was called before. */
  begin(watched: Watched, moved: () => void): () => void {
    const one: Unanswered = { ...watched, moved, sinceMs: this.#clock.monotonic() };
    this.#unanswered.add(one);
    this.#plan();
    return () => void this.#unanswered.delete(one);
  }

  /** One timer for all; none while nothing is under way. */
  #plan(): void {
    if (this.#planned || this.#unanswered.size === 0) return;
    this.#planned = true;
    this.#clock.after(LOOK_EVERY_MS, () => void this.#lookAround(), { unref: true });
  }

  async #lookAround(): Promise<void> {
    const beforeMs = this.#clock.monotonic() - UNANSWERED_MS;
    const late = [...this.#unanswered].filter(({ sinceMs }) => sinceMs <= beforeMs);
    const topics = Map.groupBy(late, ({ topic }) => topic);
    // One that cannot be had now is looked for again.
    await Promise.all([...topics].map(([topic, all]) => this.#compare(topic, all).catch(() => undefined)));
    this.#planned = false;
    this.#plan();
  }

  async #compare(topic: string, all: readonly Unanswered[]): Promise<void> {
    const { errorCode, leaders } = await this.#look(topic, LOOK_EVERY_MS);
    if (errorCode !== 0) return;
    for (const one of all) {
      const leader = leaders[one.partition] ?? -1;
      if (leader === -1 || leader === one.leader || !this.#unanswered.delete(one)) continue;
      one.moved();
    }
  }
}
