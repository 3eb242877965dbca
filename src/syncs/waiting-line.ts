/** Requests that must wait, in the order in which they came: nobody overtakes, everybody has a deadline. */
import type { Clock } from '../base/clock.ts';

export interface Waiter {
  /** What it waits for now; null: it can go. */
  obstacle(): Promise<unknown> | null;
  /** Its turn has come, with what is left of its time. */
  go(leftMs: number): void;
  /** Its time is over. */
  expire(): void;
}

interface Place {
  readonly waiter: Waiter;
  readonly deadlineMs: number;
  readonly expired: Promise<void>;
  readonly cancel: () => void;
}

export class WaitingLine {
  readonly #clock: Clock;
  #places: Place[] = [];
  #moving = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get empty(): boolean {
    return this.#places.length === 0;
  }

  join(waiter: Waiter, waitMs: number): void {
    let cancel = (): void => undefined;
    const expired = new Promise<void>((resolve) => {
      cancel = this.#clock.after(waitMs, () => {
        this.#places = this.#places.filter((place) => place.waiter !== waiter);
        waiter.expire();
        resolve();
      });
    });
    this.#places.push({ waiter, deadlineMs: this.#clock.monotonic() + waitMs, expired, cancel });
    if (!this.#moving) void this.#move();
  }

  async #move(): Promise<void> {
    this.#moving = true;
    for (let first = this.#places[0]; first !== undefined; first = this.#places[0]) {
      const obstacle = first.waiter.obstacle();
      if (obstacle !== null) {
        await Promise.race([obstacle, first.expired]);
        continue;
      }
      this.#places.shift();
      first.cancel();
      first.waiter.go(Math.max(1, first.deadlineMs - this.#clock.monotonic()));
    }
    this.#moving = false;
  }
}
