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
