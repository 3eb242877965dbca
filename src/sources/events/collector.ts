/** The collector: takes events over HTTP, and answers 200 only when they are safe. */
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { randomId } from '../../base/random.ts';
import type { ErrorCode, EventsSourceConfig, SourceRecord } from '../../model/index.ts';
import type { EventIntake, IntakeAnswer } from '../ports.ts';
import { createAddressOf } from './address.ts';
import type { AddressOf } from './address.ts';
import { answerBatch, answerPreflight, answerRefusal, answerSingle } from './answers.ts';
import type { Refusal } from './answers.ts';
import { eventTooLarge } from './batch.ts';
import type { RejectedEvent } from './batch.ts';
import { Uploads, decompress, encodingOf } from './body.ts';
import type { BodyReceiver, Encoding } from './body.ts';
import { isFault } from './event.ts';
import type { EventFault } from './event.ts';
import { openBody } from './open-body.ts';
import type { OpenBody } from './open-body.ts';
import { refusals } from './refusals.ts';
import { routeOf } from './routes.ts';
import type { Route } from './routes.ts';
import { sourceOfHead } from './write-keys.ts';
import type { WriteKeys } from './write-keys.ts';

export interface CollectorOptions {
  readonly intake: EventIntake;
  /** The write keys of now; asked at each request, so that a new configuration counts from the next one on. */
  readonly sources: () => WriteKeys;
  readonly clock: Clock;
  readonly observer?: CollectorObserver;
  /** Addresses or CIDR ranges of proxies whose `X-Forwarded-For` is believed; none by default. */
  readonly trustedProxies?: readonly string[];
  /** Bytes of unfinished uploads in memory; beyond, the oldest is given up. Default 32 MiB. */
  readonly maxUploadBytes?: number;
  /** Bytes of requests that wait for the intake; beyond, new ones are answered 429. Default 64 MiB. */
  readonly maxWaitingBytes?: number;
}

/** Told of every answer, for metrics and logs. Must not throw. */
export interface CollectorObserver {
  answered(answer: ObservedAnswer): void;
}

export interface ObservedAnswer {
  /** null: no source, because no write key was recognised. */
  readonly source: string | null;
  readonly status: number;
  /** null on success. */
  readonly code: ErrorCode | null;
  readonly accepted: number;
  readonly rejected: number;
  /** From the request's head to the answer. */
  readonly durationMs: number;
  /** What was thrown where nothing should be: for the log, the sender is not told. null: nothing was. */
  readonly fault: unknown;
}

export interface Collector {
  /** Takes the request if its path is the collector's; false: it is somebody else's, and nothing was done. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Settings of the `node:http` server in front: slow and silent clients are cut off (F24). Milliseconds. */
export const serverOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Longer than the idle time of the usual load balancers, which else send into a connection just closed. */
  keepAliveTimeout: 72_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
  noDelay: true,
} as const satisfies ServerOptions;

/** For `server.maxConnections`: more are closed at once, before they cost memory. */
export const maxConnections = 10_000;

export function createCollector(options: CollectorOptions): Collector {
  const shared: Shared = {
    intake: options.intake,
    sources: options.sources,
    clock: options.clock,
    observer: options.observer ?? null,
    addressOf: createAddressOf(options.trustedProxies ?? []),
    uploads: new Uploads(options.maxUploadBytes ?? 32 * 1024 * 1024),
    maxWaitingBytes: options.maxWaitingBytes ?? 64 * 1024 * 1024,
    waitingBytes: 0,
  };
  return {
    handle(request, response) {
      const route = routeOf(request.url ?? '');
      if (route === undefined) return false;
      if (request.method === 'OPTIONS') answerPreflight(request, response);
      else if (request.method !== 'POST') answerRefusal(request, response, refusals.wrongMethod);
      else if (route.kind === 'metrics') answerSingle(request, response, null);
      else new Exchange(shared, request, response, route).begin();
      return true;
    },
  };
}

interface Shared {
  readonly intake: EventIntake;
  readonly sources: () => WriteKeys;
  readonly clock: Clock;
  readonly observer: CollectorObserver | null;
  readonly addressOf: AddressOf;
  readonly uploads: Uploads;
  readonly maxWaitingBytes: number;
  waitingBytes: number;
}

/** What a request holds beside its body: its own objects, and those of its answer. */
const requestBytes = 4096;

/** One request and its answer. */
class Exchange implements BodyReceiver {
  readonly #shared: Shared;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #route: Exclude<Route, { kind: 'metrics' }>;
  readonly #startedMs: number;
  #source: EventsSourceConfig | null = null;
  #limitBytes = 0;
  #encoding: Encoding = 'identity';
  /** Set where the sender gave a single event no id. */
  #newMessageId: string | null = null;
  #accepted = 0;
  #rejected: readonly RejectedEvent[] = [];
  #heldBytes = 0;

  constructor(
    shared: Shared,
    request: IncomingMessage,
    response: ServerResponse,
    route: Exclude<Route, { kind: 'metrics' }>,
  ) {
    this.#shared = shared;
    this.#request = request;
    this.#response = response;
    this.#route = route;
    this.#startedMs = shared.clock.monotonic();
  }

