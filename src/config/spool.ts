/** The spool of a destination: how much may wait on the disk, or that nothing may. */
import { DEFAULT_SPOOL_BYTES, type DestinationConfig } from '../model/index.ts';
import type { Spec } from './spec.ts';
import { optional } from './spec.ts';
import { object } from './spec-composites.ts';
import { integer, reference } from './spec-scalars.ts';

/** Room for a request of the usual size, whatever else. */
const LEAST_BYTES = 4 * 1024 * 1024;
const MOST_BYTES = 2 ** 50;

const settings = object(
  {
    max_bytes: optional(
      integer({ min: LEAST_BYTES, max: MOST_BYTES, unit: 'bytes' }),
      'Most bytes on the disk; when they are reached, senders are told to come again.',
      DEFAULT_SPOOL_BYTES,
    ),
  },
  { description: 'How much may wait on the disk.' },
);

export const spool: Spec<NonNullable<DestinationConfig['spool']>> = {
  schema: { anyOf: [{ enum: [true, false] }, reference, settings.schema] },
  read(value, at) {
    if (value === false || (at.isReferenced && value === 'false')) return false;
    if (value === true || (at.isReferenced && value === 'true')) return { maxBytes: DEFAULT_SPOOL_BYTES };
    const read = settings.read(value, at);
    return read === undefined ? undefined : { maxBytes: read.max_bytes };
  },
};
