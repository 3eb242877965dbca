/**
 * One run of a table sync: records in the source's order → messages → outcomes → checkpoint.
 *
 * A batch of records is safe when every one of them and of all batches before it has its outcome; only then its position
 * and counts are saved (Promise 2). What is handed in and not yet covered by a saved checkpoint is bounded: that is all
 * that a kill -9 can make arrive twice (Promise 5).
 */
import type { Clock } from '../base/clock.ts';
import { failpoint } from '../base/failpoint.ts';
import { SafePosition } from '../delivery/index.ts';
import {
  emptyCounts,
  HeadraceError,
  type Counts,
  type DeadLetter,
  type Held,
  type JsonValue,
  type RecordBatch,
  type RunFacts,
} from '../model/index.ts';
import type { TableReader } from '../sources/ports.ts';
import type { OpenDestination } from './destinations.ts';
import type { Flow } from './flows.ts';
import type { DeadLetterSink, RunStore, SyncObserver } from './ports.ts';
import { RejectionMeter } from './rejection-meter.ts';
import { RunBatch } from './run-batch.ts';

export interface TableRunTools {
  readonly runs: RunStore;
  readonly deadLetters: DeadLetterSink;
  readonly observer: SyncObserver;
  readonly clock: Clock;
  /** The sync and its destination as they are now: asked anew for every batch, so that a change takes effect between records. */
  current(): { flow: Flow; destination: OpenDestination };
}

/** Records handed in beyond the last saved checkpoint: what may arrive twice after a kill -9. */
const UNSAVED_RECORDS = 20_000;
const UNSAVED_BYTES = 16 * 1024 * 1024;
/** Checkpoints are not saved more often than this while records flow. */
const SAVE_EVERY_MS = 25;
/** How long messages that were handed in may take once the run is to stop. */
const STOP_GRACE_MS = 5_000;
/** How long one send may take after that. */
const UNDER_WAY_GRACE_MS = 1_500;

interface Safe {
  readonly position: JsonValue;
  readonly counts: Counts;
  readonly bytes: number;
}

/** One reading from a safe position. A run has one, and one more each time messages come back unsent. */
class Pass {
  readonly safe = new SafePosition<Safe>();
  /** Aborted when the reading must begin again from the safe position. */
  readonly over = new AbortController();
  /** Handed in, and not covered by a saved checkpoint. */
  unsavedRecords = 0;
  unsavedBytes = 0;
  /** Messages without an answer. */
  underWay = 0;
}

export class TableRun {
  readonly #tools: TableRunTools;
  readonly #reader: TableReader;
  readonly #broken = new AbortController();
  /** Told to stop, or broken. */
  readonly #halt: AbortSignal;
  #pass = new Pass();
  readonly #saved: Counts;
  #run: RunFacts;
  #position: JsonValue;
  #dirty = false;
  #saving: Promise<void> | null = null;
  /** Where the last batch went. */
  #destination: OpenDestination | null = null;
  /** The sync as it was for the last batch. */
  #flow: Flow | null = null;
  #readAll = false;
  #wake: (() => void) | null = null;
  #problem: HeadraceError | null = null;
  #lastSettledMs: number;
  #letters: { letter: DeadLetter; stored: () => void }[] = [];
  #storing = false;
  /** Of this execution: a run that is taken up is judged anew. */
  readonly #meter: RejectionMeter;

  constructor(run: RunFacts, reader: TableReader, stop: AbortSignal, tools: TableRunTools) {
    this.#run = run;
    this.#reader = reader;
    this.#halt = AbortSignal.any([stop, this.#broken.signal]);
    this.#halt.addEventListener('abort', () => this.#wake?.(), { once: true });
    this.#tools = tools;
    this.#meter = new RejectionMeter(tools.clock);
    this.#saved = { ...run.counts };
    this.#position = run.checkpoint;
    this.#lastSettledMs = tools.clock.monotonic();
  }

