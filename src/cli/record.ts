/** A record given on the command line: one JSON value in a file. */
import { readFileSync } from 'node:fs';
import { parseJson } from '../base/json.ts';
import { HeadraceError, type JsonValue } from '../model/index.ts';

/** The value, and the text it was written as. `-` reads standard input. Throws HeadraceError that names the file. */
export function readRecord(path: string): { value: JsonValue; text: string } {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new HeadraceError('not_found', `${path} cannot be read: ${(error as Error).message}`, {
      path: '--record',
      remedy: 'Name a file that holds one JSON value.',
    });
  }
  try {
    return { value: parseJson(text) as JsonValue, text };
  } catch (error) {
    throw new HeadraceError('json_invalid', `${path} is no JSON: ${(error as Error).message}`, {
      path: '--record',
      remedy: 'The file holds one JSON value: an event or a row.',
    });
  }
}
