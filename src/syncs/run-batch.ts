/** One batch of records of a run on its way to Kafka: maps, hands in, counts, keeps what is rejected. */
import type { Delivery } from '../delivery/index.ts';
import type { MessageOwner } from '../delivery/ports.ts';
import type { MappingContext } from '../mapping/index.ts';
import type { Counts, DeadLetter, Held, Message, Outcome, RecordBatch, Rejection } from '../model/index.ts';
import type { Flow } from './flows.ts';
import { letterOf } from './letters.ts';

export interface RunBatchTools {
  /** One record has its outcome. */
  settle(): void;
  /** Stores a rejection; `stored` is called when it is durable. */
  keep(letter: DeadLetter, stored: () => void): void;
  /** Messages handed in (+) or answered, also as withdrawn (-). */
  underWay(change: number): void;
  held(held: Held | null): void;
  /** A message was taken back: its record has no outcome and must be read again. */
  withdrawn(): void;
  /** All records of the batch have their outcome. */
  done(counts: Counts): void;
}

export class RunBatch implements MessageOwner {
  readonly run: string;
  readonly #batch: RecordBatch;
  readonly #counts: Counts;
  readonly #flow: Flow;
  readonly #context: MappingContext;
  readonly #tools: RunBatchTools;
  #open: number;

  constructor(
    batch: RecordBatch,
    counts: Counts,
    flow: Flow,
    run: string,
    context: MappingContext,
    tools: RunBatchTools,
  ) {
    this.run = run;
    this.#batch = batch;
    this.#counts = counts;
    this.#flow = flow;
    this.#context = context;
    this.#tools = tools;
    this.#open = batch.records.length + batch.rejections.length;
  }

  /** Maps every record and hands its message in, in the source's order. */
  hand(delivery: Delivery): void {
    const { mapping, options, passes } = this.#flow;
    const { records, rejections } = this.#batch;
    for (const { position, outcome, raw } of rejections) this.#reject({ position, bytes: raw }, null, outcome);
    for (let index = 0; index < records.length; index++) {
      if (passes !== null && !passes(records[index]!)) {
        this.#counts.filtered++;
        this.#settle();
        continue;
      }
      const mapped = mapping.map(records[index]!, this.#context);
      if ('state' in mapped) {
        this.#reject(records[index]!, null, mapped);
        continue;
      }
      if (mapped.flaws !== undefined) this.#counts.flawed = (this.#counts.flawed ?? 0) + 1;
      this.#tools.underWay(1);
      delivery.accept(mapped, this, index, options);
    }
  }

  settled(index: number, outcome: Outcome): void {
    this.#tools.underWay(-1);
    if (outcome.state === 'delivered') {
      this.#counts.delivered++;
      this.#settle();
    } else if (outcome.state === 'rejected') {
      const record = this.#batch.records[index]!;
      // Mapping is pure: the same record gives the same message again.
      const mapped = this.#flow.mapping.map(record, this.#context);
      this.#reject(record, 'state' in mapped ? null : mapped, outcome);
    } else if (outcome.state === 'withdrawn') {
      // Its record stays open, so that nothing after it becomes safe.
      this.#tools.withdrawn();
    }
  }

  held(held: Held | null): void {
    this.#tools.held(held);
  }

  #reject(record: Parameters<typeof letterOf>[2], message: Message | null, rejection: Rejection): void {
    this.#tools.keep(letterOf(this.#flow.sync.name, this.run, record, message, rejection), () => {
      this.#counts.rejected++;
      this.#settle();
    });
  }

  #settle(): void {
    this.#open--;
    if (this.#open === 0) this.#tools.done(this.#counts);
    this.#tools.settle();
  }
}
