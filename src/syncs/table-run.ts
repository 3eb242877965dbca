/**
 * One run of a table sync: records in the source's order → messages → outcomes → checkpoint.
 *
 * A batch of records is safe when every one of them and of all batches before it has its outcome; only then its position
 * and counts are saved (Promise 2). What is handed in and not yet covered by a saved checkpoint is bounded: that is all
 * that a kill -9 can make arrive twice (Promise 5).
 */
import type { Clock } from '../base/clock.ts';
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
import type { DeadLetterStore, RunStore, SyncObserver } from './ports.ts';
import { RunBatch } from './run-batch.ts';

export interface TableRunTools {
  readonly runs: RunStore;
  readonly deadLetters: DeadLetterStore;
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

export class TableRun {
  readonly #tools: TableRunTools;
  readonly #reader: TableReader;
  readonly #broken = new AbortController();
  /** Told to stop, or broken. */
  readonly #halt: AbortSignal;
  readonly #safe = new SafePosition<Safe>();
  readonly #saved: Counts;
  #run: RunFacts;
  #position: JsonValue;
  #dirty = false;
  #saving: Promise<void> | null = null;
  #unsavedRecords = 0;
  #unsavedBytes = 0;
  #underWay = 0;
  /** Where the last batch went. */
  #destination: OpenDestination | null = null;
  #readAll = false;
  #wake: (() => void) | null = null;
  #problem: HeadraceError | null = null;
  #lastSettledMs: number;
  #letters: { letter: DeadLetter; stored: () => void }[] = [];
  #storing = false;

  constructor(run: RunFacts, reader: TableReader, stop: AbortSignal, tools: TableRunTools) {
    this.#run = run;
    this.#reader = reader;
    this.#halt = AbortSignal.any([stop, this.#broken.signal]);
    this.#halt.addEventListener('abort', () => this.#wake?.(), { once: true });
    this.#tools = tools;
    this.#saved = { ...run.counts };
    this.#position = run.checkpoint;
    this.#lastSettledMs = tools.clock.monotonic();
  }

  /** Facts as of the last safe position. */
  get facts(): RunFacts {
    return { ...this.#run, counts: { ...this.#saved }, checkpoint: this.#position };
  }

  /** Runs to the end, to the stop signal or to the first thing that makes going on pointless. Never rejects. */
  async execute(): Promise<RunFacts> {
    const { runs, observer } = this.#tools;
    observer.runStarted(this.facts);
    const stopWatch = this.#watchDelivery();
    try {
      const signal = this.#halt;
      for await (const batch of this.#reader.batches(this.#position, signal)) {
        await this.#room(signal);
        const ready = await this.#ready(signal);
        if (ready === null) break;
        this.#hand(batch, ready.flow, ready.destination);
      }
      this.#readAll = !signal.aborted;
      await this.#drain(signal);
    } catch (error) {
      this.#fail(asHeadraceError(error));
    } finally {
      stopWatch();
    }
    await this.#giveUpRest();
    await this.#saving?.catch(() => undefined);
    const state = this.#endState();
    const error =
      this.#problem === null
        ? null
        : {
            code: this.#problem.code,
            message: this.#problem.message,
            ...(this.#problem.remedy === undefined ? {} : { remedy: this.#problem.remedy }),
          };
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

  #endState(): 'succeeded' | 'failed' | 'cancelled' {
    if (this.#problem !== null) return 'failed';
    return this.#readAll && this.#safe.open === 0 ? 'succeeded' : 'cancelled';
  }

  #hand(batch: RecordBatch, flow: Flow, destination: OpenDestination): void {
    this.#destination = destination;
    const records = batch.records.length + batch.rejections.length;
    const safe: Safe = { position: batch.position, counts: emptyCounts(), bytes: batch.bytes };
    safe.counts.read = records;
    this.#unsavedRecords += records;
    this.#unsavedBytes += batch.bytes;
    const settle = this.#safe.add(safe, records);
    const { startedAt, id } = this.#run;
    const context = {
      sync: flow.sync.name,
      source: flow.sync.source,
      syncedAt: startedAt,
      syncedAtMs: Date.parse(startedAt),
      run: id,
    };
    const owner = new RunBatch(batch, safe.counts, flow, id, context, {
      settle: () => this.#settled(settle()),
      keep: (letter, stored) => this.#keep(letter, stored),
      underWay: (change) => (this.#underWay += change),
      held: (held) => this.#held(held, flow),
      done: (counts) => this.#tools.observer.settled(flow.sync.name, counts),
    });
    owner.hand(destination.delivery);
    if (records === 0) this.#settled(settle());
  }

  /** The sync as it is now, once its destination has room and nothing is under way under older settings; null when halted. */
  async #ready(signal: AbortSignal): Promise<{ flow: Flow; destination: OpenDestination } | null> {
    while (!signal.aborted) {
      const { flow, destination } = this.#tools.current();
      if (destination.predecessor !== null) await Promise.race([destination.predecessor, this.#nextStep()]);
      else if (destination.delivery.full) await Promise.race([destination.delivery.whenRoom(), this.#nextStep()]);
      else return { flow, destination };
    }
    return null;
  }

  /** Waits while too much is handed in beyond the last checkpoint. */
  async #room(signal: AbortSignal): Promise<void> {
    while ((this.#unsavedRecords > UNSAVED_RECORDS || this.#unsavedBytes > UNSAVED_BYTES) && !signal.aborted) {
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

  #settled(nowSafe: readonly Safe[]): void {
    this.#lastSettledMs = this.#tools.clock.monotonic();
    if (nowSafe.length === 0) return;
    for (const { position, counts, bytes } of nowSafe) {
      this.#position = position;
      this.#unsavedRecords -= counts.read;
      this.#unsavedBytes -= bytes;
      for (const name of Object.keys(counts) as (keyof Counts)[]) this.#saved[name] += counts[name];
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
        await runs.saveCheckpoint(this.#run.id, this.#position, { ...this.#saved });
        this.#wake?.();
        if (this.#safe.open > 0) await clock.sleep(SAVE_EVERY_MS);
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

  /** Everything handed in has its outcome, or the run is broken or told to stop. */
  async #drain(signal: AbortSignal): Promise<void> {
    while (this.#safe.open > 0 && !signal.aborted) {
      await this.#nextStep();
    }
  }

  /**
   * When stopped: what was handed in gets a little time, so that nothing is sent twice when the run is taken up; after a
   * failure, and when the time is over, what is in no send yet is taken back.
   */
  async #giveUpRest(): Promise<void> {
    if (this.#problem === null) await this.#untilAnswered(STOP_GRACE_MS);
    if (this.#underWay === 0) return;
    this.#destination?.delivery.withdraw((owner) => owner instanceof RunBatch && owner.run === this.#run.id);
    await this.#untilAnswered(UNDER_WAY_GRACE_MS);
  }

  async #untilAnswered(graceMs: number): Promise<void> {
    const { clock } = this.#tools;
    const deadline = clock.monotonic() + graceMs;
    while ((this.#underWay > 0 || this.#storing) && clock.monotonic() < deadline) await clock.sleep(10);
  }

  #held(held: Held | null, flow: Flow): void {
    flow.held = held;
    this.#tools.observer.held(flow.sync.name, held?.reason ?? null, held?.remedy ?? null);
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
      if (this.#underWay === 0 || this.#destination === null) this.#lastSettledMs = clock.monotonic();
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

  #fail(error: HeadraceError): void {
    this.#problem ??= error;
    this.#broken.abort();
    this.#wake?.();
  }
}

function asHeadraceError(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  return new HeadraceError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
