/** Syncs made ready to run: mapping compiled, destination open. Rebuilt whole when the configuration changes. */
import { assignerOf } from '../kafka/index.ts';
import {
  compileCondition,
  compileMapping,
  compileTruncation,
  type CompiledMapping,
  type Condition,
} from '../mapping/index.ts';
import {
  HeadraceError,
  emptyCounts,
  type Configuration,
  type Counts,
  type Held,
  type SourceRecord,
  type SyncConfig,
} from '../model/index.ts';
import type { IntakeOptions } from '../delivery/index.ts';
import { suggest } from '../base/suggest.ts';
import { integrationsAllow } from '../sources/events/index.ts';
import { RejectionMeter, WINDOW_MS } from './rejection-meter.ts';
import { systemClock } from '../base/clock.ts';

export interface Flow {
  readonly sync: SyncConfig;
  readonly kind: 'events' | 'table';
  readonly mapping: CompiledMapping;
  /** Whether `types`, `trigger` and an event's own `integrations` let a record pass; null: all pass. */
  readonly passes: ((record: SourceRecord) => boolean) | null;
  readonly options: IntakeOptions;
  /** Since start; kept when the configuration changes. For a table sync of its runs since start. */
  readonly counts: Counts;
  /** Why its messages wait, while they do. */
  held: Held | null;
  /** Of an event sync since it was applied. */
  readonly meter: RejectionMeter;
}

/** Every sync that is switched on, with its source and destination. Throws HeadraceError when a mapping is wrong. */
export function buildFlows(configuration: Configuration, earlier: ReadonlyMap<string, Flow>): Map<string, Flow> {
  const flows = new Map<string, Flow>();
  for (const sync of configuration.syncs.values()) {
    const source = configuration.sources.get(sync.source);
    const destination = configuration.destinations.get(sync.destination);
    if (source === undefined || destination === undefined) continue;
    const kind = source.type === 'events' ? 'events' : 'table';
    const mapping = compileMapping({
      message: sync.message,
      kind: kind === 'events' ? 'events' : 'rows',
      defaultTopic: destination.defaults.topic,
    });
    const options = {
      assign: assignerOf(sync.partitioner),
      computedTopic: mapping.literalTopic === null,
      batchBytes: sync.batch.bytes ?? destination.producer.batchBytes,
      batchMessages: sync.batch.messages ?? destination.producer.batchMessages,
      ordering: sync.ordering ?? 'key',
      ...(typeof sync.oversized === 'object' ? { shrink: compileTruncation(sync.oversized.truncate) } : {}),
    };
    const before = earlier.get(sync.name);
    flows.set(sync.name, {
      sync,
      kind,
      mapping,
      passes: compilePasses(sync, kind),
      options,
      counts: before?.counts ?? emptyCounts(),
      // Whoever applies it again wants it to go on.
      held: before === undefined || isTripped(before) ? null : before.held,
      meter: new RejectionMeter(systemClock, WINDOW_MS),
    });
  }
  return flows;
}

/** An event sync that rejected too much waits for a person. */
export function isTripped({ held }: Flow): boolean {
  return held?.code === 'too_many_rejected';
}

/** Counts one rejection; what to hold the sync with when that is one too many and it is not held for it yet. */
export function judge(flow: Flow): Held | null {
  const tooMany = flow.meter.rejected(flow.sync.maxRejected);
  if (tooMany === null || isTripped(flow)) return null;
  const { code, message: reason, remedy = '' } = tooMany;
  return { action: 'park', code, reason, remedy, topic: null };
}

/** Switched on, and its source and destination too. */
export function isActive(flow: Flow, configuration: Configuration): boolean {
  return (
    flow.sync.enabled &&
    configuration.sources.get(flow.sync.source)?.enabled === true &&
    configuration.destinations.get(flow.sync.destination)?.enabled === true
  );
}

/** Why there is no such sync: left out for a problem, misspelt, or not there at all. */
export function unknownSync(name: string, configuration: Configuration): HeadraceError {
  const unusable = configuration.unusable?.find(({ sync }) => sync === name);
  if (unusable !== undefined) {
    return new HeadraceError('config_invalid', `The sync ${name} cannot work: ${unusable.reason}`, {
      path: `syncs.${name}`,
      remedy: 'Mend it and apply it again.',
    });
  }
  const names = [...configuration.syncs.keys()];
  const near = suggest(name, names);
  const remedy = near === null ? `There are: ${names.join(', ') || 'none'}.` : `Did you mean ${near}?`;
  return new HeadraceError('not_found', `There is no sync ${name}.`, { remedy });
}

function compilePasses({ types, trigger, destination }: SyncConfig, kind: Flow['kind']): Flow['passes'] {
  const condition = compileCondition(trigger);
  const allowed: ReadonlySet<string> | null = types === null ? null : new Set(types);
  if (kind === 'table') return condition === null ? null : (record) => meets(condition, record);
  return (event) =>
    (allowed === null || allowed.has(event.stream)) &&
    (condition === null || meets(condition, event)) &&
    integrationsAllow(event, destination);
}

/** A record that cannot be read goes on to the mapping, which says why it is rejected. */
function meets(condition: Condition, record: SourceRecord): boolean {
  let data;
  try {
    data = record.data;
  } catch {
    return true;
  }
  return condition(data);
}
