/** The data folder and its files: only their owner may look into them. */
import { chmodSync, closeSync, mkdirSync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { HeadraceError } from '../model/index.ts';

/** Makes the folder if need be and closes it to others (mode 0700). Throws HeadraceError `state_failed`. */
export function openDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if ((statSync(folder).mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
  } catch (error) {
    throw new HeadraceError('state_failed', `The data folder ${folder} cannot be used: ${(error as Error).message}`, {
      remedy: 'Name a folder that this user owns with --data, or mend its permissions.',
      cause: error,
    });
  }
}

/**
 * Makes an empty file of mode 0600 where none is. One that exists is not opened: SQLite's locks are the process's, and
 * closing any descriptor of the file would drop them under a connection that is open.
 */
export function createPrivateFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
  }
}

/** Writes a file of mode 0600 whole or not at all: a reader never sees half of it. */
export function writePrivateFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}
