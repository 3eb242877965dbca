/** The runner's own report, with its closing counts last also when failures are listed after them. */
import { spec } from 'node:test/reporters';
import { Readable } from 'node:stream';
import type { TestEvent } from 'node:test/reporters';

const COUNTS = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const;
type Counts = Record<(typeof COUNTS)[number], number>;

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let counts: Counts | undefined;
  async function* watched(): AsyncGenerator<TestEvent> {
    for await (const event of events) {
      // The summary without a file is that of the whole run.
      if (event.type === 'test:summary' && event.data.file === undefined)
        counts = event.data.counts as unknown as Counts;
      yield event;
    }
  }
  for await (const text of Readable.from(watched()).compose(new spec())) yield String(text);
  if (counts === undefined || counts.failed + counts.cancelled === 0) return;
  const names: Partial<Record<keyof Counts, string>> = { passed: 'pass', failed: 'fail' };
  yield `\n${COUNTS.map((name) => `ℹ ${names[name] ?? name} ${counts?.[name]}\n`).join('')}`;
}
