/** Progress of a run: a bar on a terminal, a line now and then elsewhere. */
import type { Clock } from '../base/clock.ts';
import type { RunProgress } from '../api/contract/service.ts';
import type { Output } from './output.ts';
import { countText, durationText } from './text.ts';

const BAR_CHARACTERS = 24;
const LINE_EVERY_MS = 5_000;
/** The rate told is of about this long, not of the last fraction of a second. */
const SMOOTHING = 0.3;

export class ProgressPrinter {
  readonly #output: Output;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #lastLineMs: number;
  #perSecond = 0;
  #first: { done: number; atMs: number } | null = null;
  /** Told once for each change. */
  #waits: string | null = null;
  readonly #tellsWaits: boolean;

  /** `tellsWaits`: whether it says why a run waits; in one process the log says it. */
  constructor(output: Output, clock: Clock, tellsWaits: boolean) {
    this.#output = output;
    this.#clock = clock;
    this.#tellsWaits = tellsWaits;
    this.#startedMs = clock.monotonic();
    this.#lastLineMs = this.#startedMs;
  }

  show(progress: RunProgress): void {
    const now = this.#clock.monotonic();
    this.#perSecond =
      this.#first === null ? progress.perSecond : this.#perSecond * (1 - SMOOTHING) + progress.perSecond * SMOOTHING;
    this.#first ??= { done: progress.done, atMs: now };
    if (progress.finished) return;
    this.#tellWaits(progress);
    const text = this.#text(progress, now);
    if (this.#output.interactive) return this.#output.progress(`${bar(progress)} ${text}`);
    if (now - this.#lastLineMs < LINE_EVERY_MS) return;
    this.#lastLineMs = now;
    this.#output.note(text);
  }

  #tellWaits({ waits, run }: RunProgress): void {
    if (!this.#tellsWaits || waits === this.#waits) return;
    this.#waits = waits;
    this.#output.clearProgress();
    if (waits === null) this.#output.note(`The sync ${run.sync} goes on.`);
    else this.#output.warn(`The sync ${run.sync} waits: ${waits}`);
  }

  #text({ run, done, total }: RunProgress, now: number): string {
    const { read, delivered, rejected } = run.counts;
    const parts = [`${countText(read)} read`, `${countText(delivered)} delivered`];
    if (rejected > 0) parts.push(`${countText(rejected)} rejected`);
    parts.push(`${countText(this.#perSecond)}/s`);
    const share = total === null || total === 0 ? null : Math.min(1, done / total);
    if (share !== null && !this.#output.interactive) parts.push(`${Math.floor(share * 100)} %`);
    const remaining = this.#remainingMs(done, total, now);
    if (remaining !== null) parts.push(`${durationText(remaining)} left`);
    return parts.join(', ');
  }

  #remainingMs(done: number, total: number | null, now: number): number | null {
    const first = this.#first;
    if (total === null || first === null || done <= first.done || now - first.atMs < 1000) return null;
    return ((total - done) * (now - first.atMs)) / (done - first.done);
  }
}

function bar({ done, total }: RunProgress): string {
  if (total === null || total === 0) return '';
  const share = Math.min(1, done / total);
  const full = Math.round(share * BAR_CHARACTERS);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_CHARACTERS - full)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}
