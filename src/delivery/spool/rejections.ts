/** Messages rejected while the spool drains: a rejection counts as done once its dead letter is stored, however long that takes. */
import type { Clock } from '../../base/clock.ts';
import type { RejectedMessage, SpoolOptions } from './ports.ts';

const TRY_AGAIN_MS = 1_000;
const AT_ONCE = 1_000;

export class Rejections {
  readonly #options: SpoolOptions;
  readonly #clock: Clock;
  #letters: { readonly letter: RejectedMessage; readonly done: () => void }[] = [];
  #storing = false;
  #closed = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** `done` is called when it is stored. */
  add(letter: RejectedMessage, done: () => void): void {
    this.#letters.push({ letter, done });
    if (!this.#storing) void this.#store();
  }

  /** What is not stored by now is sent, and rejected, again after the next start. */
  close(): void {
    this.#closed = true;
  }

  async #store(): Promise<void> {
    this.#storing = true;
    while (this.#letters.length > 0 && !this.#closed) {
      const group = this.#letters.slice(0, AT_ONCE);
      try {
        await this.#options.reject(group.map(({ letter }) => letter));
        this.#letters.splice(0, group.length);
        for (const { done } of group) done();
      } catch (error) {
        this.#options.warned(`Rejected messages of the spool could not be stored: ${(error as Error).message}`);
        await this.#clock.sleep(TRY_AGAIN_MS);
      }
    }
    this.#storing = false;
  }
}
