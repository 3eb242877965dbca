/** Delivery to a real cluster for tests: messages in, outcomes out. */
import { systemClock } from '../../src/base/clock.ts';
import { Delivery, type DeliveryObserver } from '../../src/delivery/index.ts';
import type { MessageOwner } from '../../src/delivery/ports.ts';
import { assignerOf, createSender } from '../../src/kafka/index.ts';
import type { DestinationConfig, Held, Message, Outcome, ProducerSettings } from '../../src/model/index.ts';

export const producerDefaults: ProducerSettings = {
  acks: -1,
  idempotence: true,
  compression: 'none',
  lingerMs: 0,
  batchBytes: 1_000_000,
  batchMessages: 1002,
  bufferMemoryBytes: 33_554_432,
  maxRequestBytes: 1_048_576,
  requestTimeoutMs: 5_000,
  deliveryTimeoutMs: 120_000,
  connectTimeoutMs: 5_000,
  connectTimeoutMaxMs: 10_000,
  compressionLevel: null,
  maxInFlight: 5,
  retries: 2_147_483_647,
  retryBackoffMs: 50,
  retryBackoffMaxMs: 1_000,
  maxBlockMs: 60_000,
  clientDnsLookup: 'use_all_dns_ips',
  metadataMaxAgeMs: 30_000,
};

export function destinationAt(bootstrap: string, producer: Partial<ProducerSettings> = {}): DestinationConfig {
  return {
    name: 'main',
    enabled: true,
    brokers: bootstrap.split(',').map((address) => {
      const colon = address.lastIndexOf(':');
      return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    }),
    protocol: 'plaintext',
    tls: null,
    sasl: null,
    clientId: 'headrace-test',
    testTopic: null,
    producer: { ...producerDefaults, ...producer },
    topics: { create: false },
    defaults: { topic: null },
  };
}

export function deliveryTo(
  bootstrap: string,
  producer: Partial<ProducerSettings> = {},
  observer?: DeliveryObserver,
  login: Partial<Pick<DestinationConfig, 'protocol' | 'tls' | 'sasl'>> = {},
): Delivery {
  const destination = { ...destinationAt(bootstrap, producer), ...login };
  const sender = createSender(destination, systemClock);
  return new Delivery({
    sender,
    clock: systemClock,
    ...(observer === undefined ? {} : { observer }),
    ...destination.producer,
  });
}

/** A message with everything absent but what is given. */
export function message(topic: string, given: Partial<Message> & { text?: string } = {}): Message {
  const { text, ...rest } = given;
  const key = rest.key ?? null;
  return {
    topic,
    partition: null,
    partitionKey: key,
    key,
    value: Buffer.from(text ?? 'value'),
    headers: [],
    timestampMs: Date.now(),
    ...rest,
  };
}

/** Collects outcomes by index. */
export class Outcomes implements MessageOwner {
  readonly byIndex = new Map<number, Outcome>();
  readonly holds: (Held | null)[] = [];
  #waiters: { done: () => boolean; resolve: () => void }[] = [];

  settled(index: number, outcome: Outcome): void {
    if (this.byIndex.has(index)) throw new Error(`message ${index} has two outcomes`);
    this.byIndex.set(index, outcome);
    this.#wake();
  }

  held(held: Held | null): void {
    this.holds.push(held);
    this.#wake();
  }

  count(state: Outcome['state']): number {
    return [...this.byIndex.values()].filter((outcome) => outcome.state === state).length;
  }

  /** Resolves when so many have their outcome. */
  all(count: number): Promise<void> {
    return this.until(() => this.byIndex.size >= count);
  }

  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  #wake(): void {
    for (const waiter of this.#waiters.filter((one) => one.done())) {
      this.#waiters = this.#waiters.filter((one) => one !== waiter);
      waiter.resolve();
    }
  }
}

export const intake = {
  assign: assignerOf('murmur2'),
  computedTopic: false,
  batchBytes: 1_000_000,
  batchMessages: 1002,
};
