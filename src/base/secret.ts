/** A secret that prints as stars, whoever prints it. */
import { inspect } from 'node:util';

const STARS = '******';

export class Secret {
  #value: string;
  readonly #reread: (() => string | null) | null;

  /** `reread`: the value as its file or variable has it now, or null when it cannot be read. */
  constructor(value: string, reread: (() => string | null) | null = null) {
    this.#value = value;
    this.#reread = reread;
  }

  /** The only way to the value: grep for it. */
  reveal(): string {
    return this.#value;
  }

  /** The value as it is now, for a new connection: a rotated password or certificate counts without a restart. */
  current(): string {
    const now = this.#reread?.() ?? null;
    if (now !== null) this.#value = now;
    return this.#value;
  }

  toString(): string {
    return STARS;
  }

  toJSON(): string {
    return STARS;
  }

  [inspect.custom](): string {
    return STARS;
  }
}
