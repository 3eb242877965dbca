/** Metrics in Prometheus' form. Labels are names of the configuration, topics (bounded), codes: never keys or payloads. */
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Clock } from '../base/clock.ts';
import type { Counts } from '../model/index.ts';
import type { BatchAttempted, CollectorAnswered, TelemetryEvent } from './events.ts';
import { SecondsHistogram } from './histogram.ts';

/** What is asked at each scrape. */
export interface Snapshot {
  readonly destinations: readonly {
    readonly name: string;
    readonly pendingMessages: number;
    readonly pendingBytes: number;
    readonly spool?: {
      readonly messages: number;
      readonly bytes: number;
      readonly oldestAgeSeconds: number;
      readonly problem?: string | null;
    } | null;
  }[];
  readonly syncs: readonly { readonly name: string; readonly kind: 'events' | 'table'; readonly counts: Counts }[];
}

/** A computed topic name must not grow the metrics without end: beyond, topics are told together as `other`. */
const MAX_TOPICS = 200;

interface SourceTally {
  accepted: number;
  readonly answers: Map<number, number>;
}

interface TopicTally {
  readonly destination: string;
  readonly topic: string;
  messages: number;
}

export class Metrics {
  readonly #clock: Clock;
  readonly #registry = new Registry();
  readonly #topics = new Set<string>();
  readonly #answerSeconds = new SecondsHistogram(
    'headrace_collector_answer_seconds',
    'From the head of a request to its answer.',
    'source',
  );
  readonly #produceSeconds = new SecondsHistogram(
    'headrace_produce_seconds',
    'One attempt to send one batch.',
    'destination',
  );
  // Counted by hand for each request and each batch, and handed on at the scrape: a counter with labels costs a
  // microsecond each time.
  readonly #sources = new Map<string, SourceTally>();
  readonly #written = new Map<string, TopicTally>();
  readonly #received: Counter<'source'>;
  readonly #refused: Counter<'source' | 'code'>;
  readonly #answers: Counter<'source' | 'status'>;
  readonly #delivered: Counter<'destination' | 'topic'>;
  readonly #retried: Counter<'destination' | 'topic'>;
  readonly #rejected: Counter<'destination' | 'topic'>;
  readonly #pendingMessages: Gauge<'destination'>;
  readonly #pendingBytes: Gauge<'destination'>;
  readonly #spool: Readonly<Record<'messages' | 'bytes' | 'oldestAgeSeconds', Gauge<'destination'>>>;
  readonly #spoolUnusable: Gauge<'destination'>;
  readonly #records: Gauge<'sync' | 'outcome'>;
  readonly #rows: Counter<'sync' | 'outcome'>;
  readonly #runs: Counter<'sync' | 'state'>;
  readonly #lastSuccess: Gauge<'sync'>;
  readonly #held: Gauge<'sync'>;

  constructor(version: string, clock: Clock) {
    this.#clock = clock;
    const registers = [this.#registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
      new Counter({ name: `headrace_${name}`, help, labelNames, registers });
    const gauge = <L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> =>
      new Gauge({ name: `headrace_${name}`, help, labelNames, registers });

    gauge('build_info', 'Always 1; the labels tell the version.', ['version', 'node']).set(
      { version, node: process.version },
      1,
    );
    this.#received = counter('events_received_total', 'Events accepted by the collector.', ['source']);
    this.#refused = counter('events_rejected_total', 'Events or requests the collector refused.', ['source', 'code']);
    this.#answers = counter('collector_answers_total', "The collector's answers by status.", ['source', 'status']);
    this.#delivered = counter('messages_delivered_total', 'Messages that Kafka acknowledged.', [
      'destination',
      'topic',
    ]);
    this.#retried = counter('messages_retried_total', 'Messages in attempts that have to be repeated.', [
      'destination',
      'topic',
    ]);
    this.#rejected = counter('messages_rejected_total', 'Messages in batches that Kafka refused.', [
      'destination',
      'topic',
    ]);
    this.#pendingMessages = gauge('pending_messages', 'Messages without an outcome yet.', ['destination']);
    this.#pendingBytes = gauge('pending_bytes', 'Bytes of messages without an outcome yet.', ['destination']);
    this.#spool = {
      messages: gauge('spool_messages', 'Messages on the disk that are not delivered yet.', ['destination']),
      bytes: gauge('spool_bytes', 'Bytes of the spool on the disk.', ['destination']),
      oldestAgeSeconds: gauge('spool_oldest_age_seconds', 'How long the oldest spooled message has waited.', [
        'destination',
      ]),
    };
    this.#spoolUnusable = gauge('spool_unusable', '1 while the spool cannot be opened, so that events are refused.', [
      'destination',
    ]);
    this.#records = gauge('sync_records', 'Records of each sync by outcome since the start.', ['sync', 'outcome']);
    this.#rows = counter('run_rows_total', 'Rows of runs by outcome.', ['sync', 'outcome']);
    this.#runs = counter('runs_total', 'Runs by end state.', ['sync', 'state']);
    this.#lastSuccess = gauge('sync_last_success_timestamp_seconds', 'When a run last succeeded.', ['sync']);
    this.#held = gauge('sync_held', '1 while messages of the sync have to wait.', ['sync']);
    collectDefaultMetrics({ register: this.#registry });
  }

  count(event: TelemetryEvent): void {
    switch (event.kind) {
      case 'collector_answered':
        return this.#collector(event);
      case 'batch_attempted':
        return this.#attempt(event);
      case 'rows_settled':
        for (const [outcome, count] of Object.entries(event.counts) as [string, number][])
          if (count > 0) this.#rows.inc({ sync: event.sync, outcome }, count);
        return;
      case 'run_ended':
        this.#runs.inc({ sync: event.run.sync, state: event.run.state });
        this.#held.set({ sync: event.run.sync }, 0);
        if (event.run.state === 'succeeded') this.#lastSuccess.set({ sync: event.run.sync }, this.#clock.now() / 1000);
        return;
      case 'held':
        this.#held.set({ sync: event.sync }, event.reason === null ? 0 : 1);
        return;
      // Told in log lines, or counted at the scrape.
      case 'configured':
      case 'crashed':
      case 'draining':
      case 'events_settled':
      case 'left_out':
      case 'request_failed':
      case 'run_started':
      case 'started':
      case 'stopped':
      case 'warned':
        return;
    }
  }

  /** The text of `/metrics`. */
  async text(snapshot: Snapshot): Promise<{ contentType: string; body: string }> {
    this.#pendingMessages.reset();
    this.#pendingBytes.reset();
    for (const of of Object.values(this.#spool)) of.reset();
    this.#spoolUnusable.reset();
    this.#records.reset();
    for (const { name, pendingMessages, pendingBytes, spool } of snapshot.destinations) {
      this.#pendingMessages.set({ destination: name }, pendingMessages);
      this.#pendingBytes.set({ destination: name }, pendingBytes);
      if (spool == null) continue;
      const isUsable = (spool.problem ?? null) === null;
      this.#spoolUnusable.set({ destination: name }, isUsable ? 0 : 1);
      for (const what of ['messages', 'bytes', 'oldestAgeSeconds'] as const)
        // What lies on the disk is not known while it cannot be opened.
        if (isUsable) this.#spool[what].set({ destination: name }, spool[what]);
    }
    for (const { name, counts } of snapshot.syncs)
      for (const [outcome, count] of Object.entries(counts) as [string, number][])
        this.#records.set({ sync: name, outcome }, count);
    this.#handOn();
    const body = [await this.#registry.metrics(), this.#answerSeconds.text(), this.#produceSeconds.text()].join('\n');
    return { contentType: this.#registry.contentType, body };
  }

  #collector({ source, status, code, accepted, rejected, durationMs }: CollectorAnswered): void {
    const name = source ?? '';
    this.#answerSeconds.observe(name, durationMs / 1000);
    let tally = this.#sources.get(name);
    if (tally === undefined) this.#sources.set(name, (tally = { accepted: 0, answers: new Map() }));
    tally.accepted += accepted;
    tally.answers.set(status, (tally.answers.get(status) ?? 0) + 1);
    if (rejected > 0) this.#refused.inc({ source: name, code: 'event_invalid' }, rejected);
    if (code !== null) this.#refused.inc({ source: name, code });
  }

  #attempt({ destination, topic, messages, outcome, tookMs }: BatchAttempted): void {
    this.#produceSeconds.observe(destination, tookMs / 1000);
    const bounded = this.#bounded(topic);
    if (outcome === 'rejected') return this.#rejected.inc({ destination, topic: bounded }, messages);
    if (outcome !== 'written') return this.#retried.inc({ destination, topic: bounded }, messages);
    const place = `${destination} ${bounded}`;
    let tally = this.#written.get(place);
    if (tally === undefined) this.#written.set(place, (tally = { destination, topic: bounded, messages: 0 }));
    tally.messages += messages;
  }

  #handOn(): void {
    for (const [source, tally] of this.#sources) {
      this.#received.inc({ source }, tally.accepted);
      tally.accepted = 0;
      for (const [status, count] of tally.answers) this.#answers.inc({ source, status }, count);
      tally.answers.clear();
    }
    for (const tally of this.#written.values()) {
      const { destination, topic } = tally;
      this.#delivered.inc({ destination, topic }, tally.messages);
      tally.messages = 0;
    }
  }

  #bounded(topic: string): string {
    if (this.#topics.has(topic)) return topic;
    if (this.#topics.size >= MAX_TOPICS) return 'other';
    this.#topics.add(topic);
    return topic;
  }
}
