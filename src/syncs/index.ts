/** Joins a sync's source, mapping and delivery; runs, and what is asked of a cluster. */
export {
  checkDestination,
  createTopics,
  listTopics,
  namedTopics,
  problemsOf,
  refusedSettings,
  tailTopic,
  type TailedMessage,
} from './clusters.ts';
export type { Cleared, ListedLetter, ListedLetters } from './dead-letters.ts';
export { drainSyncs, pendingMessages } from './drain.ts';
export { unknownSync, type Flow } from './flows.ts';
export type { DeadLetterStore, RunStore, SyncObserver } from './ports.ts';
export { previewSync, type Previewed } from './preview.ts';
export type { Redriven } from './redrive.ts';
export type { ActiveRun } from './runs.ts';
export { Syncs, type SyncsTools } from './syncs.ts';
