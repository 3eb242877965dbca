/** A run's facts, for programs and for people. */
import { isoTime } from '../base/clock.ts';
import type { RunFacts } from '../model/index.ts';
import { countText, durationText, printable, table, timeText } from './text.ts';

/** One flat object: the state, all counts, then the rest. */
export function runJson(run: RunFacts): Record<string, unknown> {
  const { state, counts, id, sync, cause, startedAt, endedAt, resumed, error } = run;
  // A sync that only sends takes every row as new.
  const differences = { created: counts.delivered, updated: 0, deleted: 0 };
  return { state, ...counts, ...differences, id, sync, cause, startedAt, endedAt, resumed, error };
}

export function runText(run: RunFacts): string {
  const { state, counts, sync, id, error } = run;
  const parts = Object.entries(counts).filter(([name, count]) => count > 0 || name === 'read' || name === 'delivered');
  const numbers = parts.map(([name, count]) => `${countText(count)} ${name}`).join(', ');
  const why = error === null ? '' : `\n${error.code}: ${printable(error.message)}`;
  return `Run ${id} of ${sync} ${state.replaceAll('_', ' ')}: ${numbers} in ${durationText(tookMs(run))}${why}`;
}

export function runTable(runs: readonly RunFacts[]): string {
  const rows = runs.map((run) => [
    run.id,
    run.sync,
    run.state.replaceAll('_', ' '),
    run.cause,
    timeText(run.startedAt),
    run.endedAt === null ? null : durationText(tookMs(run)),
    run.counts.read,
    run.counts.delivered,
    run.counts.rejected,
    run.error?.message ?? '',
  ]);
  const heads = ['run', 'sync', 'state', 'cause', 'started (UTC)', 'took', 'read', 'delivered', 'rejected', ''];
  return table(heads, rows, 'There are no runs.');
}

function tookMs({ startedAt, endedAt }: RunFacts): number {
  return Date.parse(endedAt ?? isoTime(Date.parse(startedAt))) - Date.parse(startedAt);
}
