/** What a failing state database becomes: one error that names the place and the cause, never a credential. */
import { HeadraceError } from '../model/index.ts';

/** Runs one operation on the state; whatever the driver throws becomes HeadraceError `state_failed`. */
export async function onState<T>(place: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw stateError(place, error);
  }
}

export function stateError(place: string, error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  return new HeadraceError('state_failed', `The state (${place}) could not be used: ${reason(error)}`, {
    remedy: remedyOf(error),
    cause: error,
  });
}

/** Whether the error is a unique index that said no, in either database. */
export function isUniqueViolation(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === '23505' || errcode === 2067 || errcode === 1555;
}

function reason(error: unknown): string {
  // A refused connection to several addresses is an AggregateError whose own message is empty.
  if (error instanceof AggregateError) return error.errors.map((one) => reason(one)).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function remedyOf(error: unknown): string {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (errcode === 13) return 'The disk is full: free some space.';
  if (errcode === 8 || errcode === 14 || code === 'EACCES')
    return 'Check that the data folder exists and that this user may write to it.';
  if (errcode === 5 || errcode === 6) return 'Another process has the file open: stop it, then try again.';
  if (errcode === 11 || errcode === 26) return 'The file is damaged or no SQLite file: restore it from a backup.';
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code))
    return 'Check that the database is up and that DATABASE_URL is right.';
  if (typeof code === 'string' && code.startsWith('28')) return 'Check user and password in DATABASE_URL.';
  if (code === '3D000') return 'Create the database that DATABASE_URL names, or correct its name.';
  return 'Check that the state database is up, has space, and is the one this version wrote.';
}
