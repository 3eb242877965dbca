/** Whether the brokers are new enough, told with both versions. */
import { HeadraceError, type ProducerSettings } from '../../model/index.ts';
import { PRODUCE_KEY, PRODUCE_VERSIONS } from '../wire/produce.ts';
import { refuseCompression, releaseOf } from '../wire/releases.ts';
import type { ApiRanges } from './probe.ts';
import { StepFailure } from './report.ts';

const INIT_PRODUCER_ID = 22;

/** What the broker is, as far as its versions tell. Throws StepFailure when it is too old for what is asked of it. */
export function checkVersions(broker: string, ranges: ApiRanges, producer: ProducerSettings): string {
  const versionsOf = (apiKey: number): { min: number; max: number } | undefined => ranges.get(apiKey);
  const release = releaseOf(versionsOf);
  const produce = ranges.get(PRODUCE_KEY);
  const usable = produce !== undefined && produce.max >= PRODUCE_VERSIONS.min && produce.min <= PRODUCE_VERSIONS.max;
  if (!usable || release === null)
    throw new StepFailure(
      `${broker} is older than Apache Kafka 1.0 (it offers Produce ${rangeText(produce)})`,
      'Use Apache Kafka 1.0 or newer.',
    );
  try {
    refuseCompression(broker, versionsOf, producer.compression);
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
    throw new StepFailure(error.message, error.remedy ?? 'Choose another compression.');
  }
  if (producer.idempotence && !ranges.has(INIT_PRODUCER_ID))
    throw new StepFailure(
      `${broker} does not offer idempotent producers (InitProducerId)`,
      'Set `producer: {idempotence: false}`, or use a cluster that offers them.',
    );
  return `Kafka ${release}`;
}

function rangeText(range: { min: number; max: number } | undefined): string {
  return range === undefined ? 'not at all' : `${range.min} to ${range.max}`;
}
