/** Events posted over many connections, singles and batches, each noted so that the checker can judge what arrives. */
import { Agent, request } from 'node:http';
import { hashValue, type ExpectedRecord, type ReadRecord } from './check-topic.ts';
import { Ledger, type OperationState } from './ledger.ts';
import type { Random } from './random.ts';

export interface CollectorLoadOptions {
  readonly writeKey: string;
  readonly topic: string;
  readonly partitions: number;
  readonly javaPartition: (key: string, partitions: number) => number;
  /** Each key belongs to one connection, which sends one request after the other: so its order is known. */
  readonly keys: readonly string[];
  readonly connections: number;
  readonly random: Random;
  /** Share of requests that are batches. */
  readonly batchShare?: number;
}

export interface Answer {
  /** null: no answer came. */
  readonly status: number | null;
  readonly retryAfter: string | null;
  /** The connection was refused: the request never left. */
  readonly unsent: boolean;
  /** By `performance.now()`. */
  readonly beganMs: number;
  readonly ms: number;
  readonly ids: readonly string[];
}

/** A load that can be stopped and sent to another address while it runs. */
export class CollectorLoad {
  readonly expected: ExpectedRecord[] = [];
  readonly ledger = Ledger.inMemory();
  readonly statuses = new Map<number | null, number>();
  readonly #options: CollectorLoadOptions;
  readonly #properties = new Map<string, string>();
  readonly #agent: Agent;
  #address: Promise<string>;
  #setAddress: (address: string) => void = () => {};
  #sequence = 0;
  #acknowledged = 0;

  constructor(options: CollectorLoadOptions) {
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
    this.#address = new Promise((resolve) => (this.#setAddress = resolve));
  }

  /** Events whose 200 was seen. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Senders wait for an address before their next request. */
  goTo(address: string): void {
    this.#setAddress(address);
    this.#address = Promise.resolve(address);
  }

  /** From now on senders wait until the next `goTo`. */
  pause(): void {
    this.#address = new Promise((resolve) => (this.#setAddress = resolve));
  }

  /** Sends until `over` says so, over all connections. Each answer is noted; `onAnswer` is told of it. */
  async run(over: () => boolean, onAnswer: (answer: Answer) => void = () => {}): Promise<void> {
    const { connections, keys } = this.#options;
    const senders = Array.from({ length: connections }, async (_, sender) => {
      const own = keys.filter((_key, index) => index % connections === sender);
      const draw = this.#options.random.stream(`sender ${sender}`);
      while (!over()) onAnswer(await this.send(own, draw));
    });
    await Promise.all(senders);
  }

  /** One request with events for these keys. */
  async send(keys: readonly string[], draw: Random): Promise<Answer> {
    const address = await this.#address;
    const batched = draw.chance(this.#options.batchShare ?? 0.3);
    const events = Array.from({ length: batched ? draw.between(2, 40) : 1 }, () => this.#draft(draw.pick(keys), draw));
    const ids = events.map((event) => event.messageId);
    this.ledger.begin(ids);
    const body = JSON.stringify(batched ? { batch: events } : events[0]);
    const answer = { ...(await this.#post(`${address}/v1/${batched ? 'batch' : 'track'}`, body)), ids };
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
    const state = stateOf(answer);
    this.ledger.settle(ids, state);
    if (state === 'ok') this.#acknowledged += ids.length;
    return answer;
  }

  /** What the value of a message must be: the event as posted, completed but not changed. */
  checkValue(id: string, record: ReadRecord): string | null {
    const event = JSON.parse(String(record.value)) as Record<string, unknown>;
    if (event['messageId'] !== id) return `messageId is ${String(event['messageId'])}`;
    if (typeof event['receivedAt'] !== 'string') return 'receivedAt is missing';
    const properties = hashValue(JSON.stringify(event['properties']));
    return properties === this.#properties.get(id) ? null : 'properties differ from what was posted';
  }

  close(): void {
    this.#agent.destroy();
  }

  #draft(key: string, draw: Random): { messageId: string } & Record<string, unknown> {
    const { topic, partitions, javaPartition } = this.#options;
    const sequence = ++this.#sequence;
    const messageId = `m-${sequence}`;
    const properties = {
      sequence,
      text: draw.text(draw.between(1, 20)).repeat(draw.between(1, 20)),
      nested: [{ a: null }],
    };
    this.#properties.set(messageId, hashValue(JSON.stringify(properties)));
    this.expected.push({
      id: messageId,
      topic,
      key,
      sequence,
      partition: javaPartition(key, partitions),
      valueHash: undefined,
    });
    return { type: 'track', event: 'Chaos', userId: key, messageId, properties };
  }

  #post(url: string, body: string): Promise<Omit<Answer, 'ids'>> {
    const began = performance.now();
    const headers = {
      authorization: `Basic ${Buffer.from(`${this.#options.writeKey}:`).toString('base64')}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve) => {
      const settle = (status: number | null, retryAfter: string | null, unsent: boolean): void =>
        resolve({ status, retryAfter, unsent, beganMs: began, ms: performance.now() - began });
      const post = request(url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.once('error', () => settle(null, null, false));
        response.once('end', () => settle(response.statusCode!, response.headers['retry-after'] ?? null, false));
        response.resume();
      });
      post.once('error', (error: NodeJS.ErrnoException) => settle(null, null, error.code === 'ECONNREFUSED'));
      post.end(body);
    });
  }
}

/**
 * 429 is no "fail": what was in a send under way may still arrive. 503, a refused connection and the other 4xx are.
 */
export function stateOf(answer: Pick<Answer, 'status' | 'unsent'>): OperationState {
  if (answer.status === 200) return 'ok';
  if (answer.unsent || answer.status === 503) return 'fail';
  if (answer.status !== null && answer.status >= 400 && answer.status < 500 && answer.status !== 429) return 'fail';
  return 'unknown';
}
