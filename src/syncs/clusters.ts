/** Questions to a destination's cluster that carry no records: its health, its topics, its messages. */
import type { Clock } from '../base/clock.ts';
import { checkDestination as examine } from '../kafka/doctor/check.ts';
import { tailTopic as tail, type TailStart, type TailedMessage } from '../kafka/tail.ts';
import { createTopics as create, type NewTopic } from '../kafka/topics/create.ts';
import { listTopics as list, type ListOptions, type ListedTopic } from '../kafka/topics/list.ts';
import type { DestinationReport } from '../kafka/doctor/report.ts';
import type { DestinationConfig } from '../model/index.ts';

export type { TailedMessage };

/** Test Connection. Never throws, never takes longer than 10 s. */
export function checkDestination(destination: DestinationConfig, clock: Clock): Promise<DestinationReport> {
  return examine(destination, clock);
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
