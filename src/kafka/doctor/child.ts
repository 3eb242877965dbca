/** The doctor's own process: bounded memory and time, whatever answers on the other side (S20). */
import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { allowAddresses, allowedAddresses } from '../../base/address-guard.ts';
import { helperEnvironment } from '../../base/helper-environment.ts';
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import type { Findings, Question } from './examination.ts';
import { pack, unpack } from './parcel.ts';
import { StepFailure, type StepReport } from './report.ts';

/** What the process may take for itself: the program's own pages, which it shares with this one, do not count. */
export const MEMORY_CAP_BYTES = 128 * 1024 * 1024;
const HEAP_MB = 64;
const WATCH_EVERY_MS = 50;
/** What this process allows the other beyond its own limit, before it ends it. */
const GRACE_MS = 300;

interface Errand {
  readonly destination: unknown;
  readonly question: Question;
  readonly allowed: ReturnType<typeof allowedAddresses>;
}
type Told = { readonly step: StepReport } | { readonly warning: string } | { readonly end: 'done' | 'memory' };

/** How the process ended: in order, or why not. Null: no process could be made. */
export type Ending = 'done' | StepFailure | null;

/**
 * Examines in a process of its own. What it finds is handed on as it comes. Secrets go over the pipe between the two,
 * never into arguments or environment, where others could read them.
 */
export function examineApart(
  destination: DestinationConfig,
  clock: Clock,
  question: Question,
  findings: Findings,
  program: string = doctorProgram,
): Promise<Ending> {
  const child = start(program, usesDefaultChain(destination));
  if (child === null) return Promise.resolve(null);
  return new Promise((resolve) => {
    let spawned = false;
    const cancels: (() => void)[] = [];
    const settle = (ending: Ending): void => {
      for (const cancel of cancels) cancel();
      child.removeAllListeners();
      child.on('error', () => undefined);
      child.kill('SIGKILL');
      resolve(ending);
    };
    cancels.push(clock.after(question.limitMs + GRACE_MS, () => settle(late())));
    child.once('spawn', () => {
      spawned = true;
      const errand: Errand = { destination: pack(destination), question, allowed: allowedAddresses() };
      child.send(errand, () => undefined);
    });
    child.on('message', (told: Told) => {
      if ('step' in told) findings.step(told.step);
      else if ('warning' in told) findings.warning(told.warning);
      else if ('end' in told) settle(told.end === 'done' ? 'done' : tooMuch());
    });
    child.once('error', () => settle(spawned ? ended('it could not be spoken to') : null));
    child.once('exit', (code, signal) => settle(signal === 'SIGABRT' ? tooMuch() : ended(`${signal ?? code}`)));
    const watch = (): void => {
      if (privateBytes(child.pid) > MEMORY_CAP_BYTES) settle(tooMuch());
      else cancels.push(clock.after(WATCH_EVERY_MS, watch));
    };
    watch();
  });
}

/** As source or compiled, as this one is. */
const doctorProgram = join(import.meta.dirname, '..', '..', `doctor${extname(import.meta.filename)}`);

/** AWS's own search for credentials begins in the environment. */
function usesDefaultChain({ sasl }: DestinationConfig): boolean {
  return sasl?.mechanism === 'aws-msk-iam' && sasl.keys === null;
}

function start(program: string, awsCredentials: boolean): ChildProcess | null {
  try {
    return fork(program, [], {
      env: helperEnvironment({ awsCredentials }),
      execArgv: [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=2', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  } catch {
    return null;
  }
}

/** By the system's count. 0 where there is none to be had: there the process watches itself alone. */
function privateBytes(pid: number | undefined): number {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
    return (resident! - shared!) * 4096;
  } catch {
    return 0;
  }
}

const tooMuch = (): StepFailure =>
  new StepFailure(
    `what answers there sends more than ${MEMORY_CAP_BYTES / 1024 / 1024} MB of memory can hold: the test was ended`,
    'It is no Kafka listener: check host and port.',
  );
const late = (): StepFailure =>
  new StepFailure(
    'the test did not come to an end in its time: this machine has much to do, or what answers there is slow',
    'Try again when this machine has less to do; where it stays so, check the network, and the log of the brokers.',
  );
const ended = (how: string): StepFailure =>
  new StepFailure(`the process of the test ended by itself (${how})`, 'Try again; report it when it stays so.');

/** The other side: takes its errand from the pipe, examines, tells. Called by the doctor's front door. */
export function serveErrand(
  examine: (destination: DestinationConfig, clock: Clock, question: Question, findings: Findings) => Promise<void>,
  clock: Clock,
): void {
  const tell = (told: Told): boolean | undefined => process.send?.(told);
  // Whoever asked is gone.
  process.once('disconnect', () => process.exit(1));
  const startBytes = process.memoryUsage.rss();
  const watch = (): void => {
    if (process.memoryUsage.rss() - startBytes > MEMORY_CAP_BYTES)
      process.send?.({ end: 'memory' }, () => process.exit(1));
    else clock.after(WATCH_EVERY_MS, watch, { unref: true });
  };
  watch();
  process.once('message', ({ destination, question, allowed }: Errand) => {
    allowAddresses(allowed);
    const limitMs = question.limitMs - Math.round(process.uptime() * 1000);
    const findings = { step: (step: StepReport) => tell({ step }), warning: (warning: string) => tell({ warning }) };
    void examine(unpack(destination), clock, { ...question, limitMs }, findings).then(() => tell({ end: 'done' }));
  });
}
