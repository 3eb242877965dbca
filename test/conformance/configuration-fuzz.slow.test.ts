/** Two million random destinations and three million JAAS texts, in slices of a few minutes; `HEADRACE_SLICES=3` runs one. */
import { test } from 'node:test';
import { fuzzJaas, fuzzSecurity } from '../support/configuration-fuzz.ts';
import { chosenSlices, sliceSource } from '../support/fuzz-slices.ts';

const kinds = { destinations: { rounds: 200_000, run: fuzzSecurity }, jaas: { rounds: 300_000, run: fuzzJaas } };

for (const [name, { rounds, run }] of Object.entries(kinds))
  for (const slice of chosenSlices(process.env['HEADRACE_SLICES'], 10))
    test(`${name}, slice ${slice}: ${rounds} texts are answered`, { timeout: 1_800_000 }, (t) =>
      t.diagnostic(JSON.stringify(run(sliceSource(name, slice), rounds))),
    );
