/** Twenty million random texts as triggers, in slices. */
import { testSlices } from '../support/fuzz-slices.ts';

testSlices('triggers');
