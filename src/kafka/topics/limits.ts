/** What a topic takes at most, read from its configuration where the credentials allow. */
import {
  describeConfigsV0,
  describeConfigsV1,
  describeConfigsV2,
  describeConfigsV3,
  describeConfigsV4,
} from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import type { Cluster } from '../wire/cluster.ts';
import type { ApiModule, BrokerConnection } from '../wire/connection.ts';

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
  describeConfigsV0,
] as unknown as readonly ApiModule<DescribeArgs, DescribeResponse>[];
const TOPIC = 2;
const BROKER = 4;

/** The named settings of topics; a topic that may not be described is left out. Throws when no broker answers. */
export async function topicSettings(
  cluster: Cluster,
  topics: readonly string[],
  names: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  return cluster.ask((connection) => describe(connection, TOPIC, topics, names));
}

/** The named settings of one broker; null where the credentials may not read them. Throws when it does not answer. */
export async function brokerSettings(
  cluster: Cluster,
  id: number,
  names: readonly string[],
): Promise<ReadonlyMap<string, string> | null> {
  const settings = await describe(await cluster.node(id), BROKER, [String(id)], names);
  return settings.get(String(id)) ?? null;
}

async function describe(
  connection: BrokerConnection,
  resourceType: number,
  resourceNames: readonly string[],
  names: readonly string[],
): Promise<Map<string, ReadonlyMap<string, string>>> {
  const resources = resourceNames.map((resourceName) => ({
    resourceType,
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
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #known = new Map<string, { readonly bytes: number | null; readonly readAtMs: number }>();

  constructor(cluster: Cluster, clock: Clock, maxAgeMs: number) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /** The topic's `max.message.bytes`; null where it may not be read: the broker's answer decides then. */
  async maxMessageBytes(topic: string): Promise<number | null> {
    const known = this.#known.get(topic);
    const nowMs = this.#clock.monotonic();
    if (known !== undefined && nowMs - known.readAtMs < this.#maxAgeMs) return known.bytes;
    const settings = await topicSettings(this.#cluster, [topic], ['max.message.bytes']).catch(() => null);
    if (settings === null) return known?.bytes ?? null;
    const value = Number(settings.get(topic)?.get('max.message.bytes'));
    const bytes = Number.isInteger(value) && value > 0 ? value : null;
    this.#known.set(topic, { bytes, readAtMs: nowMs });
    return bytes;
  }
}
