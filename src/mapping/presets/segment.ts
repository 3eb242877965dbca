/** Segment's action "Send": the whole event, without a key; all calls but alias. */
import type { Preset } from '../../model/index.ts';

export const segment: Preset = {
  records: 'events',
  sync: {
    trigger: 'type = "track" or type = "identify" or type = "page" or type = "screen" or type = "group"',
    message: { payload: { '@path': '$.' } },
  },
  destination: {
    client_id: 'segment-actions-kafka-producer',
    producer: { batch_bytes: 1_000_000, batch_messages: 1002 },
  },
};