  /** Facts as of the last safe position. */
  get facts(): RunFacts {
    return { ...this.#run, counts: { ...this.#saved }, checkpoint: this.#position };
  }

  /** Why its messages wait, while they do. */
  get waits(): string | null {
    return this.#flow?.held?.reason ?? null;
  }

  /** Runs to the end, to the stop signal or to the first thing that makes going on pointless. Never rejects. */
  async execute(): Promise<RunFacts> {
    const { runs, observer } = this.#tools;
    observer.runStarted(this.facts);
    const stopWatch = this.#watchDelivery();
    try {
      do await this.#read();
      while (this.#pass.over.signal.aborted && !this.#halt.aborted);
    } catch (error) {
      this.#fail(asHeadraceError(error));
    } finally {
      stopWatch();
    }
    await this.#giveUpRest();
    await this.#saving?.catch(() => undefined);
    if (this.#flow !== null) this.#flow.held = null;
    const state = this.#endState();
    const error =
      this.#problem === null
        ? null
        : {
            code: this.#problem.code,
            message: this.#problem.message,
            ...(this.#problem.remedy === undefined ? {} : { remedy: this.#problem.remedy }),
          };
    failpoint('run-end.before');
    const ended = await runs
      .finish(this.#run.id, { state, counts: this.#saved, error, checkpoint: this.#position })
      .catch((cause: unknown) => ({
        ...this.facts,
        state: 'failed' as const,
        error: { code: 'internal' as const, message: `the end of the run could not be stored: ${String(cause)}` },
      }));
    observer.runEnded(ended);
    return ended;
  }

  /** One pass: everything from the safe position on. */
  async #read(): Promise<void> {
    const pass = new Pass();
    this.#pass = pass;
    const signal = AbortSignal.any([this.#halt, pass.over.signal]);
    for await (const batch of this.#reader.batches(this.#position, signal)) {
      await this.#room(signal);
      const ready = await this.#ready(pass, signal);
      if (ready === null) break;
      this.#hand(pass, batch, ready.flow, ready.destination);
    }
    this.#readAll = !signal.aborted;
    while (pass.safe.open > 0 && !signal.aborted) await this.#nextStep();
  }

  /**
   * Messages came back unsent, or never got an answer, because their destination was replaced. Nothing later has been
   * handed to its successor yet, so that order is kept when the reading begins again from the safe position (Promise 3).
   */
  #rewind(pass: Pass): void {
    if (pass !== this.#pass || this.#halt.aborted) return;
    pass.over.abort();
    this.#wake?.();
  }

  #endState(): 'succeeded' | 'failed' | 'cancelled' {
    if (this.#problem !== null) return 'failed';
    return this.#readAll && this.#pass.safe.open === 0 ? 'succeeded' : 'cancelled';
  }

  #hand(pass: Pass, batch: RecordBatch, flow: Flow, destination: OpenDestination): void {
    this.#destination = destination;
    this.#flow = flow;
    const records = batch.records.length + batch.rejections.length;
    const safe: Safe = { position: batch.position, counts: emptyCounts(), bytes: batch.bytes };
    safe.counts.read = records;
    pass.unsavedRecords += records;
    this.#meter.read(records);
    pass.unsavedBytes += batch.bytes;
    const settle = pass.safe.add(safe, records);
    const settled = (): void => {
      const nowSafe = settle();
      // What an earlier pass still answers was read again since.
      if (pass === this.#pass && !pass.over.signal.aborted) this.#settled(pass, nowSafe);
    };
    const { startedAt, id } = this.#run;
    const context = {
      sync: flow.sync.name,
      source: flow.sync.source,
      syncedAt: startedAt,
      syncedAtMs: Date.parse(startedAt),
      run: id,
    };
    const owner = new RunBatch(batch, safe.counts, flow, id, context, {
      settle: settled,
      keep: (letter, stored) => this.#keep(letter, stored),
      underWay: (change) => (pass.underWay += change),
      withdrawn: () => this.#rewind(pass),
      held: (held) => this.#held(held, flow),
      done: (counts) => {
        addTo(flow.counts, counts);
        this.#tools.observer.settled(flow.sync.name, counts);
      },
    });
    owner.hand(destination.delivery);
    if (records === 0) settled();
  }

  /** The sync as it is now, once its destination has room and nothing is under way under older settings; null when halted. */
  async #ready(pass: Pass, signal: AbortSignal): Promise<{ flow: Flow; destination: OpenDestination } | null> {
    while (!signal.aborted) {
      const { flow, destination } = this.#tools.current();
      if (destination.predecessor !== null) await Promise.race([destination.predecessor, this.#nextStep()]);
      else if (this.#wasReplaced(destination) && pass.underWay > 0) this.#rewind(pass);
      else if (destination.delivery.full) await Promise.race([destination.delivery.whenRoom(), this.#nextStep()]);
      else return { flow, destination };
    }
    return null;
  }

  #wasReplaced(destination: OpenDestination): boolean {
    return this.#destination !== null && this.#destination.delivery !== destination.delivery;
  }

  /** Waits while too much is handed in beyond the last checkpoint. */
  async #room(signal: AbortSignal): Promise<void> {
    while (
      (this.#pass.unsavedRecords > UNSAVED_RECORDS || this.#pass.unsavedBytes > UNSAVED_BYTES) &&
      !signal.aborted
    ) {
      await this.#nextStep();
    }
  }

  /**
   * Resolves at the next step forward, or when the run is halted. A fresh promise each time: racing against one that lives
   * as long as the run would keep every loser in memory.
   */
  #nextStep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#halt.aborted) resolve();
    });
  }

  #settled(pass: Pass, nowSafe: readonly Safe[]): void {
    this.#lastSettledMs = this.#tools.clock.monotonic();
    if (nowSafe.length === 0) return;
    for (const { position, counts, bytes } of nowSafe) {
      this.#position = position;
      pass.unsavedRecords -= counts.read;
      pass.unsavedBytes -= bytes;
      addTo(this.#saved, counts);
    }
    this.#dirty = true;
    this.#saving ??= this.#save();
  }

  /** Saves until nothing new is safe. One save at a time; the newest position wins. */
  async #save(): Promise<void> {
    const { runs, clock } = this.#tools;
    try {
      while (this.#dirty && this.#problem === null) {
        this.#dirty = false;
        failpoint('checkpoint.before');
        await runs.saveCheckpoint(this.#run.id, this.#position, { ...this.#saved });
        failpoint('checkpoint.after');
        this.#wake?.();
        if (this.#pass.safe.open > 0) await clock.sleep(SAVE_EVERY_MS);
      }
    } catch (error) {
      this.#fail(asHeadraceError(error));
    } finally {
      this.#saving = null;
      this.#wake?.();
    }
  }

  /** A rejection counts as its record's outcome once it is stored. */
  #keep(letter: DeadLetter, stored: () => void): void {
    this.#letters.push({ letter, stored });
    const tooMany = this.#meter.rejected(this.#flow?.sync.maxRejected);
    if (tooMany !== null) this.#fail(tooMany);
    if (!this.#storing) void this.#store();
  }

  async #store(): Promise<void> {
    this.#storing = true;
    try {
      while (this.#letters.length > 0) {
        const letters = this.#letters;
        this.#letters = [];
        await this.#tools.deadLetters.add(letters.map((one) => one.letter));
        for (const { stored } of letters) stored();
      }
    } catch (error) {
      this.#fail(asHeadraceError(error));
    } finally {
      this.#storing = false;
    }
  }

  /**
   * When stopped: what was handed in gets a little time, so that nothing is sent twice when the run is taken up; after a
   * failure, and when the time is over, what is in no send yet is taken back.
   */
  async #giveUpRest(): Promise<void> {
    // Kafka is well where it is the rows that are at fault.
    const kafkaIsWell = this.#problem === null || this.#problem.code === 'too_many_rejected';
    if (kafkaIsWell) await this.#untilAnswered(STOP_GRACE_MS);
    if (this.#pass.underWay === 0) return;
    this.#destination?.delivery.withdraw((owner) => owner instanceof RunBatch && owner.run === this.#run.id);
    await this.#untilAnswered(UNDER_WAY_GRACE_MS);
  }

  async #untilAnswered(graceMs: number): Promise<void> {
    const { clock } = this.#tools;
    const deadline = clock.monotonic() + graceMs;
    while ((this.#pass.underWay > 0 || this.#storing) && clock.monotonic() < deadline) await clock.sleep(10);
  }

  #held(held: Held | null, flow: Flow): void {
    // Every batch under way hears it; it is told on once for each change.
    if (flow.held?.reason !== held?.reason)
      this.#tools.observer.held(flow.sync.name, held?.reason ?? null, held?.remedy ?? null);
    flow.held = held;
    if (held === null || held.action === 'wait') return;
    this.#fail(
      new HeadraceError(held.code, held.topic === null ? held.reason : `topic ${held.topic}: ${held.reason}`, {
        remedy: held.remedy,
      }),
    );
  }

  /** Fails the run when nothing gets its outcome for the delivery timeout, though something is under way. */
  #watchDelivery(): () => void {
    const { clock } = this.#tools;
    let cancel = (): void => undefined;
    const look = (): void => {
      cancel = clock.after(500, look);
      if (this.#pass.underWay === 0 || this.#destination === null) this.#lastSettledMs = clock.monotonic();
      if (this.#pass.underWay > 0 && this.#orphaned()) this.#rewind(this.#pass);
      const { deliveryTimeoutMs } = this.#destination?.config.producer ?? { deliveryTimeoutMs: Infinity };
      if (clock.monotonic() - this.#lastSettledMs < deliveryTimeoutMs) return;
      this.#fail(
        new HeadraceError('delivery_timeout', `Kafka gave no answer for ${deliveryTimeoutMs} ms.`, {
          remedy: 'Check that the brokers run and can be reached; run it again: it goes on where it stopped.',
        }),
      );
    };
    cancel = clock.after(500, look);
    return () => cancel();
  }

  /** The destination that has our messages is closed, and its successor is open: they will have no answer any more. */
  #orphaned(): boolean {
    try {
      const { destination } = this.#tools.current();
      return destination.predecessor === null && this.#wasReplaced(destination);
    } catch {
      return false; // the sync is gone or switched off: the next batch says so
    }
  }

  #fail(error: HeadraceError): void {
    this.#problem ??= error;
    this.#broken.abort();
    this.#wake?.();
  }
}

function addTo(sum: Counts, counts: Counts): void {
  for (const name of Object.keys(counts) as (keyof Counts)[]) sum[name] = (sum[name] ?? 0) + (counts[name] ?? 0);
}

function asHeadraceError(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  return new HeadraceError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
