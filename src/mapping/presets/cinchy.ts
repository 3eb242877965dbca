/** Cinchy: rows as objects of their target columns and nothing else, without a key. */
import type { Preset } from '../../model/index.ts';

export const cinchy: Preset = {
  records: 'rows',
  sync: { message: { key: null, meta_fields: false } },
  destination: {},
};
