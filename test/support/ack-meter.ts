/** How long acknowledgements stayed away: the measure of a recovery. */

export interface Gap {
  /** The longest time between two acknowledgements. */
  readonly gapMs: number;
  /** The longest that one message waited for its own. */
  readonly waitMs: number;
}

export class AckMeter {
  #lastMs = performance.now();
  #gapMs = 0;
  #waitMs = 0;
  #waiters: (() => void)[] = [];

  /** `waitedMs`: since it was handed in. */
  acked(waitedMs: number): void {
    const nowMs = performance.now();
    this.#gapMs = Math.max(this.#gapMs, nowMs - this.#lastMs);
    this.#waitMs = Math.max(this.#waitMs, waitedMs);
    this.#lastMs = nowMs;
    if (this.#waiters.length > 0) for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Resolves at the next acknowledgement. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The worst since the last time this was asked. */
  take(): Gap {
    const gap = { gapMs: Math.round(this.#gapMs), waitMs: Math.round(this.#waitMs) };
    this.#gapMs = 0;
    this.#waitMs = 0;
    this.#lastMs = performance.now();
    return gap;
  }
}
