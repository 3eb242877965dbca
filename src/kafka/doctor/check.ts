/** Test Connection: never throws, never takes longer than ten seconds, never holds more than its process may. */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import { examineApart } from './child.ts';
import { examine, type Findings, type Question } from './examination.ts';
import { checkSteps, failed, reportOf, type DestinationReport, type StepReport } from './report.ts';

/** The steps have this long; the rest of ten seconds is for starting and ending a process on a busy machine. */
const LIMIT_MS = 9_300;

export interface CheckOptions {
  /** Topics that its syncs are going to write to; absent: none is known. */
  readonly topics?: readonly string[];
  /** In this process: for machines where none can be started. */
  readonly inProcess?: boolean;
}

/** Works for settings that are stored nowhere too. */
export async function checkDestination(
  destination: DestinationConfig,
  clock: Clock,
  { topics = [], inProcess = false }: CheckOptions = {},
): Promise<DestinationReport> {
  const startedMs = clock.monotonic();
  const took = (): number => Math.round(clock.monotonic() - startedMs);
  const steps: StepReport[] = [];
  const warnings: string[] = [];
  const findings: Findings = { step: (step) => steps.push(step), warning: (text) => warnings.push(text) };
  const question: Question = { topics, limitMs: LIMIT_MS };
  const ending = inProcess ? null : await examineApart(destination, clock, question, findings);
  if (ending === null) await examine(destination, clock, question, findings);
  else if (ending !== 'done') {
    const step = checkSteps[steps.length];
    const before = steps.reduce((sum, { tookMs }) => sum + tookMs, 0);
    if (step !== undefined) steps.push(failed(step, ending, Math.max(0, took() - before)));
  }
  return reportOf(destination.name, steps, warnings, took());
}
