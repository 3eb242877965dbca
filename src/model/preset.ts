/** A preset: what a vendor's Kafka destination does by default, as fields of a sync and of a destination. */
import type { MessageConfig, Partitioner } from './configuration.ts';
import type { JsonObject } from './object.ts';

export const presetNames = ['census', 'segment', 'rudderstack', 'airbyte', 'cinchy'] as const;
export type PresetName = (typeof presetNames)[number];

export interface Preset {
  /** What a sync that takes it must read; null: anything. */
  readonly records: 'rows' | 'events' | null;
  /** What a sync is where it says nothing itself. */
  readonly sync: {
    /** FQL. Not taken by a sync that names event types: they are the short form of a trigger. */
    readonly trigger?: string;
    readonly partitioner?: Partitioner;
    /** Topic rules without a default take the destination's default topic for it. */
    readonly message: MessageConfig;
  };
  /** Fields of a destination, as written. */
  readonly destination: JsonObject;
}

export type Presets = Readonly<Record<PresetName, Preset>>;
