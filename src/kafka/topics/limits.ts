/** What a topic takes at most, read from its configuration where the credentials allow. */
import { describeConfigsV1, describeConfigsV2, describeConfigsV3, describeConfigsV4 } from '@platformatic/kafka';
import type { Cluster } from '../wire/cluster.ts';
import type { ApiModule } from '../wire/connection.ts';

interface DescribeResponse {
  readonly results: readonly {
    readonly errorCode: number;
    readonly resourceName: string;
    readonly configs: readonly { readonly name: string; readonly value?: string | null }[];
  }[];
}
type DescribeArgs = [
  resources: { resourceType: number; resourceName: string; configurationKeys: string[] | null }[],
  synonyms: boolean,
  documentation: boolean,
];
const modules = [
  describeConfigsV4,
  describeConfigsV3,
  describeConfigsV2,
  describeConfigsV1,
] as unknown as readonly ApiModule<DescribeArgs, DescribeResponse>[];
const TOPIC = 2;

/** The named settings of topics; a topic that may not be described is left out. Throws when no broker answers. */
export async function topicSettings(
  cluster: Cluster,
  topics: readonly string[],
  names: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  const connection = await cluster.control();
  const resources = topics.map((resourceName) => ({
    resourceType: TOPIC,
    resourceName,
    configurationKeys: [...names],
  }));
  const response = await connection.call(modules, resources, false, false).catch((error: unknown) => {
    const whole = (error as { response?: DescribeResponse }).response;
    if (whole === undefined) throw error;
    return whole;
  });
  const readable = response.results.filter((one) => one.errorCode === 0);
  return new Map(
    readable.map((one) => [one.resourceName, new Map(one.configs.map((config) => [config.name, config.value ?? '']))]),
  );
}

export class TopicLimits {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, number | null>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The topic's `max.message.bytes`; null where it may not be read: the broker's answer decides then. */
  async maxMessageBytes(topic: string): Promise<number | null> {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const settings = await topicSettings(this.#cluster, [topic], ['max.message.bytes']).catch(() => null);
    if (settings === null) return null;
    const bytes = Number(settings.get(topic)?.get('max.message.bytes'));
    const limit = Number.isInteger(bytes) && bytes > 0 ? bytes : null;
    this.#known.set(topic, limit);
    return limit;
  }
}
