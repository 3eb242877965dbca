/** Applies a file's objects, its problems told with line and column. */
import { ConfigurationError, type Problem, type WrittenObject } from '../model/index.ts';
import type { HeadraceService } from './contract/service.ts';

export interface FileObjects {
  readonly objects: readonly WrittenObject[];
  /** Adds line and column to problems of these objects. */
  readonly locate: (problems: readonly Problem[]) => readonly Problem[];
}

/** Never prunes. Answers the warnings. Throws ConfigurationError; nothing is stored then. */
export async function applyFile(service: HeadraceService, file: FileObjects): Promise<readonly string[]> {
  const plan = await service.plan(file.objects, { prune: false });
  if (plan.problems.length > 0) throw new ConfigurationError(file.locate(plan.problems));
  return (await service.apply(file.objects, { prune: false })).warnings;
}
