/** Four million random messages and sixteen million random templates, in slices. */
import { testSlices } from '../support/fuzz-slices.ts';

testSlices('messages');
testSlices('templates');
