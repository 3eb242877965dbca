/** A configuration file, or standard input. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigurationError, HeadraceError } from '../model/index.ts';
import { readText, type WrittenText } from './written.ts';

/**
 * The objects of a file as written; `-` reads standard input, whose paths start from the caller's folder. Throws
 * HeadraceError when it cannot be read, ConfigurationError when it has no shape of a configuration.
 */
export function readFile(path: string): WrittenText {
  const standardInput = path === '-';
  let text: string;
  try {
    text = readFileSync(standardInput ? 0 : path, 'utf8');
  } catch (error) {
    throw new HeadraceError('not_found', `The file ${path} cannot be read: ${(error as Error).message}.`, {
      remedy: 'Name a file that exists and that this user may read.',
      cause: error,
    });
  }
  const folder = standardInput ? process.cwd() : dirname(resolve(path));
  const written = readText({ text, name: standardInput ? 'standard input' : path, folder });
  if (written.problems.length > 0) throw new ConfigurationError(written.problems);
  return written;
}
