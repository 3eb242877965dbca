/** Opens what a table sync reads, for a run and for preview; what is wrong is told at the path of the field. */
import { HeadraceError, type Configuration, type SyncConfig } from '../model/index.ts';
import type { OpenFiles, TableReader } from '../sources/ports.ts';

/** Throws HeadraceError. Close it when done. */
export async function openTable(
  openFiles: OpenFiles,
  configuration: Configuration,
  sync: SyncConfig,
): Promise<TableReader> {
  const source = configuration.sources.get(sync.source);
  if (source?.type !== 'files' || sync.read === null) {
    throw new HeadraceError('config_invalid', 'A table sync needs `read: {file: …}`.', {
      path: `syncs.${sync.name}.read`,
    });
  }
  try {
    return await openFiles(source.path, sync.read);
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.path === undefined) throw error;
    const { code, message, path, remedy } = error;
    const whole = path.startsWith('read') ? `syncs.${sync.name}.${path}` : `sources.${source.name}.${path}`;
    throw new HeadraceError(code, message, { path: whole, cause: error, ...(remedy === undefined ? {} : { remedy }) });
  }
}
