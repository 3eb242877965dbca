/** The destinations that are open: one delivery each, shared by all syncs; replaced without loss when settings change. */
import type { Clock } from '../base/clock.ts';
import { sameSettings } from '../base/same-settings.ts';
import { Delivery } from '../delivery/index.ts';
import { createSender } from '../kafka/index.ts';
import type { DestinationConfig } from '../model/index.ts';
import type { Sender } from '../delivery/ports.ts';
import type { SyncObserver } from './ports.ts';
import type { OpenSpool, Spools } from './spools.ts';

export interface OpenDestination {
  readonly config: DestinationConfig;
  readonly delivery: Delivery;
  readonly sender: Sender;
  /** The predecessor's last messages are still on their way: order asks to wait for them. Null: go ahead. */
  readonly predecessor: Promise<void> | null;
}

/**
 * How long messages under the old settings may take. Those in a send get as long again: longer than a request's timeout
 * and a leader's move, since nobody can tell whether they are written (Promise 5).
 */
const REPLACE_GRACE_MS = 10_000;
/** What is worth waiting for at the end while nothing can be sent. */
const TROUBLED_GRACE_MS = 1_500;
/** At the end, what is under way under old settings has so long. */
const RETIRING_GRACE_MS = 1_000;

export class Destinations {
  readonly #clock: Clock;
  readonly #observer: SyncObserver;
  readonly #spools: Spools | null;
  readonly #open = new Map<string, { -readonly [K in keyof OpenDestination]: OpenDestination[K] }>();
  #configs: ReadonlyMap<string, DestinationConfig> = new Map();
  /** By name: all that was open under earlier settings and is not closed yet. */
  readonly #retiring = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();

  /** `spools`: null where nothing is spooled, as in commands. */
  constructor(clock: Clock, observer: SyncObserver, spools: Spools | null = null) {
    this.#clock = clock;
    this.#observer = observer;
    this.#spools = spools;
  }

  /** Takes new settings: a destination whose settings changed is opened anew; what is in flight ends under the old ones. */
  apply(configs: ReadonlyMap<string, DestinationConfig>): void {
    this.#configs = configs;
    for (const [name, open] of this.#open) {
      const config = configs.get(name);
      if (config !== undefined && config.enabled && sameSettings(config, open.config)) continue;
      this.#open.delete(name);
      this.#retire(name, open.delivery);
    }
    this.#spools?.apply(configs, this.#retiring);
  }

  /** Null: the destination has no spool. */
  spoolOf(config: DestinationConfig): OpenSpool | null {
    return this.#spools?.of(config) ?? null;
  }

  /** Null when there is no such destination, or it is switched off. Opens it on first use. */
  get(name: string): OpenDestination | null {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const config = this.#configs.get(name);
    return config === undefined || !config.enabled ? null : this.#openNow(config);
  }

  /** What is open, without opening. */
  opened(name: string): OpenDestination | undefined {
    return this.#open.get(name);
  }

  /**
   * Waits up to the grace for all messages (less where Kafka is away: nothing will change), then closes. Returns how many
   * were left without an outcome, and are not safe on the disk.
   */
  async close(graceMs: number): Promise<number> {
    const open = [...this.#open];
    // What is in no send goes to the disk, and those who wait for it are told that it is safe.
    for (const [name] of open) this.#spools?.detach(name);
    this.#open.clear();
    this.#configs = new Map();
    const troubledGraceMs = Math.min(graceMs, TROUBLED_GRACE_MS);
    const left = await Promise.all(open.map(([, { delivery }]) => delivery.close(graceMs, { troubledGraceMs })));
    const retired = Promise.all(this.#retiring.values());
    const early = new AbortController();
    void retired.then(() => early.abort());
    await this.#clock.sleep(RETIRING_GRACE_MS, early.signal);
    this.#ending.abort();
    await retired;
    await this.#spools?.close();
    return left.reduce((sum, count) => sum + count, 0);
  }

  #openNow(config: DestinationConfig): OpenDestination {
    const { producer } = config;
    const sender = createSender(config, this.#clock);
    const delivery = new Delivery({
      sender,
      clock: this.#clock,
      observer: {
        attempted: (batch, result, tookMs) => {
          const reason = 'reason' in result ? result.reason : result.state === 'held' ? result.held.reason : null;
          this.#observer.attempted(config.name, batch.topic, batch.messages.length, result.state, reason, tookMs);
        },
      },
      lingerMs: producer.lingerMs,
      metadataMaxAgeMs: producer.metadataMaxAgeMs,
      batchBytes: producer.batchBytes,
      batchMessages: producer.batchMessages,
      bufferMemoryBytes: producer.bufferMemoryBytes,
      maxInFlight: producer.maxInFlight,
      maxComputedTopics: config.topics.maxComputed ?? 1000,
      retries: producer.retries,
      deliveryTimeoutMs: producer.deliveryTimeoutMs,
      maxBlockMs: producer.maxBlockMs,
      retryBackoffMs: producer.retryBackoffMs,
      retryBackoffMaxMs: producer.retryBackoffMaxMs,
    });
    const predecessor = this.#retiring.get(config.name) ?? null;
    const open = { config, delivery, sender, predecessor };
    this.#open.set(config.name, open);
    const attach = (): void => {
      if (this.#open.get(config.name) === open) this.#spools?.attach(config.name, delivery);
    };
    if (predecessor === null) attach();
    void predecessor?.then(() => {
      open.predecessor = null;
      attach();
    });
    return open;
  }

  /** Whoever comes next waits for all that went before, not only for the last one. */
  #retire(name: string, delivery: Delivery): void {
    this.#spools?.detach(name);
    const before = this.#retiring.get(name);
    const retired = Promise.all([before, this.#closeOld(delivery)]).then(() => {
      if (this.#retiring.get(name) === retired) this.#retiring.delete(name);
    });
    this.#retiring.set(name, retired);
  }

  async #closeOld(delivery: Delivery): Promise<void> {
    const left = await delivery.close(REPLACE_GRACE_MS, {
      troubledGraceMs: TROUBLED_GRACE_MS,
      answerMs: REPLACE_GRACE_MS,
      hurry: this.#ending.signal,
    });
    if (left > 0)
      this.#observer.warned(`${left} messages had no answer when the settings of their destination changed`);
  }
}
