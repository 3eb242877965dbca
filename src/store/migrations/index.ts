/** Every migration, in order. A published one is never changed: what follows gets a new file and a new name here. */
import type { Migration } from 'kysely/migration';
import type { StoreKind } from '../tables.ts';
import { start } from './001-start.ts';
import { redrive } from './002-redrive.ts';
import { letterPositions } from './003-letter-positions.ts';

export function migrations(kind: StoreKind): Record<string, Migration> {
  return { '001-start': start(kind), '002-redrive': redrive(kind), '003-letter-positions': letterPositions() };
}
