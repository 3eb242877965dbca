/** Where the data folder is. */
import { resolve } from 'node:path';
import type { Environment } from './environment.ts';

/** `--data`, else HEADRACE_DATA, else `data` in the caller's folder. Absolute. */
export function dataFolderOf(flag: string | null, environment: Pick<Environment, 'dataFolder'>): string {
  return resolve(flag ?? environment.dataFolder ?? 'data');
}
