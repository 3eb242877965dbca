/** The five vendors' defaults, as data. */
import type { Presets } from '../../model/index.ts';
import { airbyte } from './airbyte.ts';
import { census } from './census.ts';
import { cinchy } from './cinchy.ts';
import { rudderstack } from './rudderstack.ts';
import { segment } from './segment.ts';

export const presets: Presets = { census, segment, rudderstack, airbyte, cinchy };
