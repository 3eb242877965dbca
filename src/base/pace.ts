/** Something that may be done only so often: one after the other, a few may wait, more are told to come again. */
import type { Clock } from './clock.ts';

export class Pace {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #maxWaiting: number;
  #nextMs = -Infinity;

  constructor(clock: Clock, everyMs: number, maxWaiting: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves with true when it may be done; with false at once when too many wait before. */
  async turn(): Promise<boolean> {
    const nowMs = this.#clock.monotonic();
    const atMs = Math.max(nowMs, this.#nextMs);
    if (atMs - nowMs > this.#maxWaiting * this.#everyMs) return false;
    this.#nextMs = atMs + this.#everyMs;
    if (atMs > nowMs) await this.#clock.sleep(atMs - nowMs);
    return true;
  }
}