  /** What the head can tell is told before the body is read. */
  begin(): void {
    if (this.#shared.intake.draining) return this.#refuse(refusals.draining);
    const keys = this.#shared.sources();
    const named = sourceOfHead(keys, this.#request, this.#route.kind === 'batch' && this.#route.keyInQuery);
    if (named.state === 'unknown') return this.#refuse(refusals.unknownKey);
    if (named.state === 'found' && !this.#identify(named.source)) return;
    const encoding = encodingOf(this.#request.headers['content-encoding']);
    if (encoding === null) return this.#refuse(refusals.unknownEncoding);
    this.#encoding = encoding;
    this.#limitBytes = this.#limitOf(this.#source ?? keys);
    this.#shared.uploads.read(this.#request, this.#limitBytes, this);
  }

  bodyArrived(body: Buffer): void {
    try {
      this.#take(body);
    } catch (error) {
      this.#fail(error);
    }
  }

  bodyTooLarge(): void {
    this.#refuse(this.#tooLarge());
  }

  bodyEvicted(): void {
    this.#refuse(refusals.tooManyUploads);
  }

  #take(compressed: Buffer): void {
    const body = decompress(compressed, this.#encoding, this.#limitBytes);
    if (body === 'too_large') return this.#refuse(this.#tooLarge());
    if (body === 'unreadable') return this.#refuse(refusals.wrongEncoding(this.#encoding));
    const keys = this.#shared.sources();
    const opened = openBody(body, this.#route.kind, (this.#source ?? keys).maxBatchEvents);
    if ('code' in opened) return this.#refuse({ status: 400, ...opened });
    if (this.#source === null) {
      if (opened.writeKey === null) return this.#refuse(refusals.noKey);
      if (!this.#identify(keys.find(opened.writeKey))) return;
    }
    const source = this.#source!;
    this.#limitBytes = this.#limitOf(source);
    if (body.length > this.#limitBytes) return this.#refuse(this.#tooLarge());
    const records = this.#complete(opened, source);
    if (records !== null) this.#handOver(source, records, body.length);
  }

  /** The records of the body, or null where it has been refused. */
  #complete(opened: OpenBody, source: EventsSourceConfig): readonly SourceRecord[] | null {
    const receivedAtMs = this.#shared.clock.now();
    const ip = this.#shared.addressOf(this.#request);
    if (this.#route.kind === 'batch') {
      const batch = opened.batch(source, { receivedAtMs, ip, newMessageId: randomId });
      if ('code' in batch) return this.#refuseEvent(batch);
      this.#rejected = batch.rejected;
      return batch.records;
    }
    const newMessageId = (): string => (this.#newMessageId = randomId());
    const record = opened.single(this.#route.type, { receivedAtMs, ip, newMessageId });
    return isFault(record) ? this.#refuseEvent(record) : [record];
  }

  #handOver(source: EventsSourceConfig, records: readonly SourceRecord[], bodyBytes: number): void {
    this.#accepted = records.length;
    if (records.length === 0) return this.#succeed();
    const { intake } = this.#shared;
    if (intake.draining) return this.#refuse(refusals.draining);
    // Promise 9: what waits for Kafka is bounded, however many senders there are.
    const heldBytes = bodyBytes + requestBytes;
    const { waitingBytes, maxWaitingBytes } = this.#shared;
    if (waitingBytes > 0 && waitingBytes + heldBytes > maxWaitingBytes) return this.#refuse(refusals.tooManyWaiting);
    this.#shared.waitingBytes += heldBytes;
    this.#heldBytes = heldBytes;
    intake.accept(source.name, records).then(
      (answer) => this.#settle(answer),
      (error: unknown) => this.#fail(error),
    );
  }

  // Promise 1: the only way to a 200 for an event is the intake's word that it is safe.
  #settle(answer: IntakeAnswer): void {
    if (answer.state === 'safe') this.#succeed();
    else this.#refuse(refusals.unavailable(answer.reason, answer.retryAfterSeconds));
  }

  #identify(source: EventsSourceConfig | undefined): boolean {
    if (source === undefined) {
      this.#refuse(refusals.unknownKey);
      return false;
    }
    this.#source = source;
    if (!source.enabled) this.#refuse(refusals.disabled);
    return source.enabled;
  }

  #limitOf(limits: { readonly maxEventBytes: number; readonly maxBatchBytes: number }): number {
    return this.#route.kind === 'single' ? limits.maxEventBytes : limits.maxBatchBytes;
  }

  #tooLarge(): Refusal {
    return this.#route.kind === 'single'
      ? { status: 400, ...eventTooLarge(this.#limitBytes) }
      : refusals.batchTooLarge(this.#limitBytes);
  }

  #succeed(): void {
    if (this.#route.kind === 'batch') answerBatch(this.#request, this.#response, this.#rejected);
    else answerSingle(this.#request, this.#response, this.#newMessageId);
    this.#answered(200, null);
  }

  #refuseEvent(fault: EventFault): null {
    this.#refuse({ status: 400, ...fault });
    return null;
  }

  #refuse(refusal: Refusal): void {
    answerRefusal(this.#request, this.#response, refusal);
    this.#answered(refusal.status, refusal.code);
  }

  #fail(error: unknown): void {
    answerRefusal(this.#request, this.#response, refusals.fault);
    this.#answered(refusals.fault.status, refusals.fault.code, error);
  }

  #answered(status: number, code: ErrorCode | null, fault: unknown = null): void {
    this.#shared.waitingBytes -= this.#heldBytes;
    this.#heldBytes = 0;
    this.#shared.observer?.answered({
      source: this.#source?.name ?? null,
      status,
      code,
      accepted: code === null ? this.#accepted : 0,
      rejected: this.#rejected.length,
      durationMs: this.#shared.clock.monotonic() - this.#startedMs,
      fault,
    });
  }
}
