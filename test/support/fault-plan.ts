/** Faults keyed to the progress of a load: planned from the seed before it begins, carried out one after the other. */
import type { AckMeter } from './ack-meter.ts';
import type { Random } from './random.ts';

export interface FaultPlan {
  readonly random: Random;
  readonly times: number;
  /** Messages that get their outcome between the end of a fault and the beginning of the next. */
  readonly apart: { readonly from: number; readonly to: number };
  /** Resolves when the fault is undone and the cluster is well again; may return figures, in milliseconds. */
  carryOut(random: Random, index: number): Promise<Readonly<Record<string, number>> | void>;
  readonly meter?: AckMeter;
  /** No fault begins later than this after the plan was made; 4.5 minutes unless given: a slice has ten. */
  readonly withinMs?: number;
}

const WITHIN_MS = 270_000;

export class Faults {
  /** Messages between the faults, as they were drawn. */
  readonly plan: readonly number[];
  /** Of each fault carried out: what it measured, and the gap of acknowledgements from its beginning to the next one. */
  readonly figures: Record<string, number>[] = [];
  /** Resolves when the last fault is over; rejects with what made one fail. */
  readonly done: Promise<void>;
  readonly #plan: FaultPlan;
  #nextAt: number;
  readonly #lastBeginMs: number;
  #begun = 0;
  #running = false;
  #failed = false;
  #settle: { resolve: () => void; reject: (error: unknown) => void };

  constructor(plan: FaultPlan) {
    this.#plan = plan;
    this.#lastBeginMs = performance.now() + (plan.withinMs ?? WITHIN_MS);
    this.plan = Array.from({ length: plan.times }, () => plan.random.between(plan.apart.from, plan.apart.to));
    this.#nextAt = this.plan[0] ?? Infinity;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.done.catch(() => {});
    this.#settle = { resolve, reject };
    if (plan.times === 0) resolve();
  }

  get carriedOut(): number {
    return this.figures.length;
  }

  /** No further fault will come: all were carried out, one could not be, or the time for them is over. */
  get over(): boolean {
    if (this.#failed || this.figures.length >= this.plan.length) return true;
    return !this.#running && performance.now() > this.#lastBeginMs;
  }

  /** To be called at each step of the load with all that has an outcome so far. */
  readonly onProgress = (settled: number): void => {
    this.#settled = settled;
    if (this.#running) return;
    if (this.over) return this.#settle.resolve();
    if (settled < this.#nextAt) return;
    this.#running = true;
    void this.#carryOut(this.#begun++);
  };
  #settled = 0;

  async #carryOut(index: number): Promise<void> {
    const { random, meter } = this.#plan;
    meter?.take();
    try {
      const figures = await this.#plan.carryOut(random.stream(`fault ${index}`), index);
      // Until every message that waited for the end of the fault had its outcome.
      if (meter !== undefined) await meter.next();
      this.figures.push({ ...figures, ...meter?.take() });
      this.#nextAt = this.#settled + (this.plan[index + 1] ?? Infinity);
      this.#running = false;
      if (this.over) this.#settle.resolve();
    } catch (error) {
      this.#failed = true;
      this.#settle.reject(error);
    }
  }
}

/** The worst of each figure. */
export function worstOf(figures: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const worst: Record<string, number> = {};
  for (const one of figures)
    for (const [name, value] of Object.entries(one)) worst[name] = Math.max(worst[name] ?? 0, Math.round(value));
  return worst;
}
