/** Counts what is read and what is rejected of it, and says when that is more than the sync lets pass. */
import type { Clock } from '../base/clock.ts';
import { HeadraceError, type MaxRejected } from '../model/index.ts';

/** An event sync has no end: it is judged by the hour. */
export const WINDOW_MS = 3_600_000;

export class RejectionMeter {
  readonly #clock: Clock;
  readonly #windowMs: number;
  #beganMs: number;
  #read = 0;
  #rejected = 0;

  /** `windowMs`: after so long the counts begin anew. */
  constructor(clock: Clock, windowMs = Infinity) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#beganMs = clock.monotonic();
  }

  read(count: number): void {
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#beganMs >= this.#windowMs) {
      this.#beganMs = nowMs;
      this.#read = 0;
      this.#rejected = 0;
    }
    this.#read += count;
  }

  /** One of those that were read is rejected. The error when that is one too many, else null. */
  rejected(limit: MaxRejected | null | undefined): HeadraceError | null {
    this.#rejected++;
    if (limit == null) return null;
    const allowed = 'records' in limit ? limit.records : (this.#read * limit.percent) / 100;
    if (this.#rejected <= allowed) return null;
    if ('percent' in limit && this.#read < limit.atLeast) return null;
    const most = 'records' in limit ? `${limit.records}` : `${limit.percent}%`;
    return new HeadraceError(
      'too_many_rejected',
      `${this.#rejected} of ${this.#read} records were rejected, and \`max_rejected\` is ${most}`,
      {
        remedy:
          'See why with `headrace dead-letters`, mend the data or the mapping, and start it again (`headrace run`, or `headrace enable` for an event sync).',
      },
    );
  }
}
