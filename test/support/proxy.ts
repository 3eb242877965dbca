/** A TCP proxy between a Kafka client and its brokers that knows requests from answers and breaks things on command. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { producedBatches, type ProducedBatch, type RequestHeader } from './kafka-frames.ts';
import { Link } from './proxy-link.ts';
import type { Random } from './random.ts';

export interface BrokerEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface SeenRequest extends RequestHeader {
  /** The batches of a Produce request, else empty. */
  readonly batches: readonly ProducedBatch[];
  /** A Produce request with acks 0: no answer will come. */
  readonly unanswered: boolean;
  /** Of a Produce request; -1 is `all`. */
  readonly acks: number;
  /** Of the whole request, its length included. */
  readonly bytes: number;
}

export type Fault =
  /** The connection is reset; the broker never sees the request. */
  | { readonly do: 'cut_before' }
  /** Half of the request goes out, then the connection is reset. */
  | { readonly do: 'cut_middle' }
  /** The request goes out and the connection is reset at once: nobody knows whether it was carried out. */
  | { readonly do: 'cut_after' }
  /** The broker carries the request out; its answer is dropped, and the connection reset or left open. */
  | { readonly do: 'swallow'; readonly connection: 'cut' | 'open' }
  /** The answer comes late. */
  | { readonly do: 'delay'; readonly ms: number }
  /** From this request on nothing passes on this connection, and the client is not told. */
  | { readonly do: 'half_open' };

/** Which requests a fault hits: keyed to progress, never to time, so that a plan can be repeated. */
export interface FaultRule {
  readonly api: string;
  readonly where?: (request: SeenRequest) => boolean;
  /** Requests that match and still pass first; 0 by default. */
  readonly after?: number;
  /** Of those that follow, each nth is hit; 1 by default. */
  readonly every?: number;
  /** How often at most; 1 by default. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface Injection {
  readonly fired: number;
  /** Resolves when it has been carried out as often as it may. */
  readonly done: Promise<void>;
  cancel(): void;
}

/** How bytes travel; all default to "at once". */
export interface Shape {
  readonly latencyMs?: number;
  /** Added to the latency: 0 to this, evenly. Order within a connection is kept. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Bytes for each write to the socket; 1 is the cruellest. */
  readonly pieceBytes?: number;
}

export interface ScatterPlan {
  readonly random: Random;
  readonly times: number;
  /** A cut after each `from` to `to` Produce requests, of a kind drawn for each … */
  readonly requests?: { readonly from: number; readonly to: number };
  /** … or resets of a random open connection, on average so many in a second. */
  readonly perSecond?: number;
}

/**
 * Starts one listener on 127.0.0.1 for each broker. What the brokers advertise in Metadata is rewritten to these
 * listeners, so that a client that starts at `bootstrap` stays inside. `listen` fixes the ports, else they are free ones.
 */
export async function startProxy(options: {
  brokers: readonly BrokerEndpoint[];
  listen?: readonly number[];
  random?: Random;
}): Promise<KafkaProxy> {
  const proxy = new KafkaProxy(options.brokers, options.random);
  await proxy.listen(options.listen ?? []);
  return proxy;
}

export class KafkaProxy {
  /** Every batch of every Produce request that a client sent, in order of arrival, whatever became of it. */
  readonly batches: ProducedBatch[] = [];
  shape: Shape = {};
  /** Told of every request that a client sent, whatever becomes of it. */
  onRequest: ((request: SeenRequest) => void) | null = null;
  /** The newest version of an API that clients are told of, by name: makes a new broker speak as an old one. */
  caps: Readonly<Record<string, number>> = {};
  readonly #targets: BrokerEndpoint[];
  readonly #random: Random | undefined;
  readonly #servers: Server[] = [];
  readonly #links = new Set<Link>();
  readonly #requests = new Map<string, number>();
  readonly #rules = new Set<ActiveRule>();
  readonly #stop = new AbortController();
  #accepting = true;
  #thawed: Promise<void> | null = null;
  #thaw: () => void = () => {};

