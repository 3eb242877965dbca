/** `docs/faults.md` from the ledger of seeds: `--write` writes it, `--check` says whether it is what would be written; else totals. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readEntries, totals, type FaultTotal, type SeedEntry } from '../test/support/seed-ledger.ts';

const root = join(import.meta.dirname, '..');
const target = join(root, 'docs', 'faults.md');
const ledger = join(root, 'test', 'ledger');

/** What one count of a fault is, and how many are the goal. */
const faults: Readonly<Record<string, { one: string; goal: number }>> = {
  F1: { one: '`kill -9` of Headrace under load', goal: 200 },
  F2: { one: '`kill -9` of Headrace while it starts', goal: 100 },
  F3: { one: '`kill -9` of Headrace at a named point of its code', goal: 50 },
  F4: { one: 'SIGTERM under load', goal: 50 },
  F5: { one: '`kill -9` and restart of the only broker', goal: 40 },
  F6: { one: '`kill -9` of a leader among three brokers', goal: 40 },
  F7: { one: 'a broker frozen for seconds', goal: 40 },
  F8: { one: 'all three brokers restarted in turn, leaders moved back', goal: 40 },
  F9: { one: 'two of three brokers down', goal: 40 },
  F10: { one: 'a connection reset', goal: 2000 },
  F11: { one: 'an answer swallowed after the broker had done its work', goal: 1000 },
  F12: { one: 'a dead, slow or lost route', goal: 20 },
  F14: { one: 'Kafka away for seconds', goal: 10 },
  F18: { one: 'overload with 128 MB of heap', goal: 3 },
  F20: { one: 'a recorded trace of the spool, its power cut at each step', goal: 20_000 },
  P22: { one: 'a broker that throttles', goal: 3 },
  P42: { one: 'an error that nobody foresaw', goal: 20 },
};

/** The page as it should be. */
export function faultPage(): Promise<string> {
  const entries = readEntries(ledger);
  const { totals: sums, settled } = totals(entries);
  const rows = sums.map((total) => rowOf(total));
  const figures = sums.filter(({ worst }) => Object.keys(worst).length > 0).map((total) => figuresOf(total));
  return formatted(`<!-- Written by scripts/fault-docs.ts from test/ledger. -->

# Faults, counted

What [operations/faults.md](operations/faults.md) describes, as often as it was done. Each run leaves one line in \`test/ledger\`: the
seed that repeats its plan, the commit, the counts, and what Kafka's own consumer found in the topics. \`npm run chaos\` runs all of
them, each test at most ten minutes; \`npm run chaos -- F5 "F1 collector"\` some; both append to the ledger.
\`HEADRACE_SEED=0x… npm run chaos -- F5\` repeats a line.

| # | what one is | done | goal | runs | messages | lost | reordered | twice | otherwise wrong |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

*Twice*: none where Headrace lived through the fault. After a \`kill -9\` (F1 to F3) a run sends again what its last checkpoint did not
cover, and the collector's spool what was in a send; each line of the ledger says how many that could be at most.

## What was measured

The worst of all runs, in milliseconds, on two cores that did other work beside. *gap*: the longest time without an acknowledgement;
*wait*: the longest that one message waited for its own; *recovery*: from the moment a broker answers again until the first
acknowledgement; *election*: until all partitions of the dead broker had other leaders.

| # | figures |
| --- | --- |
${figures.join('\n')}
${settled.length === 0 ? '' : `\n## Found on the way\n\nRuns that were red, and whose plan was green after the cause was removed:\n\n${settled.map(findingOf).join('\n')}\n`}`);
}

function rowOf(total: FaultTotal): string {
  const { one, goal } = faults[total.fault] ?? { one: '', goal: 0 };
  const by = Object.entries(total.bySubject).map(([subject, count]) => `${subject} ${thousands(count)}`);
  const { runs, messages, lost, reordered, duplicated, wrong } = total;
  const cells = [
    `${thousands(total.faults)} (${by.join(', ')})`,
    thousands(goal),
    runs,
    thousands(messages),
    lost,
    reordered,
  ];
  return `| ${[total.fault, one, ...cells, thousands(duplicated), wrong].join(' | ')} |`;
}

function figuresOf({ fault, worst }: FaultTotal): string {
  const figures = Object.entries(worst).map(([name, value]) => `${name.replace(/Ms$/, '')} ${thousands(value)}`);
  return `| ${fault} | ${figures.join(', ')} |`;
}

function findingOf({ fault, subject, title, seed, commit, why }: SeedEntry): string {
  return `- ${fault} ${subject}, ${title} (seed \`${seed}\`, commit ${commit}): ${(why ?? '').replaceAll(/\s+/g, ' ').slice(0, 160)}`;
}

function thousands(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

async function formatted(page: string): Promise<string> {
  return format(page, { ...(await resolveConfig(target)), parser: 'markdown' });
}

/** Totals for people; fails on anything lost or reordered, and on a red run whose plan has not been green since. */
function tell(): number {
  const { totals: sums, open } = totals(readEntries(ledger));
  for (const { fault, faults: done, runs, messages, lost, reordered, duplicated, wrong } of sums)
    process.stdout.write(
      `${fault}: ${done} of ${faults[fault]?.goal ?? '?'} in ${runs} runs, ${messages} messages, lost ${lost}, reordered ${reordered}, twice ${duplicated}, otherwise wrong ${wrong}\n`,
    );
  for (const entry of open) process.stdout.write(`RED, not green since: ${JSON.stringify(entry)}\n`);
  return open.length + sums.filter(({ lost, reordered, wrong }) => lost + reordered + wrong > 0).length > 0 ? 1 : 0;
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--write')) writeFileSync(target, await faultPage());
  else if (!process.argv.includes('--check')) process.exitCode = tell();
  else if (readFileSync(target, 'utf8') !== (await faultPage())) {
    process.stderr.write(`${target} is out of date: node scripts/fault-docs.ts --write\n`);
    process.exit(1);
  }
}
