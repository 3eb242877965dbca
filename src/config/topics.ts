/** The spec of `topics:` of a destination: what becomes of topics that are missing, and how many a mapping may make. */
import type { DestinationConfig, TopicCreation } from '../model/index.ts';
import type { At } from './report.ts';
import { optional, type Spec } from './spec.ts';
import { object } from './spec-composites.ts';
import { integer, reference } from './spec-scalars.ts';
import { describe, isObject } from './values.ts';

const REMEDY =
  'Write `create: false`, `create: broker` (the cluster makes topics by itself), or `create: {partitions: 6, replication: 3}`.';

const settings: Spec<Readonly<Record<string, string>>> = {
  schema: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  read(value, at) {
    if (!isObject(value)) return at.problem(`must be settings of a topic, and is ${describe(value, at)}.`, SETTINGS);
    const before = at.problemCount;
    const entries = Object.entries(value).map(([name, one]) => [name, settingText(name, one, at)] as const);
    return at.problemCount > before ? undefined : (Object.fromEntries(entries) as Record<string, string>);
  },
};

const SETTINGS = "Write Kafka's own names and values, for example {cleanup.policy: compact, retention.ms: 86400000}.";

/** Kafka takes text; YAML gives numbers and flags where they look like it. */
function settingText(name: string, value: unknown, at: At): string | undefined {
  const place = at.child(name);
  if (!/^[a-z]+(\.[a-z]+)*$/.test(name)) return place.problem('is no name of a setting of topics.', SETTINGS);
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return String(value);
  return place.problem(`must be text, a number or a flag, and is ${describe(value, place)}.`, SETTINGS);
}

const made: Spec<TopicCreation> = object(
  {
    partitions: optional(
      integer({ min: 1, max: 100_000 }),
      "How many partitions it gets; the cluster's default when left out.",
      null,
    ),
    replication: optional(
      integer({ min: 1, max: 1000 }),
      "How many copies of each; the cluster's default when left out.",
      null,
    ),
    config: optional(settings, "Settings of the topic, by Kafka's own names.", null),
  },
  {
    description: 'How missing topics are made.',
    refine: ({ partitions, replication, config }) => ({
      ...(partitions === null ? {} : { partitions }),
      ...(replication === null ? {} : { replication }),
      ...(config === null ? {} : { config }),
    }),
  },
);

const creation: Spec<DestinationConfig['topics']['create']> = {
  schema: { anyOf: [{ enum: [false, 'broker'] }, reference, made.schema] },
  read(value, at) {
    if (value === false || value === 'broker') return value;
    if (at.isReferenced && value === 'false') return false;
    if (isObject(value)) return made.read(value, at);
    return at.problem(`must be false, broker or settings, and is ${describe(value, at)}.`, REMEDY);
  },
};

export const topics: Spec<DestinationConfig['topics']> = object(
  {
    create: optional(
      creation,
      'Whether missing topics are made on first use: `false`; `broker`: by the cluster itself; or how they are made.',
      false,
    ),
    max_computed: optional(
      integer({ min: 1, max: 1_000_000 }),
      'How many different topics computed from records may be in use; a message for one more is rejected.',
      1000,
    ),
  },
  {
    description: 'What to do about topics that are missing.',
    refine: ({ create, max_computed: maxComputed }) => ({ create, maxComputed }),
  },
);
