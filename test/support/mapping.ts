/** Records and contexts for tests of mappings. */
import type { JsonValue, SourceRecord } from '../../src/model/index.ts';
import type { MappingContext } from '../../src/mapping/ports.ts';

export function recordOf(data: unknown, more: Partial<SourceRecord> = {}): SourceRecord {
  return {
    operation: 'created',
    stream: 'orders.csv',
    namespace: null,
    position: 'orders.csv:1',
    data: data as JsonValue,
    bytes: null,
    receivedAtMs: null,
    messageId: null,
    ...more,
  };
}

export function eventOf(data: unknown, more: Partial<SourceRecord> = {}): SourceRecord {
  return recordOf(data, {
    operation: 'none',
    stream: 'track',
    bytes: Buffer.from(JSON.stringify(data)),
    receivedAtMs: Date.UTC(2024, 0, 1),
    messageId: 'm1',
    ...more,
  });
}

/** The bytes of a JSON line that nobody has parsed yet; asking for `data` counts as a failure. */
export function unparsedOf(text: string): SourceRecord {
  return {
    ...recordOf(null),
    get data(): JsonValue {
      throw new Error('the record was parsed');
    },
    bytes: Buffer.from(text),
    unparsed: true,
  };
}

export function contextOf(): MappingContext {
  return {
    sync: 'orders',
    source: 'lake',
    syncedAt: '2024-05-01T00:00:00.000Z',
    syncedAtMs: Date.UTC(2024, 4, 1),
    run: 'run-1',
  };
}
