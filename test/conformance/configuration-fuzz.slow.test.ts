/** 800,000 random destinations and 4,200,000 JAAS texts, in slices of a few minutes. */
import { testSlices } from '../support/fuzz-slices.ts';

testSlices('destinations');
testSlices('jaas');
