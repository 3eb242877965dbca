/** Any error as one that a person reads. */
import { HeadraceError } from '../model/index.ts';

export function asHeadraceError(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  // What it was stands in the log: the answer must not carry what a stranger's error carries (S28).
  return new HeadraceError('internal', 'Something went wrong inside Headrace.', {
    remedy: 'Look into the log of the server, and report it.',
    cause: error,
  });
}
