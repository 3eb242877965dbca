/** A service that holds nothing: for tests of how answers are carried and printed, not of what they are. */
import type { HeadraceService, RunProgress } from '../../src/api/contract/service.ts';
import { emptyCounts, type Counts, type RunFacts } from '../../src/model/index.ts';

export const startedAt = '2026-01-02T03:04:05.678Z';

export function runFacts(state: RunFacts['state'], counts: Partial<Counts> = {}): RunFacts {
  return {
    id: 'run-1',
    sync: 'orders',
    state,
    cause: 'manual',
    counts: { ...emptyCounts(), ...counts },
    startedAt,
    endedAt: state === 'running' ? null : '2026-01-02T03:04:07.678Z',
    resumed: 0,
    error: null,
    checkpoint: null,
  };
}

export function progress(run: RunFacts, done: number): RunProgress {
  return { run, done, total: 1000, unit: 'bytes', perSecond: 50, waits: null, finished: run.state !== 'running' };
}

/** Every method answers something of the right shape; `changes` replace some. */
export function fakeService(changes: Partial<HeadraceService> = {}): HeadraceService {
  return {
    plan: () => Promise.resolve({ changes: [], problems: [], warnings: [] }),
    apply: () => Promise.resolve({ changes: [], problems: [], warnings: [] }),
    export: () => Promise.resolve([]),
    check: (destination) => Promise.resolve({ destination, ok: true, steps: [], warnings: [], tookMs: 1 }),
    topics: () => Promise.resolve([]),
    preview: () => Promise.resolve([]),
    async *run() {
      yield await Promise.resolve(progress(runFacts('succeeded'), 1000));
    },
    runs: () => Promise.resolve([]),
    cancel: () => Promise.resolve(runFacts('cancelled')),
    reset: () => Promise.resolve(),
    setEnabled: () => Promise.resolve(),
    deadLetters: () => Promise.resolve({ total: 0, byCode: [], topic: null, destination: null, letters: [] }),
    redrive: () => Promise.resolve({ delivered: 0, rejected: 0, filtered: 0, unreadable: 0, stopped: null }),
    clearDeadLetters: () => Promise.resolve({ removed: 0 }),
    async *tail() {
      // A topic without messages.
    },
    status: () => Promise.resolve({ version: '1.2.3', startedAt, destinations: [], sources: [], syncs: [] }),
    ...changes,
  };
}
