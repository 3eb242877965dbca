/** DuckDB as a reader of files: loaded when first needed, capped, cut off from everything but the file it is given. */
import { existsSync } from 'node:fs';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { literal, type TypeIds } from './json-sql.ts';

const settings: Readonly<Record<string, string>> = {
  memory_limit: '256MB',
  // Its work runs on libuv's threads, one per reading, beside the event loop.
  threads: '1',
  // Nothing here needs to spill, and nothing may be written.
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

export class Database {
  readonly typeIds: TypeIds;
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance, typeIds: TypeIds) {
    this.#instance = instance;
    this.typeIds = typeIds;
  }

  static async open(): Promise<Database> {
    const { DuckDBInstance, DuckDBTypeId } = await import('@duckdb/node-api');
    return new Database(await DuckDBInstance.create(':memory:', { ...settings }), DuckDBTypeId);
  }

  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  close(): void {
    this.#instance.closeSync();
  }
}

/**
 * The SQL text that names an open file. On Linux it is the open file itself, so that a link put in its place
 * meanwhile changes nothing; elsewhere its path, with what would be a glob in it taken literally.
 */
export function fileLiteral(descriptor: number, path: string): string {
  const open = `/proc/self/fd/${descriptor}`;
  return literal(existsSync(open) ? open : path.replaceAll(/[*?[]/g, '[$&]'));
}
