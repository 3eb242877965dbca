/** Questions to a destination's cluster that carry no records: its health, its topics, its messages. */
import type { Clock } from '../base/clock.ts';
import { checkDestination as examine } from '../kafka/doctor/check.ts';
import { tailTopic as tail, type TailStart, type TailedMessage } from '../kafka/tail.ts';
import { createTopics as create, type NewTopic } from '../kafka/topics/create.ts';
import { listTopics as list, type ListOptions, type ListedTopic } from '../kafka/topics/list.ts';
import { failed, reportOf, StepFailure, type DestinationReport } from '../kafka/doctor/report.ts';
import type { Configuration, DestinationConfig, Problem } from '../model/index.ts';
import { buildFlows } from './flows.ts';

export type { TailedMessage };

/** Test Connection. `topics`: those its syncs write to. Never throws, never takes longer than 10 s. */
export function checkDestination(
  destination: DestinationConfig,
  topics: readonly string[],
  clock: Clock,
): Promise<DestinationReport> {
  return examine(destination, clock, { topics });
}

/** Test Connection of a destination whose settings are refused already; null when none of the problems is its own. */
export function refusedSettings(destination: string, problems: readonly Problem[]): DestinationReport | null {
  const own = problemsOf(destination, problems);
  const [first] = own;
  if (first === undefined) return null;
  const causes = own.map((problem) => `${problem.path}: ${problem.reason.replace(/\.$/, '')}`);
  const failure = new StepFailure(causes.join('; '), first.remedy);
  return reportOf(destination, [failed('settings', failure, 0)], [], 0);
}

/** Those of one destination: of itself, its fields and its pasted properties. */
export function problemsOf(destination: string, problems: readonly Problem[]): readonly Problem[] {
  const paths = [`destinations.${destination}`, `destinations[${JSON.stringify(destination)}]`];
  return problems.filter((problem) => paths.some((path) => /^(?:$|[.[])/.test(after(path, problem.path))));
}

/** What comes after the path; a text that begins no part of one where it does not begin with it. */
function after(path: string, whole: string): string {
  return whole.startsWith(path) ? whole.slice(path.length) : '!';
}

/** The topics that a destination's syncs name, and that of its dead letters: those that are known before a message comes. */
export function namedTopics(destination: DestinationConfig, configuration: Configuration): string[] {
  const flows = buildFlows(configuration, new Map());
  const named = [...flows.values()].flatMap(({ sync, mapping }) =>
    sync.enabled && sync.destination === destination.name ? (mapping.literalTopic ?? []) : [],
  );
  const deadLetters = destination.deadLetters?.topic;
  return [...new Set([...named, ...(deadLetters === undefined ? [] : [deadLetters])])];
}

/** Throws HeadraceError when no broker answers. */
export function listTopics(
  destination: DestinationConfig,
  clock: Clock,
  options?: ListOptions,
): Promise<ListedTopic[]> {
  return list(destination, clock, options);
}

/** Answers those that were made: topics that exist already are left as they are. Throws HeadraceError. */
export function createTopics(
  destination: DestinationConfig,
  topics: readonly NewTopic[],
  clock: Clock,
): Promise<string[]> {
  return create(destination, clock, topics);
}

export function tailTopic(
  destination: DestinationConfig,
  topic: string,
  options: TailStart,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<TailedMessage> {
  return tail(destination, clock, topic, options, signal);
}
