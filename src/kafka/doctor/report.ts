/** What the doctor answers: one entry a step, in order. */

export const checkSteps = [
  'settings',
  'dns',
  'tcp',
  'tls',
  'sasl',
  'versions',
  'brokers',
  'topics',
  'topic',
  'write',
  'message',
] as const;
export type StepName = (typeof checkSteps)[number];

export interface StepReport {
  readonly step: StepName;
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  readonly cause: string | null;
  readonly remedy: string | null;
  /** Where to read more, relative to the project; null where nothing failed. */
  readonly link: string | null;
  readonly tookMs: number;
}

export interface DestinationReport {
  readonly destination: string;
  readonly ok: boolean;
  readonly steps: readonly StepReport[];
  readonly warnings: readonly string[];
  readonly tookMs: number;
}

/** A step that failed: thrown inside a step, told in its report. */
export class StepFailure extends Error {
  readonly remedy: string;

  constructor(cause: string, remedy: string) {
    super(cause);
    this.remedy = remedy;
  }
}

/** Where the documentation explains what can be wrong at a step. */
export function linkOf(step: StepName): string {
  return `docs/guides/connection-doctor.md#${step}`;
}

/** The report of steps as far as they came: the rest is skipped. */
export function reportOf(
  destination: string,
  steps: readonly StepReport[],
  warnings: readonly string[],
  tookMs: number,
): DestinationReport {
  const rest = checkSteps.slice(steps.length).map((step) => skipped(step, 'not reached'));
  const all = [...steps, ...rest];
  return { destination, ok: all.every(({ state }) => state !== 'failed'), steps: all, warnings, tookMs };
}

export function failed(step: StepName, { message, remedy }: StepFailure, tookMs: number): StepReport {
  return { step, state: 'failed', detail: message, cause: message, remedy, link: linkOf(step), tookMs };
}

export function skipped(step: StepName, detail: string, tookMs = 0): StepReport {
  return { step, state: 'skipped', detail, cause: null, remedy: null, link: null, tookMs };
}
