/** Airbyte: the record in an envelope with its id, stream and time, keyed by the id; a topic for each stream. */
import type { JsonValue, Preset } from '../../model/index.ts';

/** Airbyte draws a random one. This is as unique, and a row that is sent again after a crash has the same. */
const id: JsonValue = {
  '@coalesce': [
    { '@meta': 'message_id' },
    { '@uuid': { from: [{ '@meta': 'run' }, { '@meta': 'stream' }, { '@meta': 'position' }] } },
  ],
};

export const airbyte: Preset = {
  records: null,
  sync: {
    message: {
      topic: { '@pattern': '{namespace}.{stream}' },
      key: id,
      payload: {
        _airbyte_ab_id: id,
        _airbyte_stream: { '@meta': 'stream' },
        _airbyte_emitted_at: { '@date': { value: { '@meta': 'synced_at' }, to: 'ms' } },
        _airbyte_data: { '@path': '$.' },
      },
    },
  },
  destination: { topics: { create: 'broker' } },
};
