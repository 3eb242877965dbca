/** Two million random destinations and three million JAAS texts, in slices of a few minutes. */
import { testSlices } from '../support/fuzz-slices.ts';

testSlices('destinations');
testSlices('jaas');
