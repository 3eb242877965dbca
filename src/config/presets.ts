/** What a preset fills in: fields that a sync or a destination leaves out; what is written wins, field by field. */
import type { JsonObject, JsonValue, MessageConfig, Preset, Presets } from '../model/index.ts';
import { presetNames } from '../model/index.ts';
import { choice } from './spec-scalars.ts';
import type { SyncBody } from './syncs.ts';
import { isObject } from './values.ts';

export const presetName = choice(presetNames);

/** A destination as written, its preset's fields where it has none; within objects (`producer`, …) too. */
export function fillDestination(body: JsonObject, presets: Presets): JsonObject {
  const name = presetNames.find((one) => one === body.preset);
  if (name === undefined) return body;
  const filled: JsonObject = { ...body };
  for (const [field, value] of Object.entries(presets[name].destination)) {
    const written = body[field];
    if (written === undefined) filled[field] = value;
    else if (isObject(written) && isObject(value)) filled[field] = { ...value, ...written };
  }
  return filled;
}

/** A sync with its preset; `defaultTopic` is the destination's. */
export function fillSync(body: SyncBody, preset: Preset, defaultTopic: JsonValue | null): SyncBody {
  const { trigger, partitioner } = preset.sync;
  return {
    ...body,
    // Event types are the short form of a trigger.
    trigger: body.trigger ?? (body.types === null ? (trigger ?? null) : null),
    partitioner: body.partitioner ?? partitioner ?? null,
    message: { ...messageBeside(body.message, preset.sync.message, defaultTopic), ...body.message },
  };
}

/** Fields that say one thing together: a message that has one of them takes none from the preset. */
const together: readonly (readonly (keyof MessageConfig)[])[] = [
  ['payload', 'columns', 'template', 'template_type'],
  ['timestamp', 'timestamp_unit'],
  ['default_partition', 'default_partition_for'],
];

/** What the preset has of a message beside what is written. */
function messageBeside(
  written: MessageConfig,
  { topic, ...others }: MessageConfig,
  defaultTopic: JsonValue | null,
): MessageConfig {
  const said = together.filter((fields) => fields.some((field) => written[field] !== undefined)).flat();
  const entries = Object.entries(others).filter(([field]) => !said.includes(field as keyof MessageConfig));
  const whole = topic === undefined ? undefined : withDefault(topic, defaultTopic);
  return { ...Object.fromEntries(entries), ...(whole === undefined ? {} : { topic: whole }) };
}

/** Topic rules are whole with a default: the destination's. Nothing, where there is none. */
function withDefault(topic: JsonValue, defaultTopic: JsonValue | null): JsonValue | undefined {
  if (!isRules(topic) || topic.default !== undefined) return topic;
  if (defaultTopic === null) return undefined;
  return isRules(defaultTopic) ? { ...topic, ...defaultTopic } : { ...topic, default: defaultTopic };
}

function isRules(topic: JsonValue): topic is JsonObject {
  return isObject(topic) && !Object.keys(topic).some((name) => name.startsWith('@'));
}
