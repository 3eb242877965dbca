/** Census: rows as objects of their columns, with `operation` and `synced_at` beside them. */
import type { Preset } from '../../model/index.ts';

export const census: Preset = {
  records: 'rows',
  sync: { message: { meta_fields: true } },
  destination: {},
};
