/** How much of a sync may be rejected before it stops: `5%`, a number of records, or `{percent, at_least}`. */
import type { MaxRejected } from '../model/index.ts';
import type { At } from './report.ts';
import { optional, required, type Spec } from './spec.ts';
import { object } from './spec-composites.ts';
import { integer } from './spec-scalars.ts';
import { describe, isObject, numberOf } from './values.ts';

/** A percentage says little about a handful of records. */
export const AT_LEAST = 100;

const percentage: Spec<number> = {
  schema: {
    anyOf: [
      { type: 'string', pattern: String.raw`^\d{1,3}(\.\d+)?%$` },
      { type: 'number', minimum: 0, maximum: 100 },
      { type: 'string', pattern: String.raw`\$\{[^}]+\}` },
    ],
  },
  read(value, at) {
    const percent =
      typeof value === 'string' && /^\d{1,3}(\.\d+)?%$/.test(value) ? Number(value.slice(0, -1)) : numberOf(value, at);
    if (percent !== null && percent >= 0 && percent <= 100) return percent;
    return at.problem(`must be a percentage from 0% to 100%, and is ${describe(value, at)}.`, 'For example: 5%');
  },
};

const count = integer({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'records' });

const asObject = object({
  percent: required(percentage, 'More than this part of the records read stops the sync.'),
  at_least: optional(integer({ min: 1, max: 1_000_000_000 }), 'Judged only once so many records were read.', AT_LEAST),
});

export const maxRejected: Spec<MaxRejected> = {
  schema: { anyOf: [percentage.schema, count.schema, asObject.schema] },
  read(value, at: At) {
    if (isObject(value)) {
      const both = asObject.read(value, at);
      return both === undefined ? undefined : { percent: both.percent, atLeast: both.at_least };
    }
    if (typeof value === 'string' && value.endsWith('%')) {
      const percent = percentage.read(value, at);
      return percent === undefined ? undefined : { percent, atLeast: AT_LEAST };
    }
    if (numberOf(value, at) === null) {
      return at.problem(
        `must be a percentage, a number of records or {percent, at_least}, and is ${describe(value, at)}.`,
        'For example: max_rejected: 5%',
      );
    }
    const records = count.read(value, at);
    return records === undefined ? undefined : { records };
  },
};
