/** Whether the brokers are new enough, told with both versions. */
import type { ProducerSettings } from '../../model/index.ts';
import { PRODUCE_VERSIONS } from '../wire/produce.ts';
import type { ApiRanges } from './probe.ts';
import { StepFailure } from './report.ts';

const PRODUCE = 0;
const FETCH = 1;
const INIT_PRODUCER_ID = 22;
/** The first version of Produce that carries zstd, and its release. */
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

/** What the broker is, as far as its versions tell. Throws StepFailure when it is too old for what is asked of it. */
export function checkVersions(broker: string, ranges: ApiRanges, producer: ProducerSettings): string {
  const release = releaseOf(ranges);
  const produce = ranges.get(PRODUCE);
  const usable = produce !== undefined && produce.max >= PRODUCE_VERSIONS.min && produce.min <= PRODUCE_VERSIONS.max;
  if (!usable || release === null)
    throw new StepFailure(
      `${broker} is older than Apache Kafka 1.0 (it offers Produce ${rangeText(produce)})`,
      'Use Apache Kafka 1.0 or newer.',
    );
  if (producer.compression === 'zstd' && produce.max < ZSTD_PRODUCE)
    throw new StepFailure(
      `compression zstd needs Kafka 2.1 or newer, and ${broker} is Kafka ${release}`,
      'Choose gzip, snappy or lz4, or bring the brokers up to date.',
    );
  if (producer.idempotence && !ranges.has(INIT_PRODUCER_ID))
    throw new StepFailure(
      `${broker} does not offer idempotent producers (InitProducerId)`,
      'Set `producer: {idempotence: false}`, or use a cluster that offers them.',
    );
  return `Kafka ${release}`;
}

function releaseOf(ranges: ApiRanges): string | null {
  const fetch = ranges.get(FETCH);
  if (fetch === undefined) return null;
  return releases.find(([version]) => fetch.max >= version)?.[1] ?? null;
}

function rangeText(range: { min: number; max: number } | undefined): string {
  return range === undefined ? 'not at all' : `${range.min} to ${range.max}`;
}
