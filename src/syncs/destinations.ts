/** The destinations that are open: one delivery each, shared by all syncs; replaced without loss when settings change. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { Delivery } from '../delivery/index.ts';
import { createSender } from '../kafka/index.ts';
import type { DestinationConfig } from '../model/index.ts';
import type { Sender } from '../delivery/ports.ts';
import type { SyncObserver } from './ports.ts';

export interface OpenDestination {
  readonly config: DestinationConfig;
  readonly delivery: Delivery;
  readonly sender: Sender;
  /** The predecessor's last messages are still on their way: order asks to wait for them. Null: go ahead. */
  readonly predecessor: Promise<void> | null;
}

/** How long messages under the old settings may take before they are taken back and sent under the new ones. */
const REPLACE_GRACE_MS = 10_000;
/** What is worth waiting for at the end while nothing can be sent. */
const TROUBLED_GRACE_MS = 1_500;

export class Destinations {
  readonly #clock: Clock;
  readonly #observer: SyncObserver;
  readonly #open = new Map<string, { -readonly [K in keyof OpenDestination]: OpenDestination[K] }>();
  #configs: ReadonlyMap<string, DestinationConfig> = new Map();
  readonly #retiring = new Set<Promise<unknown>>();

  constructor(clock: Clock, observer: SyncObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Takes new settings: a destination whose settings changed is opened anew; what is in flight ends under the old ones. */
  apply(configs: ReadonlyMap<string, DestinationConfig>): void {
    this.#configs = configs;
    for (const [name, open] of this.#open) {
      const config = configs.get(name);
      if (config !== undefined && config.enabled && isDeepStrictEqual(config, open.config)) continue;
      this.#open.delete(name);
      const retired = this.#retire(open.delivery);
      if (config !== undefined && config.enabled) this.#openNow(config, retired);
    }
  }

  /** Null when there is no such destination, or it is switched off. Opens it on first use. */
  get(name: string): OpenDestination | null {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const config = this.#configs.get(name);
    return config === undefined || !config.enabled ? null : this.#openNow(config, null);
  }

  /** What is open, without opening. */
  opened(name: string): OpenDestination | undefined {
    return this.#open.get(name);
  }

  /**
   * Waits up to the grace for all messages (less where Kafka is away: nothing will change), then closes. Returns how many
   * were left without an outcome.
   */
  async close(graceMs: number): Promise<number> {
    const deliveries = [...this.#open.values()].map((open) => open.delivery);
    this.#open.clear();
    this.#configs = new Map();
    const left = await Promise.all(
      deliveries.map((delivery) => delivery.close(graceMs, Math.min(graceMs, TROUBLED_GRACE_MS))),
    );
    await Promise.all(this.#retiring);
    return left.reduce((sum, count) => sum + count, 0);
  }

  #openNow(config: DestinationConfig, predecessor: Promise<void> | null): OpenDestination {
    const { producer } = config;
    const sender = createSender(config, {}, this.#clock);
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
    });
    const open = { config, delivery, sender, predecessor };
    this.#open.set(config.name, open);
    void predecessor?.then(() => (open.predecessor = null));
    return open;
  }

  async #retire(delivery: Delivery): Promise<void> {
    const closed = delivery.close(REPLACE_GRACE_MS);
    this.#retiring.add(closed);
    const left = await closed.finally(() => this.#retiring.delete(closed));
    if (left > 0)
      this.#observer.warned(`${left} messages had no answer when the settings of their destination changed`);
  }
}
