/** Segment's own trigger evaluator, as the oracle of differential tests. */
import { parseFql, validate } from '@segment/destination-subscriptions';
import { lookUp } from '../../src/mapping/path.ts';
import { pathsOf, type Expression } from '../../src/mapping/triggers/syntax.ts';
import type { JsonValue } from '../../src/model/index.ts';

export type SegmentAnswer = boolean | 'fails';

/** The answers of Segment's evaluator for one trigger; `fails` where it throws while it evaluates, and so sends nothing. */
export function segmentTrigger(text: string): (data: JsonValue) => SegmentAnswer {
  const subscription = parseFql(text);
  return (data) => {
    try {
      return validate(subscription, data as Record<string, unknown>);
    } catch {
      return 'fails';
    }
  };
}

/** Oddities of a record, not of a trigger, that make Segment answer otherwise; each with why ours is right. */
export const recordOddities = {
  stops_at_falsy: 'a field of 0, "" or false has no fields inside; Segment takes that value for the field inside it',
  foreign_members: 'texts and lists have no members such as `length`, and inherited members are no fields',
} as const;

export type RecordOddity = keyof typeof recordOddities;

/** Which oddity a record shows on one of the paths of a condition, if any. */
export function oddityOf(condition: Expression, data: JsonValue): RecordOddity | null {
  for (const keys of pathsOf(condition)) {
    const theirs = segmentWalk(data, keys);
    const ours = lookUp(data, keys) ?? null;
    if ((theirs ?? null) !== ours) return typeof theirs === 'object' || theirs ? 'foreign_members' : 'stops_at_falsy';
  }
  return null;
}

/** Any member, inherited ones too; the first falsy value ends the walk and is its result. */
function segmentWalk(data: JsonValue, keys: readonly string[]): unknown {
  const [root, ...rest] = keys;
  let value: unknown = (data as Record<string, unknown> | null)?.[root!];
  for (const key of rest) value = value ? (value as Record<string, unknown>)[key] : value;
  return value;
}
