/** One connection through the proxy: requests go one way and answers the other, each frame in its turn. */
import { connect, type Socket } from 'node:net';
import { capVersions, frames, requestHeader, rewriteBrokers, type RequestHeader } from './kafka-frames.ts';
import type { ActiveRule, BrokerEndpoint, Fault, SeenRequest } from './proxy.ts';

/** What a connection asks of its proxy. */
export interface LinkHost {
  /** Counts a request and says what is to happen to it. */
  seen(header: RequestHeader, frame: Buffer): { request: SeenRequest; hit: ActiveRule | null };
  /** Resolves when the proxy is not frozen. */
  open(): Promise<void>;
  write(socket: Socket, bytes: Buffer): Promise<void>;
  wait(ms: number): Promise<void>;
  latency(): Promise<void>;
  advertised(host: string, port: number): BrokerEndpoint;
  readonly caps: Readonly<Record<string, number>>;
}

interface Awaited {
  readonly header: RequestHeader;
  readonly hit: ActiveRule | null;
  readonly fault: Fault | null;
}

export class Link {
  readonly ended: Promise<void>;
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #host: LinkHost;
  readonly #awaited = new Map<number, Awaited>();
  #silent = false;

  constructor(client: Socket, target: BrokerEndpoint, host: LinkHost) {
    this.#client = client;
    this.#host = host;
    this.#broker = connect({ ...target, noDelay: true });
    this.#broker.on('error', () => {});
    // Either end gone means the other is told, except on a silent connection, whose client must not notice.
    const requests = this.#requests().catch(() => this.#broker.destroy());
    const answers = this.#answers().catch(() => {
      if (!this.#silent) this.#client.resetAndDestroy();
    });
    this.ended = Promise.all([requests, answers, closed(this.#client), closed(this.#broker)]).then(() => {
      for (const { hit } of this.#awaited.values()) hit?.missed();
    });
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#broker.resetAndDestroy();
  }

  destroy(): void {
    this.#client.destroy();
    this.#broker.destroy();
  }

  halfOpen(): void {
    this.#silent = true;
    this.#broker.resetAndDestroy();
  }

  async #requests(): Promise<void> {
    for await (const frame of frames(this.#client)) {
      if (this.#silent) continue;
      const header = requestHeader(frame);
      const { request, hit } = this.#host.seen(header, frame);
      await this.#host.open();
      // Read once: a scattering rule draws a kind of fault at each reading.
      const fault = hit?.fault ?? null;
      if (!request.unanswered) this.#awaited.set(header.correlationId, { header, hit, fault });
      if (fault === null || !(await this.#breaks(fault, frame))) await this.#host.write(this.#broker, frame);
      if (fault !== null && breaksAtOnce(fault)) {
        this.#awaited.delete(header.correlationId);
        hit?.fire();
      }
      if (fault?.do === 'cut_after') this.reset();
    }
    if (!this.#silent) this.#broker.end();
  }

  /** Carries out a fault that keeps the request from going out whole; false when it is to go out. */
  async #breaks(fault: Fault, frame: Buffer): Promise<boolean> {
    if (fault.do === 'half_open') this.halfOpen();
    else if (fault.do === 'cut_before') this.reset();
    else if (fault.do === 'cut_middle') {
      await this.#host.write(this.#broker, frame.subarray(0, frame.length >> 1));
      this.reset();
    } else return false;
    return true;
  }

  async #answers(): Promise<void> {
    for await (const frame of arriving(frames(this.#broker), () => this.#host.latency())) {
      const correlationId = frame.readInt32BE(4);
      const awaited = this.#awaited.get(correlationId);
      if (awaited === undefined) throw new Error(`an answer to no request: ${correlationId}`);
      this.#awaited.delete(correlationId);
      await this.#host.open();
      if (this.#silent) continue;
      if (awaited.fault?.do === 'swallow') {
        awaited.hit?.fire();
        if (awaited.fault.connection === 'cut') this.reset();
        continue;
      }
      if (awaited.fault?.do === 'delay') {
        await this.#host.wait(awaited.fault.ms);
        awaited.hit?.fire();
      }
      await this.#host.write(this.#client, this.#outward(frame, awaited.header));
    }
    if (!this.#silent) this.#client.end();
  }

  #outward(frame: Buffer, header: RequestHeader): Buffer {
    if (header.api === 'ApiVersions') capVersions(frame, header.version, this.#host.caps);
    if (header.api !== 'Metadata') return frame;
    return rewriteBrokers(frame, header.version, (host, port) => this.#host.advertised(host, port));
  }
}

/** Each frame once its way is over, which begins when it arrives here: the way is long, not narrow. */
async function* arriving(source: AsyncIterable<Buffer>, way: () => Promise<void>): AsyncGenerator<Buffer> {
  const underWay: { frame: Buffer; over: Promise<void> }[] = [];
  let wake = (): void => {};
  let ended = false;
  const reading = (async () => {
    try {
      for await (const frame of source) {
        underWay.push({ frame, over: way() });
        wake();
      }
    } finally {
      ended = true;
      wake();
    }
  })();
  reading.catch(() => {}); // thrown on below
  for (;;) {
    const next = underWay.shift();
    if (next !== undefined) {
      await next.over;
      yield next.frame;
    } else if (ended) {
      await reading;
      return;
    } else await new Promise<void>((resolve) => (wake = resolve));
  }
}

/** Whether the fault is carried out with the request; the others wait for the answer. */
function breaksAtOnce(fault: Fault): boolean {
  return fault.do !== 'swallow' && fault.do !== 'delay';
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
