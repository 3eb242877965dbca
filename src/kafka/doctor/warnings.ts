/** Settings of topics under which an acknowledged message can still be lost (P5). */
import type { ListedTopic } from '../topics/list.ts';

const NAMED_AT_MOST = 5;

export function topicWarnings(topics: readonly ListedTopic[], acks: -1 | 0 | 1, brokers: number): string[] {
  const warnings: string[] = [];
  const warn = (concerned: readonly ListedTopic[], what: (names: string) => string): void => {
    if (concerned.length > 0) warnings.push(what(names(concerned)));
  };
  if (acks !== -1)
    warnings.push(`acks is ${acks}, not all: a message that was answered can be lost when a broker fails.`);
  warn(
    topics.filter(({ replication }) => replication === 1),
    (list) =>
      brokers === 1
        ? `The cluster has one broker: what is written to ${list} is lost with its disk.`
        : `Replication is 1 for ${list}: messages are lost with the disk of one broker. Use 3.`,
  );
  warn(
    topics.filter(({ replication, minInSyncReplicas }) => replication > 1 && minInSyncReplicas === 1),
    (list) =>
      `min.insync.replicas is 1 for ${list}: a message may be acknowledged that only one broker holds. Use 2 with replication 3.`,
  );
  warn(
    topics.filter(({ uncleanElection }) => uncleanElection === true),
    (list) =>
      `unclean.leader.election.enable is on for ${list}: acknowledged messages are lost when an outdated replica becomes leader.`,
  );
  return warnings;
}

function names(topics: readonly ListedTopic[]): string {
  const shown = topics.slice(0, NAMED_AT_MOST).map(({ topic }) => topic);
  const more = topics.length - shown.length;
  return `${topics.length === 1 ? 'topic' : 'topics'} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
