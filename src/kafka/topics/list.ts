/** The topics of a cluster, as far as the credentials may see them. */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import { withCluster } from '../wire/open.ts';
import type { Cluster, TopicMetadata } from '../wire/cluster.ts';
import { topicSettings } from './limits.ts';

export interface ListedTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Of the partition that has fewest. */
  readonly replication: number;
  /** These are null where the credentials may not read the topic's settings. */
  readonly cleanupPolicy: string | null;
  readonly maxMessageBytes: number | null;
  readonly minInSyncReplicas: number | null;
  readonly uncleanElection: boolean | null;
}

const SETTINGS = [
  'cleanup.policy',
  'max.message.bytes',
  'min.insync.replicas',
  'unclean.leader.election.enable',
] as const;
/** Settings are asked for in portions: an answer stays well below what a connection may carry. */
const TOPICS_PER_QUESTION = 500;

export interface ListOptions {
  /** Internal topics too. */
  readonly all?: boolean;
}

/** All topics by name, internal ones left out unless asked for. Throws HeadraceError when no broker answers. */
export function listTopics(
  destination: DestinationConfig,
  clock: Clock,
  options?: ListOptions,
): Promise<ListedTopic[]> {
  return withCluster(destination, clock, (cluster) => describeTopics(cluster, options));
}

/** The same through a cluster that is open already. */
export async function describeTopics(cluster: Cluster, { all = false }: ListOptions = {}): Promise<ListedTopic[]> {
  const topics = (await cluster.allTopics()).filter((topic) => all || !(topic.internal || isInternal(topic.name)));
  topics.sort((a, b) => (a.name < b.name ? -1 : 1));
  const listed: ListedTopic[] = [];
  for (let from = 0; from < topics.length; from += TOPICS_PER_QUESTION) {
    const portion = topics.slice(from, from + TOPICS_PER_QUESTION);
    const names = portion.map((topic) => topic.name);
    const settings = await topicSettings(cluster, names, SETTINGS).catch(() => new Map<string, never>());
    for (const topic of portion) listed.push(describe(topic, settings.get(topic.name)));
  }
  return listed;
}

/** Kafka's own and those of tools around it: not all are marked internal by every broker. */
function isInternal(name: string): boolean {
  return name.startsWith('__');
}

function describe(topic: TopicMetadata, settings: ReadonlyMap<string, string> | undefined): ListedTopic {
  const number = (name: (typeof SETTINGS)[number]): number | null => {
    const text = settings?.get(name);
    return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
  };
  const unclean = settings?.get('unclean.leader.election.enable');
  return {
    topic: topic.name,
    partitions: topic.leaders.length,
    replication: topic.replicas.length === 0 ? 0 : Math.min(...topic.replicas),
    cleanupPolicy: settings?.get('cleanup.policy') ?? null,
    maxMessageBytes: number('max.message.bytes'),
    minInSyncReplicas: number('min.insync.replicas'),
    uncleanElection: unclean === undefined ? null : unclean === 'true',
  };
}
