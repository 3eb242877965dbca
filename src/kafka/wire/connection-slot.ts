/** One connection that many share: dialled again when it is gone, and replaced before its login ends. */
import type { Clock } from '../../base/clock.ts';

/** What the slot needs of a connection. */
export interface SharedConnection {
  readonly usable: boolean;
  /** How long its login counts, from the login on; null: without end. */
  readonly sessionLifetimeMs: number | null;
  /** Resolves when nothing that was asked is unanswered. */
  whenIdle(): Promise<void>;
  close(): Promise<void>;
}

/** Part of its session after which a connection is replaced: what is left must do for a dial on a slow day. */
const RENEW_AFTER = 0.75;
/** A request sent at the very end of a session might arrive after it. */
const USE_UNTIL = 0.97;
/** Whoever was given the replaced connection a moment ago may still use it. */
const RETIRED_MS = 30_000;

interface Held<Connection> {
  readonly connection: Connection;
  renewAtMs: number;
  readonly endAtMs: number;
}

export class ConnectionSlot<Connection extends SharedConnection> {
  readonly #clock: Clock;
  readonly #restMs: number;
  #failed: { readonly error: unknown; readonly atMs: number } | null = null;
  #opening: Promise<Held<Connection>> | null = null;
  #renewing = false;
  #closed = false;
  readonly #retired = new Map<Connection, () => void>();

  /** `restMs`: so long after a dial that failed none is made, however many ask; they fail as it did. */
  constructor(clock: Clock, restMs = 0) {
    this.#clock = clock;
    this.#restMs = restMs;
  }

  /**
   * The connection, dialled by one caller for all when there is none that can be used. A dial that fails fails for all who
   * wait for it: a broker that says nothing must not cost each of them its whole time, one after the other.
   */
  async get(dial: () => Promise<Connection>): Promise<Connection> {
    for (;;) {
      const opening = this.#opening;
      const held = await opening;
      if (held !== null && this.#usable(held)) {
        if (this.#clock.monotonic() >= held.renewAtMs) this.#renew(held, dial);
        return held.connection;
      }
      // Somebody else found it gone first and dials already: two dials would leave one connection that nobody closes.
      if (this.#opening !== opening) continue;
      if (this.#failed !== null && this.#clock.monotonic() - this.#failed.atMs < this.#restMs) throw this.#failed.error;
      if (held !== null) this.#retire(held);
      const fresh = this.#dial(dial);
      this.#opening = fresh;
      fresh.catch((error: unknown) => {
        this.#failed = { error, atMs: this.#clock.monotonic() };
        if (this.#opening === fresh) this.#opening = null;
      });
      return (await fresh).connection;
    }
  }

  /** Whoever asks next dials anew; what was asked on this connection may still be answered. */
  async giveUp(connection: Connection): Promise<void> {
    const opening = this.#opening;
    const held = await opening?.catch(() => null);
    if (held?.connection !== connection || this.#opening !== opening) return;
    this.#opening = null;
    this.#retire(held);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const [connection, cancel] of this.#retired) {
      cancel();
      void connection.close();
    }
    this.#retired.clear();
    const closed = this.#opening?.then(({ connection }) => connection.close());
    closed?.catch(() => undefined);
    // A dial may take long, and nobody needs what it brings: it is closed when it is there.
    const isThere = await Promise.race([this.#opening, Promise.resolve(null)]).catch(() => null);
    if (isThere) await closed;
  }

  #usable({ connection, endAtMs }: Held<Connection>): boolean {
    return connection.usable && this.#clock.monotonic() < endAtMs;
  }

  async #dial(dial: () => Promise<Connection>): Promise<Held<Connection>> {
    // The session begins later than this, so it does not end before we think.
    const startMs = this.#clock.monotonic();
    const connection = await dial();
    const lifetimeMs = connection.sessionLifetimeMs ?? Infinity;
    return { connection, renewAtMs: startMs + lifetimeMs * RENEW_AFTER, endAtMs: startMs + lifetimeMs * USE_UNTIL };
  }

  /** The old connection serves until the new one is there; when that fails, until its end, with tries in between. */
  #renew(old: Held<Connection>, dial: () => Promise<Connection>): void {
    if (this.#renewing) return;
    this.#renewing = true;
    const replaced = this.#opening;
    void this.#dial(dial)
      .then((fresh) => {
        if (this.#closed || this.#opening !== replaced) return fresh.connection.close();
        this.#opening = Promise.resolve(fresh);
        this.#retire(old);
        return undefined;
      })
      .catch(() => {
        const nowMs = this.#clock.monotonic();
        old.renewAtMs = nowMs + Math.max(50, (old.endAtMs - nowMs) / 4);
      })
      .finally(() => {
        this.#renewing = false;
      });
  }

  /** Closed once nothing is under way on it: what is answered late is still answered. */
  #retire({ connection, endAtMs }: Held<Connection>): void {
    if (!connection.usable || this.#closed) return void connection.close();
    const leftMs = Math.min(RETIRED_MS, Math.max(0, endAtMs - this.#clock.monotonic()));
    const cancel = this.#clock.after(
      leftMs,
      () => {
        void connection.whenIdle().then(() => {
          this.#retired.delete(connection);
          return connection.close();
        });
      },
      { unref: true },
    );
    this.#retired.set(connection, cancel);
  }
}