  constructor(targets: readonly BrokerEndpoint[], random: Random | undefined) {
    this.#targets = [...targets];
    this.#random = random;
  }

  async listen(ports: readonly number[]): Promise<void> {
    for (const [index] of this.#targets.entries()) {
      const server = createServer({ noDelay: true }, (client) => this.#accept(client, index));
      server.listen(ports[index] ?? 0, '127.0.0.1');
      await once(server, 'listening');
      this.#servers.push(server);
    }
  }

  /** Where a client starts, e.g. `127.0.0.1:40001,127.0.0.1:40002`. */
  get bootstrap(): string {
    return this.ports.map((port) => `127.0.0.1:${port}`).join(',');
  }

  get ports(): number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  /** Connections of clients that are open now. */
  get connections(): number {
    return this.#links.size;
  }

  /** Requests of one API that clients sent so far. */
  requests(api: string): number {
    return this.#requests.get(api) ?? 0;
  }

  /** Batches sent to one partition so far, repeats included. */
  batchesOf(topic: string, partition: number): ProducedBatch[] {
    return this.batches.filter((batch) => batch.topic === topic && batch.partition === partition);
  }

  /** A broker that came back at another address. */
  retarget(index: number, broker: BrokerEndpoint): void {
    this.#targets[index] = broker;
  }

  /** Plans a fault. Where several rules could hit a request the oldest does, and the others do not count the request. */
  inject(rule: FaultRule): Injection {
    const active = new ActiveRule(rule);
    this.#rules.add(active);
    return active;
  }

  /** Cuts connections at random moments: keyed to requests (repeatable) or to time. */
  scatterResets(plan: ScatterPlan): Injection {
    if (plan.requests !== undefined) return this.inject(scatterRule(plan, plan.requests));
    const active = new ActiveRule({ api: '', times: plan.times, fault: { do: 'cut_before' } });
    void this.#resetByTime(plan, active);
    return active;
  }

  /** Nothing passes in either direction until `thaw`; then what waited goes on, as after a lost route. */
  freeze(): void {
    this.#thawed ??= new Promise((resolve) => (this.#thaw = resolve));
  }

  thaw(): void {
    this.#thaw();
    this.#thawed = null;
  }

  /** All connections of now are dead without their clients being told; new ones work. */
  halfOpen(): void {
    for (const link of this.#links) link.halfOpen();
  }

  /** Resets all connections of now. */
  cut(): void {
    for (const link of this.#links) link.reset();
  }

  /** While off, each new connection is reset as soon as it is made, and those of now are cut. */
  accept(on: boolean): void {
    this.#accepting = on;
    if (!on) this.cut();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.thaw();
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    const ended = [...this.#links].map((link) => link.ended);
    for (const link of this.#links) link.destroy();
    await Promise.all([...closed, ...ended]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket, index: number): void {
    client.on('error', () => {});
    if (!this.#accepting || this.#stop.signal.aborted) return void client.resetAndDestroy();
    const link = new Link(client, this.#targets[index]!, {
      seen: (header, frame) => this.#see(header, frame),
      open: async () => void (await this.#thawed),
      write: (socket, bytes) => this.#write(socket, bytes),
      wait: (ms) => this.#wait(ms),
      latency: () => this.#wait(this.#latencyMs()),
      advertised: (host, port) => this.#advertised(host, port),
      caps: this.caps,
    });
    this.#links.add(link);
    void link.ended.then(() => this.#links.delete(link));
  }

  #see(header: RequestHeader, frame: Buffer): { request: SeenRequest; hit: ActiveRule | null } {
    this.#requests.set(header.api, this.requests(header.api) + 1);
    const produced = header.api === 'Produce' ? producedBatches(frame) : { acks: 1, batches: [] };
    this.batches.push(...produced.batches);
    const request = {
      ...header,
      batches: produced.batches,
      unanswered: produced.acks === 0,
      acks: produced.acks,
      bytes: frame.length,
    };
    this.onRequest?.(request);
    for (const rule of this.#rules) if (rule.counts(request)) return { request, hit: rule };
    return { request, hit: null };
  }

  #advertised(host: string, port: number): BrokerEndpoint {
    const index = this.#targets.findIndex((target) => target.port === port);
    if (index < 0) {
      if (this.ports.includes(port)) return { host: '127.0.0.1', port };
      throw new Error(`the proxy was not told of the broker ${host}:${port}`);
    }
    return { host: '127.0.0.1', port: this.ports[index]! };
  }

  async #write(socket: Socket, bytes: Buffer): Promise<void> {
    const { bytesPerSecond, pieceBytes } = this.shape;
    const piece = pieceBytes ?? (bytesPerSecond === undefined ? bytes.length : Math.ceil(bytesPerSecond / 50));
    for (let at = 0; at < bytes.length; at += piece) {
      const part = bytes.subarray(at, at + piece);
      await new Promise<void>((resolve, reject) =>
        socket.write(part, (error) => (error === null || error === undefined ? resolve() : reject(error))),
      );
      if (bytesPerSecond !== undefined) await this.#wait((part.length / bytesPerSecond) * 1000);
    }
  }

  #latencyMs(): number {
    const { latencyMs = 0, jitterMs = 0 } = this.shape;
    return latencyMs + jitterMs * (this.#random?.next() ?? 0.5);
  }

  async #wait(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }

  async #resetByTime(plan: ScatterPlan, active: ActiveRule): Promise<void> {
    const random = plan.random;
    while (!active.over && !this.#stop.signal.aborted) {
      await this.#wait((-Math.log(1 - random.next()) * 1000) / (plan.perSecond ?? 6));
      if (active.over || this.#stop.signal.aborted || this.#links.size === 0) continue;
      random.pick([...this.#links]).reset();
      active.fire();
    }
  }
}

/** One rule and how far it has come. */
export class ActiveRule implements Injection {
  readonly done: Promise<void>;
  readonly #rule: FaultRule;
  #resolve: () => void = () => {};
  #matched = 0;
  /** Hits given out; `fired` counts those carried out. */
  #hits = 0;
  #fired = 0;
  #cancelled = false;

  constructor(rule: FaultRule) {
    this.#rule = rule;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  get fired(): number {
    return this.#fired;
  }

  get fault(): Fault {
    return this.#rule.fault;
  }

  get over(): boolean {
    return this.#cancelled || this.#fired >= (this.#rule.times ?? 1);
  }

  /** Counts a request; true when this one is to be hit. */
  counts(request: SeenRequest): boolean {
    const { api, where, after = 0, every = 1, times = 1 } = this.#rule;
    if (this.#cancelled || this.#hits >= times || request.api !== api || where?.(request) === false) return false;
    this.#matched++;
    if (this.#matched <= after || (this.#matched - after - 1) % every !== 0) return false;
    this.#hits++;
    return true;
  }

  fire(): void {
    this.#fired++;
    if (this.over) this.#resolve();
  }

  /** A hit that could not be carried out, since the connection ended by itself first: another request will have it. */
  missed(): void {
    this.#hits--;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#resolve();
  }
}

/** Hits a Produce request after each random gap, each time with a kind of cut drawn for it. */
function scatterRule(plan: ScatterPlan, gap: { from: number; to: number }): FaultRule {
  const kinds: readonly Fault[] = [
    { do: 'cut_before' },
    { do: 'cut_middle' },
    { do: 'cut_after' },
    { do: 'swallow', connection: 'cut' },
  ];
  let left = plan.random.between(gap.from, gap.to);
  return {
    api: 'Produce',
    times: plan.times,
    where() {
      if (--left > 0) return false;
      left = plan.random.between(gap.from, gap.to);
      return true;
    },
    get fault() {
      return plan.random.pick(kinds);
    },
  };
}
