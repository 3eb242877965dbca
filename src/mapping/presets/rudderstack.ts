/** RudderStack: the whole event, keyed by user, to the topic that the event or the destination names. */
import type { Preset } from '../../model/index.ts';

export const rudderstack: Preset = {
  records: 'events',
  sync: {
    partitioner: 'fnv1a',
    message: {
      topic: { integrations: true },
      // Without either there is no key: RudderStack sends the empty one, which piles all such events on one partition.
      key: { '@coalesce': ['$.userId', '$.anonymousId'] },
      payload: { '@path': '$.' },
    },
  },
  destination: { topics: { create: 'broker' } },
};
