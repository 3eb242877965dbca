/** The `integrations` object of an event: which destinations its sender lets it go to. */
import type { JsonValue, SourceRecord } from '../../model/index.ts';
import { EventRecord } from './record.ts';

/**
 * Whether the event's own `integrations` let it go to this destination. Names are compared without case. The
 * destination's own name decides; else `Kafka`, which speaks for all destinations; else `All`; without any it may go.
 * An object under a name (options) counts as true.
 */
export function integrationsAllow(event: SourceRecord, destinationName: string): boolean {
  const integrations = integrationsOf(event);
  if (!isObject(integrations)) return true;
  const own = destinationName.toLowerCase();
  let byName: boolean | null = null;
  let byKafka: boolean | null = null;
  let byAll = true;
  for (const [name, value] of Object.entries(integrations)) {
    if (value === null) continue;
    const folded = name.toLowerCase();
    if (folded === own) byName = value !== false;
    else if (folded === 'kafka') byKafka = value !== false;
    else if (folded === 'all') byAll = value !== false;
  }
  return byName ?? byKafka ?? byAll;
}

/** A record of the collector knows them without being parsed. */
function integrationsOf(event: SourceRecord): JsonValue | undefined {
  if (event instanceof EventRecord) return event.integrations;
  return isObject(event.data) ? event.data['integrations'] : undefined;
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
