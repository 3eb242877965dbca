/** One part of `npm run bench`: it measures, and says what it measured. */
import type { DestinationCase } from '../destination.bench.ts';
import type { BenchKafka } from './kafka.ts';

export interface PartInput {
  readonly kafka: BenchKafka;
  /** Ways to reach the broker other than plain text. */
  readonly secureCases: readonly DestinationCase[];
  /** Only to see that it works: figures of a short run count for nothing. */
  readonly short: boolean;
}

export interface PartReport {
  /** Raw, for the JSON file. */
  readonly results: unknown;
  /** Markdown. */
  readonly lines: readonly string[];
}

export type Part = (input: PartInput) => Promise<PartReport>;
