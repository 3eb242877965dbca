/** Which release of Kafka a broker is, as its API versions tell, and what an old one cannot do: told with both versions. */
import { HeadraceError, type Compression } from '../../model/index.ts';

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** The versions of an API that the broker offers, by the API's key; null or undefined when it has none. */
export type VersionsOf = (apiKey: number) => VersionRange | null | undefined;

const PRODUCE = 0;
const FETCH = 1;
/** The first version of Produce that carries zstd. */
const ZSTD_PRODUCE = 7;

/** The release that brought each version of Fetch, which almost every release raised. */
const releases: readonly (readonly [fetch: number, release: string])[] = [
  [18, '4.1 or newer'],
  [17, '3.9 or 4.0'],
  [16, '3.7 or 3.8'],
  [15, '3.5 or 3.6'],
  [13, '3.1 to 3.4'],
  [12, '2.7 to 3.0'],
  [11, '2.3 to 2.6'],
  [10, '2.1 or 2.2'],
  [8, '2.0'],
  [7, '1.1'],
  [6, '1.0'],
];

/** Null: older than Apache Kafka 1.0. */
export function releaseOf(versionsOf: VersionsOf): string | null {
  const fetch = versionsOf(FETCH);
  if (fetch === null || fetch === undefined) return null;
  return releases.find(([version]) => fetch.max >= version)?.[1] ?? null;
}

/** An old broker would take zstd for a damaged batch. Throws HeadraceError `kafka_unsupported`. */
export function refuseCompression(broker: string, versionsOf: VersionsOf, compression: Compression): void {
  if (compression !== 'zstd' || (versionsOf(PRODUCE)?.max ?? 0) >= ZSTD_PRODUCE) return;
  const release = releaseOf(versionsOf);
  throw new HeadraceError(
    'kafka_unsupported',
    `compression zstd needs Kafka 2.1 or newer, and ${broker} is Kafka ${release ?? 'before 1.0'}`,
    { remedy: 'Choose gzip, snappy or lz4, or bring the brokers up to date.' },
  );
}
