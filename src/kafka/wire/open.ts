/** A cluster opened for one task, and its failures in words for people. */
import type { Clock } from '../../base/clock.ts';
import { HeadraceError, type DestinationConfig } from '../../model/index.ts';
import { classifyError } from '../classify.ts';
import { Cluster } from './cluster.ts';
import { createSecurity } from '../security/index.ts';

/** Not connected yet; close it after use. */
export function openCluster(
  destination: DestinationConfig,
  clock: Clock,
  limits: {
    readonly connectTimeoutMs?: number;
    readonly requestTimeoutMs?: number;
    readonly maxFrameBytes?: number;
  } = {},
): Cluster {
  const { producer } = destination;
  return new Cluster(
    {
      brokers: destination.brokers,
      clientId: destination.clientId,
      connectTimeoutMs: limits.connectTimeoutMs ?? producer.connectTimeoutMs,
      requestTimeoutMs: limits.requestTimeoutMs ?? producer.requestTimeoutMs,
      clientDnsLookup: producer.clientDnsLookup,
      createTopics: false,
      security: createSecurity(destination, clock),
      ...(limits.maxFrameBytes === undefined ? {} : { maxFrameBytes: limits.maxFrameBytes }),
    },
    clock,
  );
}

/** Opens, does the task, closes. What the cluster throws becomes a HeadraceError. */
export async function withCluster<T>(
  destination: DestinationConfig,
  clock: Clock,
  task: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = openCluster(destination, clock);
  try {
    return await task(cluster);
  } catch (error) {
    throw clusterError(destination, error);
  } finally {
    await cluster.close();
  }
}

export function clusterError(destination: DestinationConfig, error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  const { code, reason, remedy } = classifyError(error);
  const brokers = destination.brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
  const message =
    code === 'kafka_unreachable'
      ? `No broker of destination ${destination.name} (${brokers}) can be reached: ${reason}.`
      : `Destination ${destination.name} (${brokers}): ${reason}.`;
  return new HeadraceError(code, message, { path: `destinations.${destination.name}`, remedy, cause: error });
}
